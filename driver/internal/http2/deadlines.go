package http2

import (
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// enqueue puts s where its deadline belongs, nearly always last.
func (m *mux) enqueue(s *stream) {
	after := m.newest
	for after != nil && after.Deadline > s.Deadline {
		after = after.prev
	}
	s.prev = after
	if after == nil {
		s.next, m.oldest = m.oldest, s
	} else {
		s.next, after.next = after.next, s
	}
	if s.next == nil {
		m.newest = s
	} else {
		s.next.prev = s
	}
}

// extendWriteDeadline sees to it that a peer that does not read ends the connection, half
// to one timeout later, without a deadline set for every write.
func (m *mux) extendWriteDeadline(now time.Duration) {
	if timeout := m.h.target.Timeout; m.writeBy < now+timeout/2 {
		m.writeBy = now + timeout
		m.SetWriteDeadline(m.h.target.Base.Add(m.writeBy)) //nolint:errcheck // as in arm
	}
}

// rearm sets the read deadline to the next moment something may be overdue. A
// deadline that is armed already and earlier is left.
func (m *mux) rearm(now time.Duration) {
	if m.oldest == nil {
		return
	}
	next := m.oldest.Deadline
	if m.armed > 0 && m.armed <= next {
		return
	}
	m.arm(max(next, now))
}

func (m *mux) arm(at time.Duration) {
	m.armed = at
	deadline := time.Time{}
	if at > 0 {
		deadline = m.h.target.Base.Add(at)
	}
	m.SetReadDeadline(deadline) //nolint:errcheck // fails on a closed connection only, as the next read will
}

// expire ends the streams whose time is over and arms for the next.
func (m *mux) expire(now time.Duration) {
	stall := m.h.target.Limits.Stall
	next := time.Duration(0)
	for s := m.oldest; s != nil; {
		following := s.next
		until, message := s.Deadline, wire.NoWholeAnswer
		if stall > 0 && s.answered && s.Done+stall < until {
			until, message = s.Done+stall, "the answer stalled"
		}
		switch {
		case until <= now:
			m.reset(s.id, codeCancel)
			s.Done = now
			m.finish(s, wire.NewFault(wire.TimedOut, message))
		case next == 0 || until < next:
			next = until
		}
		if stall <= 0 && next > 0 {
			break
		}
		s = following
	}
	m.arm(next)
}
