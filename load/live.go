package load

import (
	"sync/atomic"
	"time"
)

// Live are the counters of a load under way, for those who watch it. All
// methods are safe for concurrent use.
type Live struct {
	inFlight      atomic.Int64
	awaiting      atomic.Int64 // of those in flight, how many the target has been asked
	conversations atomic.Int64
	planned       atomic.Int64
	started       atomic.Int64
	instants      atomic.Int64 // when turns left those in flight less when they came, summed
}

// enter counts a turn in flight from when it was intended, however late the
// generator is with it, leave until it was done: the time between is its
// response time, which the area is held against.
func (l *Live) enter(intended time.Duration) {
	l.inFlight.Add(1)
	l.instants.Add(-int64(intended))
}

func (l *Live) leave(done time.Duration) {
	l.inFlight.Add(-1)
	l.instants.Add(int64(done))
}

// area is the time that turns were in flight until now, summed over the turns.
// It is kept turn by turn: samples at a constant distance would see a constant
// rate of arrivals always at the same moment.
func (l *Live) area(now time.Duration) time.Duration {
	return time.Duration(l.instants.Load() + l.inFlight.Load()*int64(now))
}

// InFlight is how many turns are due and not over: waiting for a place, for a
// connection or for the target.
func (l *Live) InFlight() int64 { return l.inFlight.Load() }

// Conversations is how many are under way, thinking ones too; in the closed
// model how many users are not yet done.
func (l *Live) Conversations() int64 { return l.conversations.Load() }

// Planned is how many starts were intended until now.
func (l *Live) Planned() int64 { return l.planned.Load() }

// Started is how many of them were issued.
func (l *Live) Started() int64 { return l.started.Load() }
