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
	Start int    // where the body begins in In; 0: In has no head
	Body  []byte // of the answer, inside In or plain
	plain []byte // the body decompressed, or a stream so far where a person looks

	Head     Head
	Streamed bool // the answer is a stream of events
	accept   Accept
	flow     *flow // of a stream that is compressed

	// Peer is who was asked last; nil where no connection came about.
	Peer *Peer

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
	x.Streamed, x.Peer = false, nil
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

// BeginBody says from the head how the body of q's answer is to be taken. It
// refuses what is too large by its own word. Finish comes after it.
func (x *Exchange) BeginBody(q *Request, t *Target) Fault {
	if x.Head.Length > int64(t.Limits.Body) {
		return NewFault(Oversized, TooLarge)
	}
	x.accept, x.plain = q.Accept, x.plain[:0]
	x.Streamed = q.Events && x.Head.Status == 200 && (x.Head.eventual || q.Lines)
	if !x.Streamed {
		return Fault{}
	}
	x.Events.Begin()
	if x.Head.codings.none() {
		return Fault{}
	}
	if f := x.Head.codings.readable(x.accept); f.Bad() {
		return f
	}
	x.flow = newFlow(x, t)
	return Fault{}
}

// Feed hands a piece of a stream to Events, its coding undone.
func (x *Exchange) Feed(piece []byte) Fault {
	if x.flow == nil || x.Events.Ended() {
		return x.Events.Feed(piece)
	}
	return x.flow.feed(piece)
}

// End gives what it means that no more of a stream comes; whole is that of Events.
func (x *Exchange) End(whole bool) Fault {
	if x.flow != nil && !x.Events.Ended() {
		if f := x.flow.end(); f.Bad() {
			return f
		}
		whole = whole && !x.flow.cut
	}
	return x.Events.End(whole)
}

// Finish ends what BeginBody began.
func (x *Exchange) Finish() {
	if x.flow != nil {
		x.flow.stop()
		x.flow = nil
	}
}

// Legible is the answer's body as a person reads it: raw, or decompressed.
func (x *Exchange) Legible(raw []byte) []byte {
	if len(x.plain) > 0 {
		return x.plain
	}
	return raw
}

// Unread says what may be why a body that was taken as it stands is none; empty
// where nothing is known of it.
func (x *Exchange) Unread() string {
	switch c := &x.Head.codings; {
	case c.unknown:
		return "its content-encoding is none of gzip, deflate, br and zstd"
	case c.cut:
		return "it ends before its " + c.list[c.n-1].String() + " does"
	}
	return ""
}
