package driver

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/sse"
	"github.com/cstest/cstest/scenario"
)

// dialect is what the events of a stream mean.
type dialect struct {
	openai bool
	done   string // custom: the event that ends the stream, by name, data or path
	lookup jsonscan.Places
}

// Places in an event, beside those of a whole answer.
const (
	slotDelta = slotCount + iota
	slotDeltaOther
	slotDeltaContent
	slotIndex
	slotDetail
	slotTitle
	slotDone
	eventSlots
)

func newDialect(target *scenario.Target, answer map[int]string) (d dialect, ok bool) {
	switch target.API {
	case "", "reference", "article":
		answer[slotDelta], answer[slotDeltaOther], answer[slotDeltaContent] = "text", "delta", "content"
		answer[slotIndex], answer[slotDetail], answer[slotTitle] = "i", "detail", "title"
	case "openai":
		d.openai = true
		answer[slotDelta] = "choices.0.delta.content"
	case "custom":
		if target.Response.Stream == nil {
			return d, false
		}
		answer[slotDelta] = target.Response.Stream.Delta
		d.done = target.Response.Stream.Done
		if jsonscan.Plain(d.done) {
			answer[slotDone] = d.done
		}
	}
	d.lookup = jsonscan.Compile(answer)
	return d, true
}

// events follows one stream.
type events struct {
	sse   sse.Parser
	next  int  // the number the next content should have
	ended bool // the terminal event came
}

func (e *events) reset() {
	e.sse.Reset()
	e.next, e.ended = 0, false
}

// feed takes a piece of the stream that was read at x.done. After the terminal
// event everything is ignored.
func (e *events) feed(x *exchange, p *plan, span []byte) fault {
	for len(span) > 0 && !e.ended {
		used, whole, err := e.sse.Next(span, p.limits.line)
		if err != nil {
			return fault{Oversized, err.Error()}
		}
		span = span[used:]
		if !whole {
			continue
		}
		f := e.event(x, p)
		e.sse.Clear()
		if f.bad() {
			return f
		}
	}
	return fault{}
}

// end is called when no more bytes come.
func (e *events) end() fault {
	if e.ended {
		return fault{}
	}
	return fault{Truncated, "the stream ended without its terminal event"}
}

// event takes one whole event.
func (e *events) event(x *exchange, p *plan) fault {
	d := &p.dialect
	name, data := string(e.sse.Name), e.sse.Data
	if d.openai && string(data) == "[DONE]" || d.done != "" && (name == d.done || string(data) == d.done) {
		e.ended = true
		if d.openai || len(data) == 0 || data[0] != '{' {
			return fault{}
		}
	}
	if !d.lookup.Find(&x.scanner, data) {
		return fault{Malformed, "an event of the stream is not valid JSON"}
	}
	x.transient = true
	p.read.fill(x, x.reply)
	x.transient = false
	v := x.scanner.Values
	switch {
	case d.openai:
		if v[slotMessage].Kind != jsonscan.Nothing || v[slotCode].Kind != jsonscan.Nothing || v[slotCodeType].Kind != jsonscan.Nothing {
			return errorEvent(x, &v[slotMessage])
		}
	case d.done != "":
		if k := v[slotDone].Kind; k != jsonscan.Nothing && k != jsonscan.False && k != jsonscan.Null {
			e.ended = true
		}
	default:
		return e.reference(x, name)
	}
	e.content(x, &v[slotDelta])
	return fault{}
}

// reference handles the bundled server's events: meta, delta, tier, and one of
// done and error.
func (e *events) reference(x *exchange, name string) fault {
	v := x.scanner.Values
	switch name {
	case "delta":
		if i, ok := v[slotIndex].Count(); ok {
			if i != e.next {
				return fault{Malformed, "events of the stream are missing or out of order"}
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
	case "error":
		for _, slot := range []int{slotDetail, slotTitle} {
			if v[slot].Kind == jsonscan.Text {
				return errorEvent(x, &v[slot])
			}
		}
		return errorEvent(x, &v[slotCode])
	}
	return fault{}
}

// content appends a piece of the answer.
func (e *events) content(x *exchange, v *jsonscan.Value) {
	if v.Kind != jsonscan.Text || len(v.Raw) == 0 {
		return
	}
	if v.Escaped {
		x.bare = jsonscan.Unescape(x.bare, v.Raw)
	} else {
		x.bare = append(x.bare, v.Raw...)
	}
	if x.token == 0 {
		x.token = x.done
	} else {
		x.gaps = append(x.gaps, x.done-x.last)
	}
	x.last = x.done
}

func errorEvent(x *exchange, v *jsonscan.Value) fault {
	text := visible(x.string(v))
	if text == "" {
		return fault{Malformed, "error event"}
	}
	return fault{Malformed, "error event: " + text}
}

// visible gives the begin of somebody else's text for a message: what a terminal
// or an editor would obey, and not show, becomes a question mark.
func visible(text []byte) string {
	s := string(text)
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "")
	}
	return strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, s)
}
