package driver

import (
	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// own takes an event of a custom API.
func (e *events) own(name string, data []byte) wire.Fault {
	x, d, own := e.x, &e.plan.dialect, e.plan.read.own
	if d.done != "" && (name == d.done || string(data) == d.done) {
		if e.ended = true; len(data) == 0 || data[0] != '{' {
			return wire.Fault{}
		}
	}
	valid := d.lookup.Find(&x.scanner, data)
	if len(data) == 0 {
		clear(x.scanner.Values)
		valid = true
	}
	x.look = find.Answer{JSON: x.scanner.Values, Head: &x.Head, Body: data, Event: append(x.name[:0], name...)}
	x.name = x.look.Event
	if !valid {
		// What has no piece of the answer in it may be anything.
		x.look.JSON = nil
		switch {
		case name == errorEvent:
			return e.failedBy(data, false)
		case own.done.Hold(&x.look):
			e.ended = true
		case idle(name, data):
		case string(data) == "[DONE]": // gateways say so however their upstream ended
		case own.deltaWhen.In(&x.look) != find.Fails:
			return wire.NewFault(Malformed, "an event of the stream is not valid JSON")
		}
		return wire.Fault{}
	}
	if f := e.judge(name, data); f.Bad() {
		x.again = x.again || e.plan.session.says(x, data)
		return f
	}
	if own.done.Hold(&x.look) || saysDone(&x.scanner.Values[slotDone]) {
		e.ended = true
	}
	if !own.reasoningWhen.Named() || own.reasoningWhen.Hold(&x.look) {
		e.reasoning(x)
	}
	if !own.deltaWhen.Named() || own.deltaWhen.Hold(&x.look) {
		e.content(x, &x.scanner.Values[slotDelta])
	}
	return wire.Fault{}
}

// judge tells whether an event is an error, and keeps what is looked for in it.
func (e *events) judge(name string, data []byte) wire.Fault {
	x, read := e.x, &e.plan.read
	x.transient = true
	defer func() { x.transient = false }()
	if name == errorEvent && !e.ended && !read.own.fails.Named() {
		return e.failedBy(data, true)
	}
	read.fill(x, x.reply)
	if f := read.failed(x, x.reply, "error event"); f.Bad() {
		return f
	}
	if name == errorEvent && !e.ended {
		return e.failedBy(data, true)
	}
	if !x.reply.OK {
		if x.reply.Said != "" {
			return wire.NewFault(Malformed, x.reply.Said)
		}
		return wire.NewFault(Malformed, "response.ok is not true")
	}
	return wire.Fault{}
}

// saysDone tells whether the value at response.stream.done is one.
func saysDone(v *jsonscan.Value) bool {
	return v.Kind != jsonscan.Nothing && v.Kind != jsonscan.False && v.Kind != jsonscan.Null
}
