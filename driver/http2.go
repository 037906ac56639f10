package driver

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// http2 carries requests over HTTP/2, many at a time on a connection.
type http2 struct {
	plan    *plan
	dialer  *dialer
	ctx     context.Context
	cancel  context.CancelFunc
	halted  atomic.Bool
	count   atomic.Int64
	readers sync.WaitGroup

	mu      sync.Mutex // never held while a mux's is asked for
	all     map[*mux]bool
	over    bool
	places  []place // of the shared connections
	cursor  int
	waiting []chan *mux
}

// place is one of the shared connections: open, being opened, or empty.
type place struct {
	mux     *mux
	opening bool
}

func newHTTP2(p *plan) *http2 {
	h := &http2{plan: p, dialer: newDialer(p), all: map[*mux]bool{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if p.policy == "shared" {
		h.places = make([]place, or(p.pool, defaultPool))
	}
	p.turn.fields2, p.poll.fields2 = p.turn.block(p), p.poll.block(p)
	if p.login != nil {
		p.login.fields2 = p.login.block(p)
	}
	return h
}

func (h *http2) now() time.Duration { return time.Since(h.plan.opts.Base) }

func (h *http2) interrupted() <-chan struct{} { return h.ctx.Done() }

func (h *http2) connections() int { return int(h.count.Load()) }

func (h *http2) interrupt() {
	h.halted.Store(true)
	h.cancel()
	h.mu.Lock()
	all := make([]*mux, 0, len(h.all))
	for m := range h.all {
		all = append(all, m)
	}
	h.mu.Unlock()
	for _, m := range all {
		m.mu.Lock()
		m.fail(fault{Interrupted, "interrupted"})
		m.mu.Unlock()
	}
}

func (h *http2) close() error {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.interrupt()
	h.readers.Wait()
	return nil
}

// maxMoves bounds how often a turn goes to another connection because the one
// before was closing and had not taken it.
const maxMoves = 8

// roundTrip sends q, filled with x's values, and waits for its answer.
func (h *http2) roundTrip(l *line, x *exchange, q *request) fault {
	if x.stream.wake == nil {
		x.stream.wake = make(chan struct{}, 1)
	}
	x.stream = stream{wake: x.stream.wake, events: q.events}
	x.in, x.out = x.in[:0], x.out[:0]
	if q.bodied {
		x.out = q.body.Append(x.out, &x.values)
	}
	for moves := 0; ; moves++ {
		m, f := h.acquire(l, x)
		if f.bad() {
			return f
		}
		m.start(x, q)
		<-x.stream.wake
		h.release(l, m)
		if f = x.stream.fault; !f.bad() {
			break
		}
		if !x.stream.untaken || moves == maxMoves || h.now() >= x.deadline {
			return f
		}
		x.stream = stream{wake: x.stream.wake, events: q.events}
	}
	x.body = x.in
	if x.streamed {
		return fault{}
	}
	return h.plan.limits.decompress(x)
}

// began prepares for the body of the answer whose head just came.
func (h *http2) began(x *exchange) fault {
	x.streamed = x.head.eventual && x.head.status == 200 && x.stream.events
	if x.head.length > int64(h.plan.limits.body) {
		return fault{Oversized, "the body is larger than the limit"}
	}
	if x.streamed {
		x.events.reset()
		if x.head.encoding != identity {
			return fault{Malformed, "the stream is compressed, which nobody asked for"}
		}
	}
	return fault{}
}

// body takes a piece of x's body.
func (h *http2) body(x *exchange, p []byte) fault {
	if x.stream.total += len(p); x.stream.total > h.plan.limits.body {
		return fault{Oversized, "the body is larger than the limit"}
	}
	if x.streamed {
		if f := x.events.feed(x, h.plan, p); f.bad() || h.plan.opts.Capture == nil {
			return f
		}
	}
	x.in = append(x.in, p...)
	return fault{}
}

// acquire gives a connection with a stream to spare.
func (h *http2) acquire(l *line, x *exchange) (*mux, fault) {
	if h.halted.Load() {
		return nil, fault{Interrupted, "interrupted"}
	}
	if h.places != nil {
		return h.share(x)
	}
	if m := l.mux; m != nil {
		m.mu.Lock()
		usable := !m.gone.bad() && m.nextID <= lastStream
		m.mu.Unlock()
		if usable {
			return m, fault{}
		}
		h.leave(l)
	}
	m, f := h.open(x)
	if !f.bad() {
		l.mux = m
	}
	return m, f
}

func (h *http2) release(l *line, m *mux) {
	if h.places != nil {
		h.giveBack(m)
		return
	}
	if h.plan.policy == "per-turn" {
		h.leave(l)
	}
}

func (h *http2) leave(l *line) {
	if m := l.mux; m != nil {
		l.mux = nil
		m.mu.Lock()
		m.fail(fault{Broken, "given up"})
		m.mu.Unlock()
	}
}

// preface is what a client says first: the magic, settings and a window as large
// as allowed, because every body is bounded by itself.
func (h *http2) preface() []byte {
	b := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	m := mux{out: b}
	m.frame(frameSettings, 0, 0, settings(
		settingTableSize, 0, settingPush, 0, settingInitialWindow, min(h.plan.limits.body+1, maxWindow),
		settingMaxHeaders, h.plan.limits.head))
	m.window32(0, maxWindow-defaultWindow)
	return m.out
}

func settings(pairs ...int) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, byte(pairs[i]>>8), byte(pairs[i]), byte(pairs[i+1]>>24), byte(pairs[i+1]>>16), byte(pairs[i+1]>>8), byte(pairs[i+1]))
	}
	return b
}

// open makes a connection and waits until the peer has shown that it speaks
// HTTP/2.
func (h *http2) open(x *exchange) (*mux, fault) {
	start := h.now()
	until := h.plan.opts.Base.Add(x.deadline)
	ctx, cancel := context.WithDeadline(h.ctx, until)
	defer cancel()
	c, err := h.dialer.dial(ctx, until)
	x.connect += h.now() - start
	if err != nil {
		if h.ctx.Err() != nil {
			return nil, fault{Interrupted, "interrupted"}
		}
		return nil, dialFault(err)
	}
	if secure, ok := c.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol != "h2" {
		c.Close()
		return nil, fault{Unreachable, "the server does not speak HTTP/2 over TLS"}
	}
	m := &mux{
		Conn: c, h: h, streams: map[uint32]*exchange{}, nextID: 1, window: defaultWindow, initial: defaultWindow,
		maxFrame: maxFrame, limit: manyStreams, open: 1, ready: make(chan struct{}),
	}
	h.mu.Lock()
	if h.over || h.halted.Load() {
		h.mu.Unlock()
		c.Close()
		return nil, fault{Interrupted, "interrupted"}
	}
	h.all[m] = true
	h.readers.Add(1)
	h.mu.Unlock()
	h.count.Add(1)
	m.mu.Lock()
	m.out = h.preface()
	m.flush()
	m.mu.Unlock()
	go m.read()
	f := m.settle(ctx, h)
	x.connect = h.now() - start
	return m, f
}

// settle waits for the peer's settings.
func (m *mux) settle(ctx context.Context, h *http2) fault {
	select {
	case <-m.ready:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case h.halted.Load():
		m.fail(fault{Interrupted, "interrupted"})
		return fault{Interrupted, "interrupted"}
	case m.closed:
		return fault{Unreachable, "the server does not speak HTTP/2"}
	case !m.settled:
		f := fault{TimedOut, "connecting took longer than the timeout"}
		m.fail(f)
		return f
	}
	return fault{}
}

// lost forgets a connection that has ended.
func (h *http2) lost(m *mux) {
	h.count.Add(-1)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.all, m)
	for i := range h.places {
		if h.places[i].mux == m {
			h.vacate(i)
		}
	}
}

func (h *http2) prepare(n int) error {
	n = min(n, len(h.places))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first fault
	gate := make(chan struct{}, 32)
	for i := range n {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			x := exchange{deadline: h.now() + h.plan.timeout}
			if f := h.fill(i, &x); f.bad() {
				mu.Lock()
				first = f
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if first.bad() {
		return fmt.Errorf("connect to %s: %s", h.dialer.address, first.message)
	}
	return nil
}
