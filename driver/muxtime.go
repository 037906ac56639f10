package driver

import "time"

// enqueue puts x where its deadline belongs, nearly always last.
func (m *mux) enqueue(x *exchange) {
	after := m.newest
	for after != nil && after.deadline > x.deadline {
		after = after.stream.prev
	}
	s := &x.stream
	s.prev = after
	if after == nil {
		s.next, m.oldest = m.oldest, x
	} else {
		s.next, after.stream.next = after.stream.next, x
	}
	if s.next == nil {
		m.newest = x
	} else {
		s.next.stream.prev = x
	}
}

// writeSoon sees to it that a peer that does not read ends the connection, half
// to one timeout later, without a deadline set for every write.
func (m *mux) writeSoon(now time.Duration) {
	if timeout := m.h.plan.timeout; m.writeBy < now+timeout/2 {
		m.writeBy = now + timeout
		m.SetWriteDeadline(m.h.plan.opts.Base.Add(m.writeBy)) //nolint:errcheck // as in arm
	}
}

// rearm sets the read deadline to the next moment something may be overdue. A
// deadline that is armed already and earlier is left.
func (m *mux) rearm(now time.Duration) {
	if m.oldest == nil {
		return
	}
	next := m.oldest.deadline
	if m.armed > 0 && m.armed <= next {
		return
	}
	m.arm(max(next, now))
}

func (m *mux) arm(at time.Duration) {
	m.armed = at
	deadline := time.Time{}
	if at > 0 {
		deadline = m.h.plan.opts.Base.Add(at)
	}
	m.SetReadDeadline(deadline) //nolint:errcheck // fails on a closed connection only, as the next read will
}

// overdue ends the streams whose time is over and arms for the next.
func (m *mux) overdue(now time.Duration) {
	stall := m.h.plan.limits.stall
	next := time.Duration(0)
	for x := m.oldest; x != nil; {
		following := x.stream.next
		until, message := x.deadline, "no whole answer within the timeout"
		if stall > 0 && x.stream.answered && x.done+stall < until {
			until, message = x.done+stall, "the answer stalled"
		}
		switch {
		case until <= now:
			m.reset(x.stream.id, codeCancel)
			x.done = now
			m.finish(x, fault{TimedOut, message})
		case next == 0 || until < next:
			next = until
		}
		if stall <= 0 && next > 0 {
			break
		}
		x = following
	}
	m.arm(next)
}
