package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// ParseConfig reads a configuration from JSON: strictly, every unknown or repeated
// key, wrong type or unit is an error that names the field. It does not
// validate.
func ParseConfig(data []byte) (Config, error) {
	var cfg Config
	return cfg, DecodeStrict(data, &cfg)
}

// DecodeStrict decodes one JSON value into the struct v points to.
func DecodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var p Problems
	if err := checkKeys(dec, reflect.TypeOf(v), "", &p); err != nil {
		return fmt.Errorf("json: %w", err)
	}
	if dec.More() {
		p.Add("", "text after the end of the JSON value")
	}
	if err := p.Join(); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// checkKeys walks one JSON value beside the Go type it will be decoded into.
func checkKeys(dec *json.Decoder, t reflect.Type, path string, p *Problems) error {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, err := dec.Token()
	if err != nil {
		return err
	}
	delim, _ := token.(json.Delim)
	switch delim {
	case '{':
		if t != nil && t.Kind() != reflect.Struct {
			p.Add(path, "must not be an object")
		}
		return checkObject(dec, t, path, p)
	case '[':
		var item reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			item = t.Elem()
		} else if t != nil {
			p.Add(path, "must not be a list")
		}
		for i := 0; dec.More(); i++ {
			if err := checkKeys(dec, item, path+"["+strconv.Itoa(i)+"]", p); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	default:
		checkLeaf(token, t, path, p)
	}
	return err
}

// checkLeaf checks a string, number, boolean or null against its type, so that the
// problem carries the path of the field.
func checkLeaf(token json.Token, t reflect.Type, path string, p *Problems) {
	if t == nil || token == nil {
		return
	}
	text, isText := token.(string)
	if leaf, ok := reflect.TypeAssert[encoding.TextUnmarshaler](reflect.New(t)); ok {
		if !isText {
			p.Add(path, "write a string with a unit, not %v", token)
		} else if err := leaf.UnmarshalText([]byte(text)); err != nil {
			p.Add(path, "%v", err)
		}
		return
	}
	number, isNumber := token.(json.Number)
	_, isBool := token.(bool)
	var err error
	switch t.Kind() {
	case reflect.String:
		if !isText {
			p.Add(path, "must be a string")
		}
	case reflect.Bool:
		if !isBool {
			p.Add(path, "must be true or false")
		}
	case reflect.Int:
		_, err = strconv.ParseInt(number.String(), 10, 32)
	case reflect.Int64:
		_, err = strconv.ParseInt(number.String(), 10, 64)
	case reflect.Uint32, reflect.Uint64:
		_, err = strconv.ParseUint(number.String(), 10, t.Bits())
	case reflect.Float64:
		_, err = strconv.ParseFloat(number.String(), 64)
	default:
		p.Add(path, "must be %s", shapeOf(t))
	}
	if wantsNumber := t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64; err != nil || wantsNumber && !isNumber {
		p.Add(path, "must be a number of the right kind, not %v", token)
	}
}

func shapeOf(t reflect.Type) string {
	if t.Kind() == reflect.Slice {
		return "a list"
	}
	return "an object"
}

func checkObject(dec *json.Decoder, t reflect.Type, path string, p *Problems) error {
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		at := strings.TrimPrefix(path+"."+name, ".")
		if seen[name] {
			p.Add(at, "given twice")
		}
		seen[name] = true
		var member reflect.Type
		if t != nil && t.Kind() == reflect.Struct {
			field, known := fieldByKey(t, name)
			if !known {
				p.Add(at, "unknown key%s", suggest(t, name))
			}
			member = field
		}
		if err := checkKeys(dec, member, at, p); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func jsonKey(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func fieldByKey(t reflect.Type, name string) (reflect.Type, bool) {
	for f := range t.Fields() {
		if f.Anonymous {
			if ft, ok := fieldByKey(f.Type, name); ok {
				return ft, true
			}
		} else if jsonKey(f) == name {
			return f.Type, true
		}
	}
	return nil, false
}

// KeysOf lists the keys of a struct type.
func KeysOf(t reflect.Type) []string {
	var out []string
	for f := range t.Fields() {
		if f.Anonymous {
			out = append(out, KeysOf(f.Type)...)
		} else {
			out = append(out, jsonKey(f))
		}
	}
	return out
}

// suggest names the nearest key, or all when none is near.
func suggest(t reflect.Type, name string) string {
	keys := KeysOf(t)
	for _, k := range keys {
		if distance(k, name) <= 2 {
			return fmt.Sprintf("; did you mean %q?", k)
		}
	}
	return "; known are " + strings.Join(keys, ", ")
}

// distance is the Levenshtein distance of two keys; keys over 64 bytes are far
// from everything.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// UnmarshalJSON reads a bare duration as a constant, else the object.
func (d *Dist) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*d = Dist{}
		return json.Unmarshal(b, &d.Constant)
	}
	type plain Dist
	return json.Unmarshal(b, (*plain)(d))
}

// UnmarshalJSON refuses a share of 0%, which reads as "never" and would mean
// "always", the zero value's meaning.
func (f *Fault) UnmarshalJSON(b []byte) error {
	type plain Fault
	given := plain{Share: -1}
	if err := json.Unmarshal(b, &given); err != nil {
		return err
	}
	switch given.Share {
	case 0:
		return errors.New("share: must be above 0%; leave the fault out to switch it off")
	case -1:
		given.Share = 0
	}
	*f = Fault(given)
	return nil
}

// UnmarshalText reads a bare duration as a constant, as YAML may write it.
func (d *Dist) UnmarshalText(b []byte) error {
	*d = Dist{}
	return d.Constant.UnmarshalText(b)
}

// overrideFault turns "kind;key=value" into a Fault by way of the same decoder.
func overrideFault(s string) (Fault, error) {
	parts := strings.Split(s, ";")
	object := map[string]any{"kind": strings.TrimSpace(parts[0])}
	for _, part := range parts[1:] {
		k, v, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return Fault{}, fmt.Errorf("write options as key=value, not %q", part)
		}
		switch k {
		case "name", "at", "for", "share", "ramp", "flap":
			return Fault{}, fmt.Errorf("%s belongs to a schedule, not to one request", k)
		case "status", "chunks", "attempts", "factor":
			object[k] = json.Number(v)
		default:
			object[k] = v
		}
	}
	var f Fault
	data, err := json.Marshal(object)
	if err != nil {
		return f, fmt.Errorf("a number is not one: %w", err)
	}
	return f, DecodeStrict(data, &f)
}

// ParseOverride reads X-Mock-Fault: a kind, then options as key=value, all
// separated by semicolons: "status;status=429;retry_after=2s".
func ParseOverride(s string) (Fault, error) {
	if len(s) > 1024 {
		return Fault{}, errors.New("longer than 1024 bytes")
	}
	f, err := overrideFault(s)
	if err != nil {
		return Fault{}, err
	}
	var p Problems
	f.Validate(&p, "fault")
	if err := p.Join(); err != nil {
		return Fault{}, err
	}
	return f, nil
}
