package http2

import (
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

const (
	// maxMoves bounds how often a turn goes over another stream because the server
	// said that it had not begun with it.
	maxMoves = 8
	// firstPause is before the third attempt, and doubles from then on: 630 ms in
	// all. A server that refuses is short of something.
	firstPause = 10 * time.Millisecond
)

// carry sends the request over a stream and waits for its answer. What the server
// says it has not begun with goes over another stream, on this connection or the
// next: nothing of it happened.
func (h *Client) carry(l *wire.Link, x *wire.Exchange, q *wire.Request, s *stream) wire.Fault {
	for moves := 0; ; {
		s.reset(x, q)
		m, f := h.acquire(l, x)
		if f.Bad() {
			if m != nil {
				h.release(l, m)
			}
			return f
		}
		x.Peer = m.peer
		m.start(s)
		<-s.wake
		h.release(l, m)
		f = s.fault
		switch {
		case s.full: // nothing was sent: acquire waits, as long as the turn may
			continue
		case !f.Bad() || !s.unprocessed || moves == maxMoves || h.target.Now() >= x.Deadline:
			return f
		}
		if moves++; moves > 1 && s.refused && !h.pause(firstPause<<(moves-2), x) {
			return f
		}
		h.target.Counts.Resent.Add(1)
	}
}

// pause gives false when the turn's time would be over, or everything is.
func (h *Client) pause(d time.Duration, x *wire.Exchange) bool {
	if h.target.Now()+d >= x.Deadline {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// await waits until the peer allows a stream on a connection that is not shared:
// it may allow none, from its first settings on or later.
func (m *mux) await(x *wire.Exchange) wire.Fault {
	var timer *time.Timer
	for {
		m.mu.Lock()
		wait := !m.gone.Bad() && len(m.streams) >= m.allowed
		m.mu.Unlock()
		if !wait {
			return wire.Fault{}
		}
		if timer == nil {
			timer = time.NewTimer(x.Deadline - m.h.target.Now())
			defer timer.Stop()
		}
		select {
		case <-m.room:
		case <-m.h.ctx.Done():
			return wire.Interruption()
		case <-timer.C:
			return wire.NewFault(wire.TimedOut, "the server allowed no stream within the timeout")
		}
	}
}

// roomy tells who awaits a stream on m to look again.
func (m *mux) roomy() {
	select {
	case m.room <- struct{}{}:
	default:
	}
}
