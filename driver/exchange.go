package driver

import (
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
)

const (
	startBuffer = 4 << 10
	// keepBuffer is what a buffer may have grown to and still be used again.
	keepBuffer = 64 << 10
)

// exchange is one request on its way and what came back: all the memory a turn
// needs while it is in flight, taken from a pool and given back by Free.
type exchange struct {
	values

	out  []byte // the request as sent
	in   []byte // what was read
	body []byte // the body, inside in or plain
	text []byte // strings without their escapes
	bare []byte // the body decompressed
	gaps []time.Duration

	scanner jsonscan.Scanner
	head    head
	framing framing
	events  events
	stream  stream
	reply   *Reply

	notes []byte // what the agents' sockets said of the turn, where somebody looks

	streamed  bool // the answer is a stream of events
	transient bool // what the scanner found is overwritten soon

	deadline time.Duration // offset from Options.Base
	connect  time.Duration
	sent     time.Duration
	first    time.Duration
	done     time.Duration
	over     time.Duration // when agents had dealt with the turn
	token    time.Duration
	last     time.Duration // of the content before
}

type exchanges struct{ pool sync.Pool }

func (e *exchanges) get() *exchange {
	if x, ok := e.pool.Get().(*exchange); ok {
		return x
	}
	return &exchange{
		out:     make([]byte, 0, 512),
		scanner: jsonscan.Scanner{Values: make([]jsonscan.Value, eventSlots)},
	}
}

func (e *exchanges) put(x *exchange) {
	if cap(x.out) > keepBuffer || cap(x.in) > keepBuffer || cap(x.text) > keepBuffer || cap(x.bare) > keepBuffer {
		return
	}
	x.values = values{}
	x.body, x.reply, x.notes = nil, nil, nil
	x.scanner.Forget()
	x.stream = stream{wake: x.stream.wake}
	e.pool.Put(x)
}

// begin forgets the former exchange.
func (x *exchange) begin() {
	x.out, x.in, x.text, x.bare, x.body, x.gaps = x.out[:0], x.in[:0], x.text[:0], x.bare[:0], nil, x.gaps[:0]
	x.notes = nil
	x.head.reset()
	x.streamed = false
	x.connect, x.sent, x.first, x.done, x.over, x.token, x.last = 0, 0, 0, 0, 0, 0, 0
}

// room makes sure that n bytes can be read behind x.in.
func (x *exchange) room(n int) {
	if cap(x.in)-len(x.in) >= n {
		return
	}
	grown := make([]byte, len(x.in), max(2*cap(x.in), len(x.in)+n, startBuffer))
	copy(grown, x.in)
	x.in = grown
}
