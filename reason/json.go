package reason

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

// mostNested bounds reasons inside reasons.
const mostNested = 4

type wire struct {
	Code Code                       `json:"code"`
	Args map[string]json.RawMessage `json:"args,omitempty"`
}

// key is an argument's name in JSON: with its unit, where it has one.
func (p param) key() string {
	switch p.kind {
	case kindDuration, kindShift:
		return p.name + "_ns"
	case kindRate:
		return p.name + "_per_s"
	case kindSize:
		return p.name + "_bytes"
	default:
		return p.name
	}
}

// MarshalJSON writes {"code": …, "args": {name: value}}: durations in nanoseconds
// under name_ns, shares from 0 to 1, reasons within as a list.
func (r Reason) MarshalJSON() ([]byte, error) {
	w := wire{Code: r.Code}
	if row, ok := rows()[r.Code]; ok && len(row.args) > 0 {
		w.Args = map[string]json.RawMessage{}
		for i, p := range row.args {
			if i >= len(r.Args) {
				break
			}
			b, err := json.Marshal(plain(r.Args[i]))
			if err != nil {
				return nil, fmt.Errorf("reason %s: %s: %w", r.Code, p.name, err)
			}
			w.Args[p.key()] = b
		}
	}
	return json.Marshal(w)
}

// plain is an argument as JSON has it: a number without its unit.
func plain(a any) any {
	switch v := a.(type) {
	case unit.Share:
		return float64(v)
	case unit.Rate:
		return float64(v)
	case unit.Size:
		return int64(v)
	case Phrase:
		return v.String()
	}
	return a
}

// UnmarshalJSON reads what MarshalJSON writes, and a plain text as one that was
// said. Of a code that is not known the arguments are left out.
func (r *Reason) UnmarshalJSON(b []byte) error { return r.decode(b, 0) }

// UnmarshalJSON reads a list, or one text; an empty one is no reason.
func (list *Reasons) UnmarshalJSON(b []byte) error { return list.decode(b, 0) }

func (r *Reason) decode(b []byte, depth int) error {
	if strings.HasPrefix(string(b), `"`) {
		var text string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		*r = Said(text)
		return nil
	}
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*r = Reason{Code: w.Code}
	row, ok := rows()[w.Code]
	if !ok || len(row.args) == 0 {
		return nil
	}
	if depth > mostNested {
		return fmt.Errorf("reason %s: nested too deep", w.Code)
	}
	r.Args = make([]any, len(row.args))
	for i, p := range row.args {
		a, err := p.decode(w.Args[p.key()], depth)
		if err != nil {
			return fmt.Errorf("reason %s: %s: %w", w.Code, p.key(), err)
		}
		r.Args[i] = a
	}
	return nil
}

func (list *Reasons) decode(b []byte, depth int) error {
	*list = nil
	if strings.HasPrefix(string(b), `"`) {
		var r Reason
		if err := r.decode(b, depth); err != nil {
			return err
		}
		if r.Args[0] != "" {
			*list = Reasons{r}
		}
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw != nil {
		*list = make(Reasons, 0, len(raw))
	}
	for _, b := range raw {
		var r Reason
		if err := r.decode(b, depth+1); err != nil {
			return err
		}
		*list = append(*list, r)
	}
	return nil
}

// decode reads an argument; one that is missing is the zero of its kind.
func (p param) decode(b json.RawMessage, depth int) (any, error) {
	if p.kind == kindReasons {
		var list Reasons
		if b == nil {
			return list, nil
		}
		err := list.decode(b, depth)
		return list, err
	}
	switch p.kind {
	case kindWord:
		return scalar[Word](b)
	case kindDuration, kindShift:
		return scalar[time.Duration](b)
	case kindShare, kindQuantile:
		v, err := scalar[float64](b)
		return unit.Share(v), err
	case kindCount:
		return scalar[int64](b)
	case kindFigure:
		return scalar[float64](b)
	case kindRate:
		v, err := scalar[float64](b)
		return unit.Rate(v), err
	case kindSize:
		v, err := scalar[int64](b)
		return unit.Size(v), err
	default:
		return scalar[string](b)
	}
}

func scalar[T any](b json.RawMessage) (v T, err error) {
	if b != nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}
