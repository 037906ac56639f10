package wire

import "time"

const (
	startBuffer = 4 << 10
	// KeepBuffer is what a buffer may have grown to and still be used again.
	KeepBuffer = 64 << 10
)

// Exchange is one request on its way and what came back, as far as it is the
// carrier's business. Its memory serves one exchange after the other.
type Exchange struct {
	Values Values // what the request is filled with
	Events Events // takes the answer, where it is a stream of events

	Out   []byte // what was rendered of the request
	In    []byte // what was read
	Body  []byte // of the answer, inside In or plain
	plain []byte // the body decompressed

	Head     Head
	Streamed bool // the answer is a stream of events

	// State is the carrier's own, from one exchange to the next.
	State any

	Deadline time.Duration // this and the others: offsets from Target.Base
	Connect  time.Duration // how long opening a connection took
	Sent     time.Duration
	First    time.Duration // when the first byte of the answer came
	Done     time.Duration // when the last did
}

// Events takes a stream of events as it comes.
type Events interface {
	// Begin is called when the head of a stream came.
	Begin()
	// Feed takes a piece of it, which was read at the exchange's Done.
	Feed(piece []byte) Fault
	// Ended tells whether the terminal event came; all behind it is ignored.
	Ended() bool
	// End gives what it means that nothing more comes; whole tells that the answer
	// ended in good order, by its own length or as its connection did.
	End(whole bool) Fault
}

// Reset forgets the former exchange, but for what is to be sent and its memory.
func (x *Exchange) Reset() {
	x.Out, x.In, x.plain, x.Body = x.Out[:0], x.In[:0], x.plain[:0], nil
	x.Head.Reset()
	x.Streamed = false
	x.Connect, x.Sent, x.First, x.Done = 0, 0, 0, 0
}

// Reusable tells whether no buffer has grown so large that it is better given up.
func (x *Exchange) Reusable() bool {
	return cap(x.Out) <= KeepBuffer && cap(x.In) <= KeepBuffer && cap(x.plain) <= KeepBuffer
}

// Room makes sure that n bytes can be read behind x.In.
func (x *Exchange) Room(n int) {
	if cap(x.In)-len(x.In) >= n {
		return
	}
	grown := make([]byte, len(x.In), max(2*cap(x.In), len(x.In)+n, startBuffer))
	copy(grown, x.In)
	x.In = grown
}

// TooLarge is said of a body.
const TooLarge = "the body is larger than the limit"

// BeginBody says from the head how the body is to be taken as q asked for it. It
// refuses what is too large by its own word.
func (x *Exchange) BeginBody(q *Request, l *Limits) Fault {
	if x.Head.Length > int64(l.Body) {
		return NewFault(Oversized, TooLarge)
	}
	x.Streamed = q.Events && x.Head.Status == 200 && (x.Head.eventual || q.Lines)
	if !x.Streamed {
		return Fault{}
	}
	x.Events.Begin()
	if x.Head.encoding != identity {
		return NewFault(Malformed, "the stream is compressed, which nobody asked for")
	}
	return Fault{}
}
