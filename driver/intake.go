package driver

// intake moves a body from the bytes of its connection to where it is wanted:
// to the events of a stream, or together in one piece.
type intake struct {
	plan      *plan
	streaming bool
	keepAll   bool // somebody wants to see the stream as it came
	from      int  // where the body begins in x.in
	end       int  // where the body so far ends
	raw       int  // where the bytes not yet looked at begin
	total     int  // bytes of body
}

// newIntake begins behind a head. It refuses what is too large by its own word.
func newIntake(p *plan, x *exchange, q *request, from int) (intake, fault) {
	in := intake{plan: p, from: from, end: from, raw: from}
	x.framing.start(&x.head, q.method)
	if x.head.length > int64(p.limits.body) {
		return in, fault{Oversized, "the body is larger than the limit"}
	}
	x.streamed = q.events && x.head.status == 200 && x.head.eventual
	if x.streamed {
		in.streaming, in.keepAll = true, p.opts.Capture != nil
		x.events.reset()
		if x.head.encoding != identity {
			return in, fault{Malformed, "the stream is compressed, which nobody asked for"}
		}
	}
	return in, fault{}
}

// take looks at everything read so far.
func (in *intake) take(x *exchange) fault {
	for in.raw < len(x.in) && !x.framing.done {
		span, used, f := x.framing.next(x.in[in.raw:])
		if f.bad() {
			return f
		}
		in.raw += used
		if f := in.add(x, span); f.bad() {
			return f
		}
	}
	return fault{}
}

// add takes a piece of body that lies before in.raw in x.in.
func (in *intake) add(x *exchange, span []byte) fault {
	if in.total += len(span); in.total > in.plan.limits.body {
		return fault{Oversized, "the body is larger than the limit"}
	}
	if in.streaming {
		if f := x.events.feed(x, in.plan, span); f.bad() {
			return f
		}
		if !in.keepAll {
			return fault{}
		}
	}
	// Chunks are moved together in place; other bodies stay where they are.
	if len(span) > 0 && &x.in[in.end] != &span[0] {
		copy(x.in[in.end:], span)
	}
	in.end += len(span)
	return fault{}
}

// compact makes room for the next read: what is not body is not needed again.
func (in *intake) compact(x *exchange) {
	x.in, in.raw = x.in[:in.end], in.end
	room := 1 << 10
	if left := x.framing.left; !x.framing.chunked && left > 0 {
		room = int(min(left, 64<<10))
	}
	x.room(room)
}

// finish gives the whole body.
func (in *intake) finish(x *exchange) fault {
	x.body = x.in[in.from:in.end]
	return in.plan.limits.decompress(x)
}

// broken says what the end of the connection means for the body: without a
// length it is how the body ends.
func (in *intake) broken(x *exchange, f fault) fault {
	closed := f == fault{Broken, closedEarly}
	switch {
	case in.streaming && f.reason == Broken:
		return x.events.end()
	case closed && !in.streaming && x.framing.left < 0:
		return in.finish(x)
	}
	return f
}
