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
	lines  bool   // a JSON document a line, in place of server-sent events
	done   string // custom: one word for the event that ends the stream: its name, its data or a path
	lookup jsonscan.Places
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
		answer[slotDelta] = "choices.0.delta.content"
		answer[slotReasoning], answer[slotReasoningOther] = "choices.0.delta.reasoning_content", "choices.0.delta.reasoning"
	case scenario.APICustom:
		if target.Response.Stream == nil {
			return d, false
		}
		d.custom, d.lines = true, target.Response.Stream.Format == scenario.StreamNDJSON
		_, answer[slotDelta] = scenario.Find(target.Response.Stream.Delta)
		_, answer[slotReasoning] = scenario.Find(target.Response.Stream.Reasoning)
		if word, alone := target.Response.Stream.Done.Word(); alone && word != scenario.EndOfBody {
			d.done = word
			if jsonscan.Plain(word) {
				answer[slotDone] = word
			}
		}
	}
	d.lookup = jsonscan.Compile(answer)
	return d, true
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
	if e.plan.dialect.lines {
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
		f := e.event(string(e.sse.Name), e.sse.Data)
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
		if f := e.event("", e.lines.Line); f.Bad() {
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
			if f := e.event("", line); f.Bad() || e.ended {
				return f
			}
		}
	}
	if own := e.plan.read.own; whole && own != nil && own.endOfBody {
		e.ended = true
		return wire.Fault{}
	}
	if whole && e.plan.dialect.openai && len(e.x.reply.Finish) > 0 {
		e.ended = true // the model was done, and all that was sent of it came: clients miss no [DONE]
		return wire.Fault{}
	}
	return wire.NewFault(Truncated, "the stream ended without its terminal event")
}

// event takes one whole event.
func (e *events) event(name string, data []byte) wire.Fault {
	x, p := e.x, e.plan
	d := &p.dialect
	if d.custom {
		return e.own(name, data)
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
	return wire.Fault{}
}

// reasoning notes when the first of it came.
func (e *events) reasoning(x *exchange) {
	if x.thought > 0 {
		return
	}
	for slot := slotReasoning; slot <= slotReasoningOther; slot++ {
		if v := &x.scanner.Values[slot]; v.Kind == jsonscan.Text && len(v.Raw) > 0 {
			x.thought = x.Done
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
	if x.token == 0 {
		x.token = x.Done
	} else {
		x.gaps = append(x.gaps, x.Done-x.last)
	}
	x.last = x.Done
}
