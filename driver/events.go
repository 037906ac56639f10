package driver

import (
	"bytes"
	"slices"
	"strings"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/ndjson"
	"github.com/cstest/cstest/driver/internal/sse"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// dialect is what the events of a stream mean.
type dialect struct {
	openai bool
	custom bool
	// responses: of openai, the Responses API's.
	responses bool
	lines     bool   // a JSON document a line, in place of server-sent events
	text      bool   // the body as it comes is the answer
	whole     bool   // custom: one event is the whole answer
	done      string // custom: one word for the event that ends the stream: its name, its data or a path
	lookup    jsonscan.Places
	// delta is where a piece of a custom answer is that need not be JSON; unnamed where
	// slotDelta is the place.
	delta find.Place
	plain bool // delta is the event's whole data
}

// Places in an event, beside those of a whole answer.
const (
	slotDelta = slotCount + iota
	slotDeltaOther
	slotDeltaContent
	slotReasoning
	slotReasoningOther
	slotIndex
	slotDone
	slotKind // of form responses
	slotCallPieces
	eventSlots
)

func newDialect(target *scenario.Target, paths *find.Paths) (d dialect, ok bool) {
	answer := paths.Of
	switch target.API {
	case scenario.APIReference, scenario.APIArticle:
		answer[slotDelta], answer[slotDeltaOther], answer[slotDeltaContent] = "text", "delta", "content"
		answer[slotIndex] = "i"
	case scenario.APIOpenAI:
		d.openai = true
		if target.OpenAI != nil && target.OpenAI.Form == scenario.FormResponses {
			d.responses = true
			answer = responsePaths("response.")
			answer[slotKind], answer[slotDelta], answer[slotItems] = "type", "delta", "item"
			answer[slotText] = "message"
			break
		}
		answer[slotCallPieces] = "choices.0.delta.tool_calls"
		answer[slotDelta] = "choices.0.delta.content"
		answer[slotReasoning], answer[slotReasoningOther] = "choices.0.delta.reasoning_content", "choices.0.delta.reasoning"
	case scenario.APICustom:
		if !d.ofCustom(target.Response, paths) {
			return d, false
		}
	}
	d.lookup = jsonscan.Compile(answer)
	return d, true
}

// ofCustom takes what a custom API says of its events.
func (d *dialect) ofCustom(r *scenario.Response, paths *find.Paths) (ok bool) {
	s := r.Stream
	d.custom = true
	if s != nil {
		d.lines, d.text = s.Format == scenario.StreamNDJSON, s.Format == scenario.StreamText
	}
	if !s.Pieces() {
		d.whole = true
		return len(r.IsAnswer) > 0
	}
	switch kind, rest := scenario.Find(s.Delta); kind {
	case scenario.PlaceJSON:
		paths.Of[slotDelta] = rest
	case scenario.PlaceText:
		d.plain = true
	default:
		var err error
		if d.delta, err = find.Compile(s.Delta, paths); err != nil {
			return false
		}
	}
	_, paths.Of[slotReasoning] = scenario.Find(s.Reasoning)
	if word, alone := s.Done.Word(); alone && word != scenario.EndOfBody {
		d.done = word
		if jsonscan.Plain(word) {
			paths.Of[slotDone] = word
		}
	}
	return true
}

// events follows the stream that answers a turn. It is the Events of x's carrier.
type events struct {
	plan  *plan
	x     *exchange
	sse   sse.Parser
	lines ndjson.Parser
	next  int  // the number the next content should have
	ended bool // the terminal event came
}

// Begin is that of Events.
func (e *events) Begin() {
	e.sse.Reset()
	e.lines.Reset()
	e.next, e.ended = 0, false
}

// Feed is that of Events.
func (e *events) Feed(piece []byte) wire.Fault {
	switch d := &e.plan.dialect; {
	case d.text:
		e.append(piece)
		return wire.Fault{}
	case d.lines:
		return e.feedLines(piece)
	}
	for len(piece) > 0 && !e.ended {
		used, whole, err := e.sse.Next(piece, e.plan.Limits.Line)
		if err != nil {
			return wire.NewFault(Oversized, err.Error())
		}
		piece = piece[used:]
		if !whole {
			continue
		}
		f := e.take(string(e.sse.Name), e.sse.Data)
		e.sse.Clear()
		if f.Bad() {
			return f
		}
	}
	return wire.Fault{}
}

// feedLines takes a piece of a stream of JSON lines.
func (e *events) feedLines(piece []byte) wire.Fault {
	for len(piece) > 0 && !e.ended {
		used, whole, err := e.lines.Next(piece, e.plan.Limits.Line)
		if err != nil {
			return wire.NewFault(Oversized, err.Error())
		}
		piece = piece[used:]
		if !whole {
			continue
		}
		if f := e.take("", e.lines.Line); f.Bad() {
			return f
		}
	}
	return wire.Fault{}
}

// Ended is that of Events.
func (e *events) Ended() bool { return e.ended }

// End is that of Events.
func (e *events) End(whole bool) wire.Fault {
	if e.ended {
		return wire.Fault{}
	}
	if whole && e.plan.dialect.lines {
		if line, ok := e.lines.Rest(); ok {
			if f := e.take("", line); f.Bad() || e.ended {
				return f
			}
		}
	}
	if own := e.plan.read.own; whole && own != nil && own.endOfBody {
		e.ended = true
		if e.plan.dialect.text {
			return e.judgeText()
		}
		return wire.Fault{}
	}
	if whole && e.plan.dialect.openai && len(e.x.reply.Finish) > 0 {
		e.ended = true // the model was done, and all that was sent of it came: clients miss no [DONE]
		return wire.Fault{}
	}
	if e.plan.dialect.whole {
		return wire.NewFault(Truncated, "the stream ended without an event that is the answer")
	}
	return wire.NewFault(Truncated, "the stream ended without its terminal event"+e.plan.dialect.lacks())
}

// lacks names the terminal event of an API that is known.
func (d *dialect) lacks() string {
	switch {
	case d.custom:
		return "" // as the scenario has it: see wants
	case d.responses:
		return "; no response.completed came"
	case d.openai:
		return "; neither a finish_reason nor [DONE] came"
	}
	return "; no event done came"
}

// shownEvent is how much of an event that is wrong is kept to be shown.
const shownEvent = 4 << 10

// take takes one whole event. One that is wrong stands for the body of the answer.
func (e *events) take(name string, data []byte) wire.Fault {
	f := e.event(name, data)
	if f.Bad() {
		e.x.Body = bytes.Clone(data[:min(len(data), shownEvent)])
	}
	return f
}

// event takes one whole event.
func (e *events) event(name string, data []byte) wire.Fault {
	x, p := e.x, e.plan
	d := &p.dialect
	switch {
	case d.custom:
		return e.own(name, data)
	case d.responses:
		return e.response(name, data)
	}
	if d.openai && string(data) == "[DONE]" {
		e.ended = true
		if len(x.reply.Finish) == 0 {
			return wire.NewFault(Truncated, "[DONE] came without a finish_reason")
		}
		return wire.Fault{}
	}
	if idle(name, data) {
		e.ended = e.ended || name == "done" && !d.openai
		return wire.Fault{}
	}
	valid := d.lookup.Find(&x.scanner, data)
	switch {
	case name == errorEvent:
		return e.failedBy(data, valid)
	case !valid:
		return wire.NewFault(Malformed, "an event of the stream is not valid JSON")
	}
	x.transient = true
	p.read.fill(x, x.reply)
	f := failed(x, "error event")
	x.transient = false
	switch {
	case f.Bad():
		return f
	case !d.openai:
		return e.reference(x, name)
	}
	e.reasoning(x)
	e.content(x, &x.scanner.Values[slotDelta])
	if v := &x.scanner.Values[slotCallPieces]; isList(v) {
		x.model.piece(x.Done)
		if p.model.calls > 0 {
			return x.model.callPieces(v, p.Limits.Body)
		}
	}
	return wire.Fault{}
}

// reasoning notes that some of it came.
func (e *events) reasoning(x *exchange) {
	for slot := slotReasoning; slot <= slotReasoningOther; slot++ {
		if v := &x.scanner.Values[slot]; v.Kind == jsonscan.Text && len(v.Raw) > 0 {
			x.model.piece(x.Done)
			x.model.thought = true
			if x.thought == 0 {
				x.thought = x.Done
			}
		}
	}
}

// errorEvent is the name of an event that says that the server failed.
const errorEvent = "error"

// failedBy is the fault of an event of the name error.
func (e *events) failedBy(data []byte, valid bool) wire.Fault {
	x := e.x
	x.transient = true
	defer func() { x.transient = false }()
	if f := errorIn(x, "error event"); valid && len(data) > 0 && data[0] == '{' || len(data) == 0 {
		return f
	}
	return wire.NewFault(Malformed, "error event: "+wire.Visible(data))
}

// idle tells whether an event says nothing, but that the server is there: it has
// no data, or those or its name are what servers keep a connection alive with.
func idle(name string, data []byte) bool {
	switch {
	case name == errorEvent:
		return false
	case name != "" && keepsAlive(name):
		return true
	case len(data) > 0 && data[0] == '{':
		return false
	}
	data = bytes.TrimSpace(data)
	return len(data) == 0 || len(data) <= 16 && keepsAlive(string(data))
}

func keepsAlive(word string) bool {
	word = strings.ToLower(strings.Trim(word, ": "))
	return slices.Contains([]string{"ping", "pong", "heartbeat", "keepalive", "keep-alive", "keep_alive", "keep alive"}, word)
}

// reference handles the bundled server's events but for error: meta, delta, tier
// and done.
func (e *events) reference(x *exchange, name string) wire.Fault {
	v := x.scanner.Values
	switch name {
	case "delta":
		if i, ok := v[slotIndex].Count(); ok {
			if i != e.next {
				return wire.NewFault(Malformed, "events of the stream are missing or out of order")
			}
			e.next++
		}
		for slot := slotDelta; slot <= slotDeltaContent; slot++ {
			if v[slot].Kind == jsonscan.Text {
				e.content(x, &v[slot])
				break
			}
		}
	case "done":
		e.ended = true
	}
	return wire.Fault{}
}

// content appends a piece of the answer.
func (e *events) content(x *exchange, v *jsonscan.Value) {
	if v.Kind != jsonscan.Text || len(v.Raw) == 0 {
		return
	}
	if v.Escaped {
		x.answer = jsonscan.Unescape(x.answer, v.Raw)
	} else {
		x.answer = append(x.answer, v.Raw...)
	}
	x.timed()
}

// append appends a piece of the answer as it stands.
func (e *events) append(piece []byte) {
	if len(piece) == 0 {
		return
	}
	e.x.answer = append(e.x.answer, piece...)
	e.x.timed()
}

// timed notes that a piece of the answer came.
func (x *exchange) timed() {
	switch {
	case x.token == 0:
		x.token = x.Done
	case x.last > 0: // else the first of a further answer within the turn
		x.gaps = append(x.gaps, x.Done-x.last)
	}
	x.last = x.Done
	x.model.piece(x.Done)
}
