package driver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// quiet is how long a kept connection may have been idle before it is looked at
// again: what the server closed meanwhile is not written to.
const quiet = time.Second

// http1 carries requests over HTTP/1.1, one at a time on a connection, all in
// the goroutine that asks.
type http1 struct {
	plan   *plan
	dialer *dialer
	conns  registry
	pool   *pool // where the policy is shared
	ctx    context.Context
	cancel context.CancelFunc
	halted atomic.Bool
}

func newHTTP1(p *plan) *http1 {
	h := &http1{plan: p, dialer: newDialer(p)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if p.policy == "shared" {
		h.pool = newPool(or(p.pool, defaultPool))
	}
	return h
}

func (h *http1) now() time.Duration { return time.Since(h.plan.opts.Base) }

func (h *http1) interrupt() {
	h.halted.Store(true)
	h.cancel()
	h.conns.interrupt()
}

func (h *http1) interrupted() <-chan struct{} { return h.ctx.Done() }

func (h *http1) connections() int { return int(h.conns.count.Load()) }

func (h *http1) close() error {
	h.interrupt()
	h.conns.close()
	return nil
}

// roundTrip sends q, filled with x's values, and reads the answer into x.
func (h *http1) roundTrip(l *line, x *exchange, q *request) fault {
	x.in = x.in[:0]
	x.out = q.appendHTTP1(x.out[:0], &x.values)
	c, f := h.acquire(l, x)
	if f.bad() {
		return f
	}
	keep, f := h.talk(c, x, q)
	h.release(l, c, keep && !f.bad())
	return f
}

// acquire gives the connection the policy says, a new one where there is none.
func (h *http1) acquire(l *line, x *exchange) (*conn, fault) {
	var c *conn
	if h.pool != nil {
		var f fault
		if c, f = h.pool.get(h.ctx, h.plan.opts.Base.Add(x.deadline)); f.bad() {
			return nil, f
		}
	} else {
		c, l.conn = l.conn, nil
	}
	now := h.now()
	if c != nil && now-c.idle > quiet && c.raw != nil && gone(c.raw) {
		h.conns.drop(c)
		c = nil
	}
	if c == nil {
		var f fault
		if c, f = h.open(x, now); f.bad() {
			if h.pool != nil {
				h.pool.put(nil)
			}
			return nil, f
		}
		now = h.now()
	}
	c.arm(h.plan.opts.Base, x.deadline, now)
	if h.halted.Load() {
		h.release(l, c, false)
		return nil, fault{Interrupted, "interrupted"}
	}
	return c, fault{}
}

func (h *http1) release(l *line, c *conn, keep bool) {
	if !keep || h.plan.policy == "per-turn" {
		h.conns.drop(c)
		c = nil
	}
	if h.pool != nil {
		h.pool.put(c)
		return
	}
	l.conn = c
}

// talk writes the request and reads the answer. keep tells whether the
// connection can carry another.
func (h *http1) talk(c *conn, x *exchange, q *request) (keep bool, f fault) {
	sent := h.now()
	if x.sent == 0 {
		x.sent = sent
	}
	had, f := h.send(c, x, sent)
	if f.bad() {
		return false, f
	}
	var r headReader
	x.head.reset()
	for done := false; !done; had = false {
		if !had {
			x.room(512)
			f = h.readSome(c, x, sent)
		}
		if !f.bad() {
			f, done = r.read(x.in, &x.head, &h.plan.limits)
		}
		if f.bad() {
			x.head.reset()
			return false, f
		}
	}
	return h.readBody(c, x, q, r.at)
}

// send writes the request; had tells that it read the begin of the answer, too.
func (h *http1) send(c *conn, x *exchange, now time.Duration) (had bool, f fault) {
	out := x.out
	if c.swappable(now) {
		x.room(512)
		wrote, n, err := c.exchange(out, x.in[:cap(x.in)])
		if n > 0 {
			x.done = h.now()
			if x.first == 0 {
				x.first = x.done
			}
			x.in = x.in[:n]
			return true, fault{}
		}
		early := errors.Is(err, os.ErrDeadlineExceeded) && h.now() < x.deadline
		if err != nil && !early {
			return false, h.lost(c, x, err, true)
		}
		// A deadline of an earlier turn, or a full socket: go on where it stopped.
		if early {
			h.rearm(c, x.deadline)
		}
		if out = out[wrote:]; len(out) == 0 {
			return false, fault{}
		}
	}
	if _, err := c.Write(out); err != nil {
		return false, h.lost(c, x, err, true)
	}
	return false, fault{}
}

// rearm replaces a deadline that fired too early.
func (h *http1) rearm(c *conn, until time.Duration) {
	c.armed = 0
	c.arm(h.plan.opts.Base, until, h.now())
	// Interrupt says so before it sets a deadline in the past; the order here is
	// the reverse, so that one of the two is seen.
	if h.halted.Load() {
		c.SetDeadline(past) //nolint:errcheck // as in arm
	}
}

// readSome reads once and notes when. now is a time not long ago.
func (h *http1) readSome(c *conn, x *exchange, now time.Duration) fault {
	n, err := h.read(c, x, now)
	x.done = h.now()
	if n > 0 {
		if x.first == 0 {
			x.first = x.done
		}
		x.in = x.in[:len(x.in)+n]
		return fault{}
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return h.lost(c, x, err, len(x.in) == 0)
}

// read reads behind x.in. A deadline armed for an earlier turn is not this one's.
func (h *http1) read(c *conn, x *exchange, now time.Duration) (int, error) {
	until := x.deadline
	if stall := h.plan.limits.stall; stall > 0 && len(x.in) > 0 {
		until = min(until, now+stall)
		c.arm(h.plan.opts.Base, until, now)
	}
	for {
		n, err := c.Read(x.in[len(x.in):cap(x.in)])
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		now = h.now()
		if now >= until || h.halted.Load() {
			return 0, err
		}
		h.rearm(c, until)
	}
}

// lost says what an error of the connection means for the turn; silent tells
// that nothing of the answer had come.
func (h *http1) lost(c *conn, x *exchange, err error, silent bool) fault {
	if x.done == 0 {
		x.done = h.now()
	}
	if h.halted.Load() {
		return fault{Interrupted, "interrupted"}
	}
	f := ioFault(err)
	if f.reason == Broken && silent && c.idle > 0 {
		f.message = "kept connection closed by the server"
	}
	if f.reason == TimedOut && !silent && x.done < x.deadline {
		f.message = "the answer stalled"
	}
	return f
}

// readBody reads the body that begins at from in x.in and gives it as x.body,
// or its events to x.events.
func (h *http1) readBody(c *conn, x *exchange, q *request, from int) (keep bool, f fault) {
	in, f := newIntake(h.plan, x, q, from)
	if f.bad() {
		return false, f
	}
	for {
		if f := in.take(x); f.bad() {
			return false, f
		}
		if x.framing.done || in.streaming && x.events.ended {
			break
		}
		in.compact(x)
		if f := h.readSome(c, x, x.done); f.bad() {
			return false, in.broken(x, f)
		}
	}
	if in.streaming {
		keep, f = h.afterStream(c, x, &in)
	} else {
		keep, f = in.raw == len(x.in), in.finish(x)
	}
	c.idle = x.done
	return keep && !x.head.closing, f
}

// linger is how long the end of a body is waited for when the last event of its
// stream is there: the connection is worth that much, the turn is over.
const linger = 100 * time.Millisecond

func (h *http1) afterStream(c *conn, x *exchange, in *intake) (keep bool, f fault) {
	if f := x.events.end(); f.bad() {
		return true, f
	}
	over := x.done
	x.body = x.in[in.from:in.end]
	x.deadline = min(x.deadline, over+linger)
	c.arm(h.plan.opts.Base, x.deadline, over)
	for !x.framing.done && !f.bad() {
		in.compact(x)
		if f = h.readSome(c, x, x.done); !f.bad() {
			f = in.take(x)
		}
	}
	x.done = over
	return !f.bad() && in.raw == len(x.in), fault{}
}

func (h *http1) leave(l *line) {
	if l.conn != nil {
		h.conns.drop(l.conn)
		l.conn = nil
	}
}

// prepare opens n of the shared connections.
func (h *http1) prepare(n int) error {
	n = min(n, cap(h.pool.places))
	for range n {
		c, f := h.pool.get(h.ctx, time.Now())
		if f.bad() {
			return nil // they are in use, so they are open
		}
		if c == nil {
			now := h.now()
			x := exchange{deadline: now + h.plan.timeout}
			if c, f = h.open(&x, now); f.bad() {
				h.pool.put(nil)
				return fmt.Errorf("connect to %s: %s", h.dialer.address, f.message)
			}
		}
		h.pool.put(c)
	}
	return nil
}
