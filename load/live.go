package load

import "sync/atomic"

// Live are the counters of a load under way, for those who watch it. All
// methods are safe for concurrent use.
type Live struct {
	inFlight      atomic.Int64
	awaiting      atomic.Int64
	conversations atomic.Int64
	planned       atomic.Int64
	started       atomic.Int64
	dropped       atomic.Int64
	turns         atomic.Int64
}

// InFlight is how many turns are due and not over: waiting for a place, for a
// connection or for the target.
func (l *Live) InFlight() int64 { return l.inFlight.Load() }

// Awaiting is how many of them the target has been asked.
func (l *Live) Awaiting() int64 { return l.awaiting.Load() }

// Conversations is how many are under way, thinking ones too; in the closed
// model how many users are not yet done.
func (l *Live) Conversations() int64 { return l.conversations.Load() }

// Planned is how many starts were intended until now.
func (l *Live) Planned() int64 { return l.planned.Load() }

// Started is how many of them were issued.
func (l *Live) Started() int64 { return l.started.Load() }

// Dropped is how many of them were not.
func (l *Live) Dropped() int64 { return l.dropped.Load() }

// Turns is how many turns are over.
func (l *Live) Turns() int64 { return l.turns.Load() }
