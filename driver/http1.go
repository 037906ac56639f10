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
	if _, err := c.Write(x.out); err != nil {
		return false, h.lost(c, x, err, true)
	}
	var r headReader
	x.head.reset()
	for {
		x.room(512)
		f := h.readSome(c, x)
		done := false
		if !f.bad() {
			f, done = r.read(x.in, &x.head, &h.plan.limits)
		}
		if f.bad() {
			x.head.reset()
			return false, f
		}
		if done {
			break
		}
	}
	x.framing.start(&x.head, q.method)
	return h.readBody(c, x, q, r.at)
}

// readSome reads once and notes when.
func (h *http1) readSome(c *conn, x *exchange) fault {
	n, err := h.read(c, x)
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
func (h *http1) read(c *conn, x *exchange) (int, error) {
	until := x.deadline
	if stall := h.plan.limits.stall; stall > 0 && len(x.in) > 0 {
		now := h.now()
		until = min(until, now+stall)
		c.arm(h.plan.opts.Base, until, now)
	}
	for {
		n, err := c.Read(x.in[len(x.in):cap(x.in)])
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		now := h.now()
		if now >= until || h.halted.Load() {
			return 0, err
		}
		c.armed = 0
		c.arm(h.plan.opts.Base, until, now)
		// Interrupt sets a deadline in the past after it said so: the order of both
		// here is the reverse, so that one of them is seen.
		if h.halted.Load() {
			return 0, err
		}
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
	limit := h.plan.limits.body
	if x.head.length > int64(limit) {
		return false, fault{Oversized, "the body is larger than the limit"}
	}
	streaming := q.events && x.head.status == 200 && x.head.eventual
	if streaming && x.head.encoding != identity {
		return false, fault{Malformed, "the stream is compressed, which nobody asked for"}
	}
	end, raw, total := from, from, 0
	for {
		for raw < len(x.in) && !x.framing.done {
			span, used, bad := x.framing.next(x.in[raw:])
			if bad.bad() {
				return false, bad
			}
			raw += used
			if total += len(span); total > limit {
				return false, fault{Oversized, "the body is larger than the limit"}
			}
			if streaming {
				if f := x.events.feed(x, span); f.bad() {
					return false, f
				}
				continue
			}
			// Chunks are moved together in place; other bodies stay where they are.
			if len(span) > 0 && raw-len(span) != end {
				copy(x.in[end:], span)
			}
			end += len(span)
		}
		if x.framing.done {
			break
		}
		// What is not body any more makes room.
		x.in, raw = x.in[:end], end
		x.room(h.expect(x))
		if f := h.readSome(c, x); f.bad() {
			return h.ended(c, x, f, end, from, streaming)
		}
	}
	keep = !x.head.closing && raw == len(x.in)
	if streaming {
		return keep, x.events.end(x)
	}
	c.idle = x.done
	x.body = x.in[from:end]
	return keep, h.plan.limits.decompress(x)
}

// expect is how much room the next read should have.
func (h *http1) expect(x *exchange) int {
	if !x.framing.chunked && x.framing.left > 0 {
		return int(min(x.framing.left, 64<<10))
	}
	return 1 << 10
}

// ended handles a body that ends with its connection, which is right only where
// nothing else says how long it is.
func (h *http1) ended(c *conn, x *exchange, f fault, end, from int, streaming bool) (bool, fault) {
	closed := f.reason == Broken && x.framing.left < 0
	switch {
	case streaming && f.reason == Broken:
		return false, x.events.end(x)
	case streaming || !closed || f.message != closedEarly:
		return false, f
	}
	x.body = x.in[from:end]
	return false, h.plan.limits.decompress(x)
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
