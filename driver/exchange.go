package driver

import (
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// exchange is all the memory a turn needs while it is in flight, taken from a
// pool and given back by Free.
type exchange struct {
	wire.Exchange
	values values

	text    []byte // strings without their escapes
	answer  []byte // of a stream
	gaps    []time.Duration
	scanner jsonscan.Scanner
	look    find.Answer // what conditions and places of the scenario are looked for in
	events  events
	reply   *Reply
	asked   []byte // the request of the answer to show, where somebody looks
	notes   []byte // what the agents' sockets said of the turn, where somebody looks

	found     Places // in the answer so far
	transient bool   // what the scanner found is overwritten soon
	name      []byte // of the last event
	taken     int    // bytes of messages that the turn's answer came in
	event     []byte // the name of the message in Body, of a socket that has such
	again     bool   // an event said that the login has run out
	passed    passed // what came and was not waited for

	model answered // the model's answer under way

	over  time.Duration // when agents had dealt with the turn
	token time.Duration // when the first content of a stream came
	last  time.Duration // when the content before did
	// thought is when the first of the model's reasoning came.
	thought time.Duration
}

// exchanges are those of one target.
type exchanges struct {
	plan *plan
	pool sync.Pool
}

func (e *exchanges) get() *exchange {
	if x, ok := e.pool.Get().(*exchange); ok {
		return x
	}
	x := &exchange{scanner: jsonscan.Scanner{Values: make([]jsonscan.Value, e.plan.slots)}}
	x.Out = make([]byte, 0, 512)
	x.Values = wire.Values{Of: &x.values}
	x.Head.Keep = e.plan.heads
	x.events.plan, x.events.x = e.plan, x
	x.Events = &x.events
	return x
}

func (e *exchanges) put(x *exchange) {
	if !x.Reusable() || cap(x.text) > wire.KeepBuffer || cap(x.answer) > wire.KeepBuffer || cap(x.model.items) > wire.KeepBuffer {
		return
	}
	x.values, x.model.calls = values{}, nil
	x.Body, x.reply, x.notes, x.event, x.look = nil, nil, nil, nil, find.Answer{}
	x.scanner.Forget()
	e.pool.Put(x)
}

// begin forgets the former turn, or the login before this one.
func (x *exchange) begin() {
	x.Reset()
	x.text, x.answer, x.gaps, x.notes = x.text[:0], x.answer[:0], x.gaps[:0], nil
	x.event, x.taken = nil, 0
	x.passed.forget()
	x.found, x.again, x.over, x.token, x.last, x.thought = 0, false, 0, 0, 0, 0
	x.model.begin()
}
