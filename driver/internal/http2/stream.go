package http2

import (
	"github.com/cstest/cstest/driver/internal/wire"
)

// stream is an exchange on a mux. It is the exchange's State, and serves one
// request after the other as that does.
type stream struct {
	*wire.Exchange

	id          uint32
	request     *wire.Request
	form        *form
	prev, next  *stream // by deadline
	wake        chan struct{}
	fault       wire.Fault
	pending     []byte // of the request's body
	window      int64
	answered    bool // the head came
	written     bool // or being written
	unprocessed bool // the server says that it has not begun with it, or nothing was written
	refused     bool // the server said so of this stream alone
	full        bool // it was not begun: the peer allows no more streams
	interim     int
	total       int
}

// reset makes s ready for sending q; without one it forgets the former.
func (s *stream) reset(x *wire.Exchange, q *wire.Request) {
	*s = stream{Exchange: x, wake: s.wake}
	if q != nil {
		s.request, s.form = q, q.Written.(*form) //nolint:forcetypeassert // this package alone puts it there
	}
}

// take takes a piece of the body.
func (s *stream) take(p []byte, t *wire.Target) wire.Fault {
	if s.total += len(p); s.total > t.Limits.Body {
		return wire.NewFault(wire.Oversized, wire.TooLarge)
	}
	if s.Streamed {
		if f := s.Feed(p); f.Bad() || !t.Verbatim {
			return f
		}
	}
	s.In = append(s.In, p...)
	return wire.Fault{}
}
