package http1

import (
	"errors"
	"os"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// Upgrade sends q over a connection of its own and asks for another protocol on it.
// Where the server agrees the connection is the caller's, who closes it, and what came
// behind the head is x.In from x.Start on. Else the answer is in x, as RoundTrip leaves it.
func (h *Client) Upgrade(l *wire.Link, x *wire.Exchange, q *wire.Request) (*Switched, wire.Fault) {
	x.In, x.Start = x.In[:0], 0
	x.Out = q.Written.(*Form).Append(x.Out[:0], &x.Values) //nolint:forcetypeassert // this package alone puts it there
	now := h.target.Now()
	c, f := h.open(l, x, now)
	if f.Bad() {
		return nil, f
	}
	x.Peer = c.peer
	c.arm(h.target.Base, x.Deadline, h.target.Now())
	if h.halted.Load() {
		h.conns.drop(c)
		return nil, wire.Interruption()
	}
	r := headReader{switches: true}
	if f = h.ask(c, x, &r); f.Bad() {
		h.conns.drop(c)
		return nil, f
	}
	if x.Head.Status == 101 {
		x.Start = r.at
		return &Switched{conn: c, client: h}, wire.Fault{}
	}
	_, f = h.readBody(c, x, q, r.at)
	h.conns.drop(c)
	return nil, f
}

// Switched is a connection that speaks another protocol than HTTP by now. It is used
// by one goroutine at a time, but for Close.
type Switched struct {
	conn   *conn
	client *Client
}

// Peer is who is at the other end.
func (s *Switched) Peer() *wire.Peer { return s.conn.peer }

// Read reads into b what comes by until, at least a byte of it.
func (s *Switched) Read(b []byte, until time.Duration) (int, error) {
	c, h := s.conn, s.client
	now := h.target.Now()
	c.arm(h.target.Base, until, now)
	for {
		n, err := c.Read(b)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if h.target.Now() >= until || h.halted.Load() {
			return 0, err
		}
		h.rearm(c, until)
	}
}

// Write writes all of b by until.
func (s *Switched) Write(b []byte, until time.Duration) error {
	c, h := s.conn, s.client
	if c.raw == nil {
		c.armed = 0 // TLS cannot go on with a write that a deadline cut short
	}
	c.arm(h.target.Base, until, h.target.Now())
	for {
		n, err := c.Write(b)
		early := errors.Is(err, os.ErrDeadlineExceeded) && h.target.Now() < until
		if err == nil || !early || c.raw == nil || h.halted.Load() {
			return err
		}
		b = b[n:]
		h.rearm(c, until)
	}
}

// Take reads into b what has arrived, without waiting: os.ErrDeadlineExceeded where
// nothing has.
func (s *Switched) Take(b []byte) (int, error) { return s.conn.look.Take(b) }

// Descriptor calls f with the connection's, which is valid during the call.
func (s *Switched) Descriptor(f func(fd uintptr)) error { return s.conn.descriptor(f) }

// Halted tells whether Interrupt was called.
func (s *Switched) Halted() bool { return s.client.halted.Load() }

// Close closes the connection.
func (s *Switched) Close() { s.client.conns.drop(s.conn) }

// Buffers tells whether what has arrived may lie above the descriptor, which then
// says nothing of it.
func (s *Switched) Buffers() bool { return s.conn.raw == nil }
