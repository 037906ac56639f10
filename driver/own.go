package driver

import (
	"bytes"
	"fmt"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// ownRules are what a custom API says of its answers besides plain paths.
type ownRules struct {
	ok, fails find.All
	answers   find.All   // of mode websocket: which message is one
	said      find.Place // the text of an error
	placed    []placed
	saves     []save
	document  bool // the body is no JSON
	jsonp     bool

	deltaWhen, reasoningWhen find.All
	done                     find.All
	endOfBody                bool
}

// placed is a value that is found elsewhere than in JSON, and the slot it is read from.
type placed struct {
	slot  int
	place find.Place
}

// newOwnRules compiles target.response. Plain paths into JSON go to the slots that
// every API has.
func newOwnRules(target *scenario.Target, paths *find.Paths, saved savedNames) (*ownRules, error) {
	own := target.Response
	r := &ownRules{jsonp: own.Format == scenario.FormatJSONP}
	tier := ""
	if own.Tier != nil {
		tier = own.Tier.From
	}
	for _, p := range []struct {
		slot  int
		name  string
		place string
	}{
		{slotDialog, "dialog_id", own.DialogID},
		{slotTurnID, "turn_id", own.TurnID},
		{slotAnswer, "answer", own.Answer},
		{slotTurns, "context_turns", own.ContextTurns},
		{slotDegraded, "degraded", own.Degraded},
		{slotTier, "tier.from", tier},
		{slotGroup, "group", own.Group},
		{slotCode, "error_code", own.ErrorCode},
	} {
		if p.place == "" {
			continue
		}
		if kind, rest := scenario.Find(p.place); kind == scenario.PlaceJSON {
			paths.Of[p.slot] = rest
			continue
		}
		place, err := find.Compile(p.place, paths)
		if err != nil {
			return nil, fmt.Errorf("target.response.%s: %w", p.name, err)
		}
		r.document = r.document || p.slot == slotAnswer && place.Document()
		r.placed = append(r.placed, placed{p.slot, place})
	}
	var err error
	if r.said, err = find.Compile(own.ErrorMessage, paths); err != nil {
		return nil, fmt.Errorf("target.response.error_message: %w", err)
	}
	for _, c := range []struct {
		name string
		list scenario.Conditions
		to   *find.All
	}{{"ok", own.OK, &r.ok}, {"error", own.Error, &r.fails}, {"is_answer", own.IsAnswer, &r.answers}} {
		if *c.to, err = find.Conditions(c.list, paths); err != nil {
			return nil, fmt.Errorf("target.response.%s: %w", c.name, err)
		}
	}
	if n := len(target.Then); n > 0 && target.Mode == scenario.ModeStream { // kept of its events
		if r.saves, err = newSaves(target.Then[n-1].Save, paths, saved); err != nil {
			return nil, fmt.Errorf("target.then[%d].save: %w", n-1, err)
		}
	}
	if target.Request != nil && len(target.Then) == 0 {
		if r.saves, err = newSaves(target.Request.Save, paths, saved); err != nil {
			return nil, fmt.Errorf("target.request.save: %w", err)
		}
	}
	return r, r.stream(own.Stream, paths)
}

// stream compiles the conditions of a stream's events.
func (o *ownRules) stream(s *scenario.StreamPath, paths *find.Paths) (err error) {
	if s == nil {
		return nil
	}
	if o.deltaWhen, err = find.Conditions(s.DeltaWhen, paths); err != nil {
		return fmt.Errorf("target.response.stream.delta_when: %w", err)
	}
	if o.reasoningWhen, err = find.Conditions(s.ReasoningWhen, paths); err != nil {
		return fmt.Errorf("target.response.stream.reasoning_when: %w", err)
	}
	switch word, alone := s.Done.Word(); {
	case !alone:
		if o.done, err = find.Conditions(s.Done, paths); err != nil {
			return fmt.Errorf("target.response.stream.done: %w", err)
		}
	case word == scenario.EndOfBody:
		o.endOfBody = true
	}
	return nil
}

// find reads a whole body; false where it cannot be read as what it should be.
func (r *reader) find(x *exchange, body []byte) bool {
	if r.own == nil {
		valid := r.lookup.Find(&x.scanner, body)
		if valid && r.responses {
			x.unfold()
		}
		return valid
	}
	o := r.own
	x.look.Head, x.look.Body, x.look.Event, x.look.JSON = &x.Head, body, x.event, x.scanner.Values
	if o.document {
		clear(x.scanner.Values)
	} else {
		if o.jsonp {
			body = unwrapped(body)
		}
		if !r.lookup.Find(&x.scanner, body) {
			return false
		}
	}
	o.place(x)
	return true
}

// place puts what is found elsewhere where it is read from, and makes one text of
// a list of them.
func (o *ownRules) place(x *exchange) {
	for i := range o.placed {
		p := &o.placed[i]
		v := p.place.In(&x.look)
		x.scanner.Values[p.slot] = jsonscan.Value{Raw: v.Text, Kind: v.Kind}
	}
	answer := &x.scanner.Values[slotAnswer]
	if isList(answer) {
		from := len(x.text)
		text, ok := find.Joined(x.text, answer.Raw)
		if ok {
			x.text = text
			*answer = jsonscan.Value{Raw: text[from:len(text):len(text)], Kind: jsonscan.Text}
		}
	}
}

func isList(v *jsonscan.Value) bool {
	return v.Kind != jsonscan.Text && v.Kind != jsonscan.Nothing && len(v.Raw) > 0 && v.Raw[0] == '['
}

// notText says what stands where the answer's text should.
func notText(v *jsonscan.Value) string {
	switch {
	case isList(v) && len(bytes.Trim(v.Raw, "[] \n\t\r")) == 0:
		return "the answer is a list with nothing in it, not a string"
	case isList(v):
		return "the answer is a list, not a string"
	case v.Kind == jsonscan.Object:
		return "the answer is an object, not a string"
	}
	return "the answer is not a string"
}

// unwrapped is the inside of NAME(…); as a trailing semicolon.
func unwrapped(body []byte) []byte {
	body = bytes.TrimSpace(body)
	body = bytes.TrimSpace(bytes.TrimSuffix(body, []byte(";")))
	open := bytes.IndexByte(body, '(')
	if open < 1 || body[len(body)-1] != ')' {
		return nil
	}
	for _, c := range body[:open] {
		if c != '_' && c != '$' && c != '.' && c != '/' && c != '*' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return nil
		}
	}
	return body[open+1 : len(body)-1]
}

// judge settles what is said of an answer, or an event, as a whole, and keeps what
// is to be saved of it.
func (o *ownRules) judge(x *exchange, reply *Reply) {
	switch o.ok.In(&x.look) {
	case find.Holds:
		x.found |= PlaceOK
	case find.Fails:
		x.found |= PlaceOK
		reply.OK = false
	case find.Silent:
	}
	if !reply.OK || x.Head.Status >= 300 {
		o.tell(x, reply)
	}
	for i := range o.saves {
		o.saves[i].keep(x)
	}
}

// failed tells whether what was found last is an error in the place of an answer.
func (r *reader) failed(x *exchange, reply *Reply, prefix string) wire.Fault {
	if o := r.own; o != nil {
		if o.fails.Hold(&x.look) {
			reply.Denied = true
			if o.tell(x, reply); reply.Said != "" {
				return wire.NewFault(Malformed, reply.Said)
			}
			return wire.NewFault(Malformed, "response.error holds")
		}
		if o.fails.Named() {
			return wire.Fault{} // the scenario says what an error is
		}
	}
	return failed(x, prefix)
}

// tell puts the code and the text of an error into one line.
func (o *ownRules) tell(x *exchange, reply *Reply) {
	code, text := &x.scanner.Values[slotCode], o.said.In(&x.look)
	said := make([]byte, 0, maxSaid)
	if code.Kind == jsonscan.Text || code.Kind == jsonscan.Number {
		said = append(said, x.string(code)...)
	}
	if o.said.Named() && len(text.Text) > 0 {
		said = withoutNumbers(append(said, ' '), text.Text)
	}
	reply.Said = wire.Visible(bytes.TrimSpace(said))
}

// maxSaid is about how long what an error says may be.
const maxSaid = 200

// withoutNumbers appends a text with its words of four digits and more, which are
// of one turn alone, left out: the same cause says the same.
func withoutNumbers(dst, text []byte) []byte {
	digits := 0
	for _, c := range text {
		if c >= '0' && c <= '9' {
			digits++
			dst = append(dst, c)
			continue
		}
		if digits > 3 {
			dst = append(dst[:len(dst)-digits], "…"...)
		}
		digits = 0
		if dst = append(dst, c); len(dst) > maxSaid {
			return dst
		}
	}
	if digits > 3 {
		dst = append(dst[:len(dst)-digits], "…"...)
	}
	return dst
}
