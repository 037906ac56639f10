package http2

import (
	"slices"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// share gives a shared connection with a stream to spare, an empty place's new
// one where there is one, or waits for its turn: first come, first served.
func (h *Client) share(x *wire.Exchange) (*mux, wire.Fault) {
	for called := false; ; {
		var turn chan *mux
		h.mu.Lock()
		m, empty := (*mux)(nil), -1
		if called || len(h.waiting) == 0 {
			m, empty = h.pick()
		}
		if m == nil && empty < 0 {
			turn = make(chan *mux, 1)
			h.waiting = append(h.waiting, turn)
		}
		h.mu.Unlock()
		f := wire.Fault{}
		switch {
		case empty >= 0:
			m, f = h.take(empty, x)
		case turn != nil:
			m, f = h.wait(turn, x)
		}
		if f.Bad() || m != nil {
			return m, f
		}
		// Nothing was handed over: a place is empty, somebody went before, or the
		// connection just opened has no stream to spare.
		called = turn != nil
	}
}

// pick reserves a stream on the next connection that has one to spare, or the
// next empty place. h.mu must be held.
func (h *Client) pick() (m *mux, empty int) {
	for range h.places {
		h.cursor = (h.cursor + 1) % len(h.places)
		p := &h.places[h.cursor]
		switch {
		case p.mux != nil && p.mux.open < p.mux.limit:
			p.mux.open++
			return p.mux, -1
		case p.mux == nil && !p.opening:
			p.opening = true
			return nil, h.cursor
		}
	}
	return nil, -1
}

// wait waits to be handed a stream; nil says to look again.
func (h *Client) wait(turn chan *mux, x *wire.Exchange) (*mux, wire.Fault) {
	timer := time.NewTimer(x.Deadline - h.target.Now())
	defer timer.Stop()
	var f wire.Fault
	select {
	case m := <-turn:
		return m, wire.Fault{}
	case <-h.ctx.Done():
		f = wire.Interruption()
	case <-timer.C:
		f = wire.NewFault(wire.TimedOut, "no shared connection became free within the timeout")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.waiting, turn); i >= 0 {
		h.waiting = slices.Delete(h.waiting, i, i+1)
		return nil, f
	}
	// It was handed over at the same moment: pass it on.
	if m := <-turn; m != nil {
		h.passOn(m)
	} else {
		h.wakeNext(nil)
	}
	return nil, f
}

// wakeNext hands m, or the hint to look again, to the first who waits. h.mu must be
// held.
func (h *Client) wakeNext(m *mux) bool {
	if len(h.waiting) == 0 {
		return false
	}
	h.waiting[0] <- m
	h.waiting[0] = nil
	if h.waiting = h.waiting[1:]; len(h.waiting) == 0 {
		h.waiting = nil
	}
	return true
}

// passOn gives a stream of m to the next who waits, or back. h.mu must be held.
func (h *Client) passOn(m *mux) {
	if h.all[m] && m.open <= m.limit && h.wakeNext(m) {
		return
	}
	m.open--
}

func (h *Client) returnStream(m *mux) {
	m.mu.Lock()
	gone := m.gone.Bad() || m.nextID > lastStream
	if gone && len(m.streams) == 0 {
		m.fail(m.gone)
	}
	m.mu.Unlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !gone {
		h.passOn(m)
		return
	}
	m.open--
	for i := range h.places {
		if h.places[i].mux == m {
			h.vacate(i)
		}
	}
}

// vacate empties a place, for the next who wants a connection to fill. h.mu must
// be held.
func (h *Client) vacate(i int) {
	h.places[i] = place{}
	h.wakeNext(nil)
}

// take opens the connection of a place reserved by pick. Its first stream is the
// caller's; where the peer allows none, nobody gets one yet and m is nil.
func (h *Client) take(i int, x *wire.Exchange) (*mux, wire.Fault) {
	m, f := h.open(&h.shared, x)
	if f.Bad() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.vacate(i)
		return nil, f
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.all[m] { // it is over already: what starts on it moves on
		h.vacate(i)
		m.open++
		return m, f
	}
	h.places[i] = place{mux: m}
	own := m.open < m.limit
	if own {
		m.open++
	}
	h.handOut(m)
	if !own {
		return nil, f
	}
	return m, f
}

// handOut gives what m has to spare to those who wait. h.mu must be held.
func (h *Client) handOut(m *mux) {
	for h.all[m] && m.open < m.limit && len(h.waiting) > 0 {
		m.open++
		h.wakeNext(m)
	}
}

// fill opens the connection of place i unless it is open.
func (h *Client) fill(i int, x *wire.Exchange) wire.Fault {
	h.mu.Lock()
	p := &h.places[i]
	busy := p.mux != nil || p.opening
	p.opening = !busy || p.opening
	h.mu.Unlock()
	if busy {
		return wire.Fault{}
	}
	m, f := h.take(i, x)
	if m != nil {
		h.returnStream(m)
	}
	return f
}

// limit notes how many streams the peer of m allows.
func (h *Client) limit(m *mux, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m.limit = n
	if h.places != nil {
		h.handOut(m)
	}
}
