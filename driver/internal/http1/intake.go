package http1

import (
	"github.com/cstest/cstest/driver/internal/wire"
)

// intake moves a body from the bytes of its connection to where it is wanted:
// to the events of a stream, or together in one piece.
type intake struct {
	target *wire.Target
	x      *wire.Exchange
	bounds delimiter
	from   int // where the body begins in x.In
	end    int // where the body so far ends
	raw    int // where the bytes not yet looked at begin
	total  int // bytes of body
}

// newIntake begins behind a head. It refuses what is too large by its own word.
func newIntake(t *wire.Target, x *wire.Exchange, q *wire.Request, from int) (intake, wire.Fault) {
	in := intake{target: t, x: x, from: from, end: from, raw: from}
	in.bounds.start(&x.Head, q.Method)
	return in, x.BeginBody(q, t)
}

// take looks at everything read so far.
func (in *intake) take() wire.Fault {
	for in.raw < len(in.x.In) && !in.bounds.done {
		span, used, f := in.bounds.next(in.x.In[in.raw:])
		if f.Bad() {
			return f
		}
		in.raw += used
		if f := in.add(span); f.Bad() {
			return f
		}
	}
	return wire.Fault{}
}

// add takes a piece of body that lies before in.raw in x.In.
func (in *intake) add(span []byte) wire.Fault {
	if in.total += len(span); in.total > in.target.Limits.Body {
		return wire.NewFault(wire.Oversized, wire.TooLarge)
	}
	if in.x.Streamed {
		if f := in.x.Feed(span); f.Bad() {
			return f
		}
		if !in.target.Verbatim {
			return wire.Fault{}
		}
	}
	// Chunks are moved together in place; other bodies stay where they are.
	if len(span) > 0 && &in.x.In[in.end] != &span[0] {
		copy(in.x.In[in.end:], span)
	}
	in.end += len(span)
	return wire.Fault{}
}

// compact makes room for the next read: what is not body is not needed again.
func (in *intake) compact() {
	in.x.In, in.raw = in.x.In[:in.end], in.end
	room := 1 << 10
	if left := in.bounds.left; !in.bounds.chunked && left > 0 {
		room = int(min(left, 64<<10))
	}
	in.x.Room(room)
}

// finish gives the whole body.
func (in *intake) finish() wire.Fault {
	in.x.Body = in.x.In[in.from:in.end]
	return in.x.Decompress(&in.target.Limits)
}

// broken says what the end of the connection means for the body: without a
// length it is how the body ends.
func (in *intake) broken(f wire.Fault) wire.Fault {
	closed := f == wire.NewFault(wire.Broken, wire.ClosedEarly)
	switch {
	case in.x.Streamed && f.Reason == wire.Broken:
		return in.x.End(closed && in.bounds.left < 0)
	case closed && !in.x.Streamed && in.bounds.left < 0:
		return in.finish()
	}
	return f
}
