// Package http2 carries requests over HTTP/2, many at a time on a connection, of
// which one goroutine reads, and without allocating for each.
package http2

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// Client carries requests to one target. It is safe for concurrent use.
type Client struct {
	target  *wire.Target
	ctx     context.Context
	cancel  context.CancelFunc
	halted  atomic.Bool
	count   atomic.Int64
	readers sync.WaitGroup

	mu      sync.Mutex // never held while a mux's is asked for
	all     map[*mux]bool
	over    bool
	places  []place // of the shared connections
	shared  wire.Link
	cursor  int
	waiting []chan *mux
}

// place is one of the shared connections: open, being opened, or empty.
type place struct {
	mux     *mux
	opening bool
}

// New gives a client of t. It opens no connection.
func New(t *wire.Target) *Client {
	h := &Client{target: t, all: map[*mux]bool{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if t.Connections == scenario.Shared {
		h.places = make([]place, t.Pool)
		h.shared.Sessions = &wire.Sessions{}
	}
	return h
}

// Compile makes q ready to be sent.
func (h *Client) Compile(q *wire.Request) { q.Written = newForm(q, h.target) }

// Interrupted is closed by Interrupt.
func (h *Client) Interrupted() <-chan struct{} { return h.ctx.Done() }

// Connections tells how many are open.
func (h *Client) Connections() int { return int(h.count.Load()) }

// Interrupt ends every RoundTrip, those to come as well.
func (h *Client) Interrupt() {
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
		m.fail(wire.Interruption())
		m.mu.Unlock()
	}
}

// Close closes every connection, and returns when all that read one have ended.
func (h *Client) Close() error {
	h.mu.Lock()
	h.over = true
	h.mu.Unlock()
	h.Interrupt()
	h.readers.Wait()
	return nil
}

// RoundTrip sends q, filled with x's values, and waits for its answer.
func (h *Client) RoundTrip(l *wire.Link, x *wire.Exchange, q *wire.Request) wire.Fault {
	s, ok := x.State.(*stream)
	if !ok {
		s = &stream{wake: make(chan struct{}, 1)}
		x.State = s
	}
	defer x.Finish()
	defer s.reset(nil, nil)
	x.In, x.Out = x.In[:0], x.Out[:0]
	if q.Bodied {
		x.Out = q.Body.Append(x.Out, &x.Values)
	}
	if f := h.carry(l, x, q, s); f.Bad() {
		return f
	}
	x.Body = x.In
	if x.Streamed {
		return wire.Fault{}
	}
	return x.Decompress(&h.target.Limits)
}

// acquire gives a connection with a stream to spare.
func (h *Client) acquire(l *wire.Link, x *wire.Exchange) (*mux, wire.Fault) {
	if h.halted.Load() {
		return nil, wire.Interruption()
	}
	if h.places != nil {
		return h.share(x)
	}
	if m, ok := l.Held.(*mux); ok {
		m.mu.Lock()
		usable := !m.gone.Bad() && m.nextID <= lastStream
		m.mu.Unlock()
		if usable {
			return m, m.await(x)
		}
		h.Leave(l)
	}
	m, f := h.open(l, x)
	if f.Bad() {
		return nil, f
	}
	l.Held = m
	return m, m.await(x)
}

func (h *Client) release(l *wire.Link, m *mux) {
	if h.places != nil {
		h.returnStream(m)
		return
	}
	if h.target.Connections == scenario.PerTurn {
		h.Leave(l)
	}
}

// Leave gives up the connection that l holds.
func (h *Client) Leave(l *wire.Link) {
	if m, ok := l.Held.(*mux); ok {
		l.Held = nil
		m.mu.Lock()
		m.fail(wire.NewFault(wire.Broken, "given up"))
		m.mu.Unlock()
	}
}

// preface is what a client says first: the magic, settings and a window as large
// as allowed, because every body is bounded by itself.
func (h *Client) preface() []byte {
	b := []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	m := mux{out: b}
	m.frame(frameSettings, 0, 0, settings(
		settingTableSize, 0, settingPush, 0, settingInitialWindow, min(h.target.Limits.Body+1, maxWindow),
		settingMaxHeaders, h.target.Limits.Head))
	m.window32(0, maxWindow-defaultWindow)
	return m.out
}

func settings(pairs ...int) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = append(b, byte(pairs[i]>>8), byte(pairs[i]), byte(pairs[i+1]>>24), byte(pairs[i+1]>>16), byte(pairs[i+1]>>8), byte(pairs[i+1])) //nolint:gosec // pairs come in twos
	}
	return b
}

// open makes a connection and waits until the peer has shown that it speaks
// HTTP/2.
func (h *Client) open(l *wire.Link, x *wire.Exchange) (*mux, wire.Fault) {
	start := h.target.Now()
	until := h.target.Base.Add(x.Deadline)
	ctx, cancel := context.WithDeadline(h.ctx, until)
	defer cancel()
	c, err := h.target.Dial(ctx, until, h.target.SessionsOf(l))
	x.Connect += h.target.Now() - start
	if err != nil {
		if h.ctx.Err() != nil {
			return nil, wire.Interruption()
		}
		return nil, wire.DialFault(err)
	}
	if secure, ok := c.(*tls.Conn); ok && secure.ConnectionState().NegotiatedProtocol != "h2" {
		c.Close()
		return nil, wire.NewFault(wire.Unreachable, "the server does not speak HTTP/2 over TLS")
	}
	m := h.newMux(c)
	m.peer = h.target.Opened(c)
	if !h.add(m) {
		c.Close()
		return nil, wire.Interruption()
	}
	m.mu.Lock()
	m.out = h.preface()
	m.flush()
	m.mu.Unlock()
	go m.read()
	f := m.settle(ctx, h)
	x.Connect = h.target.Now() - start
	return m, f
}

func (h *Client) newMux(c net.Conn) *mux {
	return &mux{
		Conn: c, h: h, streams: map[uint32]*stream{}, nextID: 1, window: defaultWindow, initial: defaultWindow,
		maxFrame: maxFrame, allowed: manyStreams, limit: manyStreams, ready: make(chan struct{}), room: make(chan struct{}, 1),
	}
}

// add gives false when everything is over. The caller starts m.read.
func (h *Client) add(m *mux) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || h.halted.Load() {
		return false
	}
	h.all[m] = true
	h.readers.Add(1)
	h.count.Add(1)
	return true
}

// settle waits for the peer's settings.
func (m *mux) settle(ctx context.Context, h *Client) wire.Fault {
	select {
	case <-m.ready:
	case <-ctx.Done():
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case h.halted.Load():
		m.fail(wire.Interruption())
		return wire.Interruption()
	case m.unbegun:
		return wire.Fault{} // the turn goes over the next
	case m.closed && m.settled:
		return wire.NewFault(wire.Broken, "connection closed by the server as soon as it was open")
	case m.closed:
		return wire.NewFault(wire.Unreachable, "the server does not speak HTTP/2")
	case !m.settled:
		f := wire.NewFault(wire.TimedOut, "connecting took longer than the timeout")
		m.fail(f)
		return f
	}
	return wire.Fault{}
}

// lost forgets a connection that has ended.
func (h *Client) lost(m *mux) {
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

// Prepare opens n of the shared connections.
func (h *Client) Prepare(n int) error {
	n = min(n, len(h.places))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first wire.Fault
	gate := make(chan struct{}, 32)
	for i := range n {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			x := wire.Exchange{Deadline: h.target.Now() + h.target.Timeout}
			if f := h.fill(i, &x); f.Bad() {
				mu.Lock()
				first = f
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if first.Bad() {
		return fmt.Errorf("connect to %s: %s", h.target.Address, first.Message)
	}
	return nil
}
