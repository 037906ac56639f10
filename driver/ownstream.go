package driver

import (
	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// own takes an event of a custom API, or a message with a piece of an answer.
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
		clear(x.scanner.Values)
		x.look.JSON = nil
		f := e.unread(name, data)
		_, near := own.done.Reach(&x.look)
		e.pass(near, name, data)
		return f
	}
	passed := own.answers.Named() && !own.answers.Hold(&x.look)
	if f := e.judge(name, data, !passed); f.Bad() {
		x.again = x.again || e.plan.session.says(x, data)
		return f
	}
	done, near := own.done.Reach(&x.look)
	switch {
	case d.whole && !passed:
		return e.only(data)
	case done || saysDone(&x.scanner.Values[slotDone]):
		e.ended = true
	}
	e.pass(near, name, data)
	if passed {
		return wire.Fault{}
	}
	if !own.reasoningWhen.Named() || own.reasoningWhen.Hold(&x.look) {
		e.reasoning(x)
	}
	if !own.deltaWhen.Named() || own.deltaWhen.Hold(&x.look) {
		e.delta(name, data)
	}
	return wire.Fault{}
}

// unread takes an event whose data are no JSON. What has no piece of the answer in it
// may be anything.
func (e *events) unread(name string, data []byte) wire.Fault {
	x, d, own := e.x, &e.plan.dialect, e.plan.read.own
	passed := own.answers.In(&x.look) == find.Fails || own.deltaWhen.In(&x.look) == find.Fails
	switch {
	case name == errorEvent:
		return e.failedBy(data, false)
	case own.fails.Hold(&x.look):
		return e.judge(name, data, false)
	case own.done.Hold(&x.look):
		e.ended = true
	case d.whole && own.answers.Hold(&x.look):
		return e.only(data)
	case string(data) == "[DONE]": // gateways say so however their upstream ended
	case d.plain || d.delta.Named():
		if !passed {
			e.delta(name, data)
		}
	case idle(name, data):
	case d.whole || passed:
	default:
		return wire.NewFault(Malformed, "an event of the stream is not valid JSON")
	}
	return wire.Fault{}
}

// pass notes an event that came so near to ending the answer, and does not.
func (e *events) pass(near find.Reach, name string, data []byte) {
	if e.ended || idle(name, data) {
		return
	}
	if e.plan.dialect.whole {
		_, near = e.plan.read.own.answers.Reach(&e.x.look)
	}
	e.x.passed.note(e.plan.wants.end, near, data)
}

// delta takes the piece of the answer that an event has.
func (e *events) delta(name string, data []byte) {
	x, d := e.x, &e.plan.dialect
	switch {
	case d.plain:
		if name == "" || !keepsAlive(name) {
			e.append(data)
		}
	case d.delta.Named():
		e.append(d.delta.In(&x.look).Text)
	default:
		e.content(x, &x.scanner.Values[slotDelta])
	}
}

// only takes the one event that is the whole answer.
func (e *events) only(data []byte) wire.Fault {
	x := e.x
	x.transient = true
	defer func() { x.transient = false }()
	e.ended = true
	x.timed()
	x.event = x.name
	return e.plan.read.take(x, x.reply, x.Head.Status, data)
}

// judgeText looks into a body that was the answer as it came.
func (e *events) judgeText() wire.Fault {
	x := e.x
	x.look = find.Answer{Head: &x.Head, Body: x.answer}
	if e.plan.dialect.lookup.Find(&x.scanner, x.answer) {
		x.look.JSON = x.scanner.Values
	} else {
		clear(x.scanner.Values)
	}
	return e.judge("", x.answer, true)
}

// judge tells whether an event is an error, and keeps what is looked for in it, where
// it is of the answer.
func (e *events) judge(name string, data []byte, ours bool) wire.Fault {
	x, read := e.x, &e.plan.read
	x.transient = true
	defer func() { x.transient = false }()
	if name == errorEvent && !e.ended && !read.own.fails.Named() {
		return e.failedBy(data, true)
	}
	if ours {
		read.fill(x, x.reply)
	}
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
