// Package http1 carries requests over HTTP/1.1, one at a time on a connection,
// in the goroutine that asks, and without allocating on a kept connection.
package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// Client carries requests to one target. It is safe for concurrent use.
type Client struct {
	target *wire.Target
	conns  registry
	pool   *pool     // where the policy is shared
	shared wire.Link // and what connections share then
	ctx    context.Context
	cancel context.CancelFunc
	halted atomic.Bool
	wary   atomic.Bool // the server closes connections at once, and does not say so
}

// New gives a client of t. It opens no connection.
func New(t *wire.Target) *Client {
	h := &Client{target: t}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if t.Connections == scenario.Shared {
		h.pool = newPool(t.Pool)
		h.shared.Sessions = &wire.Sessions{}
	}
	return h
}

// Interrupt ends every RoundTrip, those to come as well.
func (h *Client) Interrupt() {
	h.halted.Store(true)
	h.cancel()
	h.conns.interrupt()
}

// Interrupted is closed by Interrupt.
func (h *Client) Interrupted() <-chan struct{} { return h.ctx.Done() }

// Connections tells how many are open.
func (h *Client) Connections() int { return int(h.conns.count.Load()) }

// Close closes every connection.
func (h *Client) Close() error {
	h.Interrupt()
	h.conns.close()
	return nil
}

// Compile makes q ready to be sent.
func (h *Client) Compile(q *wire.Request) { q.Written = NewForm(q, h.target) }

// RoundTrip sends q, filled with x's values, and reads the answer into x.
func (h *Client) RoundTrip(l *wire.Link, x *wire.Exchange, q *wire.Request) wire.Fault {
	x.In, x.Start = x.In[:0], 0
	x.Out = q.Written.(*Form).Append(x.Out[:0], &x.Values) //nolint:forcetypeassert // this package alone puts it there
	c, f := h.acquire(l, x)
	if f.Bad() {
		return f
	}
	x.Peer = c.peer
	keep, f := h.talk(c, x, q)
	h.release(l, c, keep && !f.Bad())
	return f
}

// acquire gives the connection the policy says, a new one where there is none.
func (h *Client) acquire(l *wire.Link, x *wire.Exchange) (*conn, wire.Fault) {
	var c *conn
	if h.pool != nil {
		var f wire.Fault
		if c, f = h.pool.get(h.ctx, h.target.Base.Add(x.Deadline)); f.Bad() {
			return nil, f
		}
	} else {
		c, _ = l.Held.(*conn)
		l.Held = nil
	}
	now := h.target.Now()
	if c != nil && h.closed(c, now) {
		h.conns.drop(c)
		c = nil
	}
	if c == nil {
		var f wire.Fault
		if c, f = h.open(l, x, now); f.Bad() {
			if h.pool != nil {
				h.pool.put(nil)
			}
			return nil, f
		}
		now = h.target.Now()
	}
	if c.raw == nil {
		// TLS cannot go on with a write that a deadline cut short.
		c.armed = 0
	}
	c.arm(h.target.Base, x.Deadline, now)
	if h.halted.Load() {
		h.release(l, c, false)
		return nil, wire.Interruption()
	}
	return c, wire.Fault{}
}

// fresh is how soon behind its last answer a connection is used again without
// being looked at: what its server did meanwhile had hardly time to arrive, and the
// look, a system call, is a third of what such a turn costs. A server that closes
// behind every answer does so behind the first, which is always looked behind; of one
// that was caught at it later no connection is fresh any more.
const fresh = time.Millisecond

// closed looks at a kept connection before it is used again: what the server has
// closed is not written to. This is the only place where that is decided.
func (h *Client) closed(c *conn, now time.Duration) bool {
	soon := c.answers > 0 && now-c.idle <= fresh
	if soon && c.answers > 1 && !h.wary.Load() {
		return false
	}
	over := c.look.Closed()
	if over && soon {
		h.wary.Store(true)
	}
	return over
}

func (h *Client) release(l *wire.Link, c *conn, keep bool) {
	if !keep || h.target.Connections == scenario.PerTurn {
		h.conns.drop(c)
		c = nil
	}
	if h.pool != nil {
		h.pool.put(c)
		return
	}
	if c != nil {
		l.Held = c
	}
}

// talk writes the request and reads the answer. keep tells whether the
// connection can carry another.
func (h *Client) talk(c *conn, x *wire.Exchange, q *wire.Request) (keep bool, f wire.Fault) {
	var r headReader
	if f = h.ask(c, x, &r); f.Bad() {
		return false, f
	}
	return h.readBody(c, x, q, r.at)
}

// ask writes the request and reads the head of the answer, with r.
func (h *Client) ask(c *conn, x *wire.Exchange, r *headReader) wire.Fault {
	sent := h.target.Now()
	if x.Sent == 0 {
		x.Sent = sent
	}
	had, f := h.send(c, x, sent)
	if f.Bad() {
		return f
	}
	x.Head.Reset()
	for done := false; !done; had = false {
		if !had {
			x.Room(512)
			f = h.readSome(c, x, sent)
		}
		if !f.Bad() {
			f, done = r.read(x.In, &x.Head, &h.target.Limits)
		}
		if f.Bad() {
			x.Head.Reset()
			return f
		}
	}
	return wire.Fault{}
}

// send writes the request; had tells that it read the begin of the answer, too.
func (h *Client) send(c *conn, x *wire.Exchange, now time.Duration) (had bool, f wire.Fault) {
	out := x.Out
	if c.swappable(now) { //nolint:nestif // the branches are those of one exchange
		x.Room(512)
		wrote, n, err := c.exchange(out, x.In[:cap(x.In)])
		if n > 0 {
			x.Done = h.target.Now()
			if x.First == 0 {
				x.First = x.Done
			}
			x.In = x.In[:n]
			return true, wire.Fault{}
		}
		early := errors.Is(err, os.ErrDeadlineExceeded) && h.target.Now() < x.Deadline
		if err != nil && !early {
			return false, h.lost(c, x, err, true)
		}
		// A deadline of an earlier turn, or a full socket: go on where it stopped.
		if early {
			h.rearm(c, x.Deadline)
		}
		if out = out[wrote:]; len(out) == 0 {
			return false, wire.Fault{}
		}
	}
	for {
		n, err := c.Write(out)
		if err == nil {
			return false, wire.Fault{}
		}
		early := errors.Is(err, os.ErrDeadlineExceeded) && h.target.Now() < x.Deadline
		if !early || c.raw == nil || h.halted.Load() {
			return false, h.lost(c, x, err, true)
		}
		out = out[n:]
		h.rearm(c, x.Deadline)
	}
}

// rearm replaces a deadline that fired too early.
func (h *Client) rearm(c *conn, until time.Duration) {
	c.armed = 0
	c.arm(h.target.Base, until, h.target.Now())
	// Interrupt says so before it sets a deadline in the past; the order here is
	// the reverse, so that one of the two is seen.
	if h.halted.Load() {
		c.SetDeadline(past) //nolint:errcheck // as in arm
	}
}

// readSome reads once and notes when. now is a time not long ago.
func (h *Client) readSome(c *conn, x *wire.Exchange, now time.Duration) wire.Fault {
	n, err := h.read(c, x, now)
	x.Done = h.target.Now()
	if n > 0 {
		if x.First == 0 {
			x.First = x.Done
		}
		x.In = x.In[:len(x.In)+n]
		return wire.Fault{}
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return h.lost(c, x, err, len(x.In) == 0)
}

// read reads behind x.in. A deadline armed for an earlier turn is not this one's.
func (h *Client) read(c *conn, x *wire.Exchange, now time.Duration) (int, error) {
	until := x.Deadline
	if stall := h.target.Limits.Stall; stall > 0 && len(x.In) > 0 {
		until = min(until, now+stall)
		c.arm(h.target.Base, until, now)
	}
	for {
		n, err := c.Read(x.In[len(x.In):cap(x.In)])
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		now = h.target.Now()
		if now >= until || h.halted.Load() {
			return 0, err
		}
		h.rearm(c, until)
	}
}

// lost says what an error of the connection means for the turn; silent tells
// that nothing of the answer had come.
func (h *Client) lost(c *conn, x *wire.Exchange, err error, silent bool) wire.Fault {
	if x.Done == 0 {
		x.Done = h.target.Now()
	}
	if h.halted.Load() {
		return wire.Interruption()
	}
	f := wire.IOFault(err)
	if f.Reason == wire.Broken && silent && c.answers > 0 {
		h.wary.Store(h.wary.Load() || x.Sent-c.idle <= fresh)
		f.Message = "kept connection closed by the server"
	}
	if f.Reason == wire.TimedOut && !silent && x.Done < x.Deadline {
		f.Message = "the answer stalled"
	}
	return f
}

// readBody reads the body that begins at from in x.in and gives it as x.body,
// or its events to x.Events.
func (h *Client) readBody(c *conn, x *wire.Exchange, q *wire.Request, from int) (keep bool, f wire.Fault) {
	in, f := newIntake(h.target, x, q, from)
	defer x.Finish()
	if f.Bad() {
		return false, f
	}
	if h.target.Verbatim {
		x.Start = from
		defer func() {
			if f.Bad() && x.Body == nil {
				x.Body = x.In[in.from:in.end]
			}
		}()
	}
	for {
		if f = in.take(); f.Bad() {
			return false, f
		}
		if in.bounds.done || x.Streamed && x.Events.Ended() {
			break
		}
		in.compact()
		if f := h.readSome(c, x, x.Done); f.Bad() {
			return false, in.broken(f)
		}
	}
	if x.Streamed {
		keep, f = h.afterStream(c, x, &in)
	} else {
		keep, f = in.raw == len(x.In), in.finish()
	}
	c.idle = x.Done
	c.answers++
	return keep && !x.Head.Closing, f
}

// linger is how long the end of a body is waited for when the last event of its
// stream is there: the connection is worth that much, the turn is over.
const linger = 100 * time.Millisecond

func (h *Client) afterStream(c *conn, x *wire.Exchange, in *intake) (keep bool, f wire.Fault) {
	if f := x.End(true); f.Bad() {
		return true, f
	}
	over := x.Done
	x.Body = x.In[in.from:in.end]
	x.Deadline = min(x.Deadline, over+linger)
	c.arm(h.target.Base, x.Deadline, over)
	for !in.bounds.done && !f.Bad() {
		in.compact()
		if f = h.readSome(c, x, x.Done); !f.Bad() {
			f = in.take()
		}
	}
	x.Done = over
	return !f.Bad() && in.raw == len(x.In), wire.Fault{}
}

// Leave gives up the connection that l holds.
func (h *Client) Leave(l *wire.Link) {
	if c, ok := l.Held.(*conn); ok {
		h.conns.drop(c)
		l.Held = nil
	}
}

// Prepare opens n of the shared connections.
func (h *Client) Prepare(n int) error {
	n = min(n, cap(h.pool.places))
	for range n {
		c, f := h.pool.get(h.ctx, time.Now())
		if f.Bad() {
			return nil // they are in use, so they are open
		}
		if c == nil {
			now := h.target.Now()
			x := wire.Exchange{Deadline: now + h.target.Timeout}
			if c, f = h.open(nil, &x, now); f.Bad() {
				h.pool.put(nil)
				return fmt.Errorf("connect to %s: %s", h.target.Address, f.Message)
			}
		}
		h.pool.put(c)
	}
	return nil
}
