// Package output tells others of a run while it is under way: what a second held,
// in a form of its own, goes to each of several sinks over a bounded queue. Nothing
// in it waits where the load is driven or measured: what a sink cannot take in time
// is dropped, counted and told. The sinks are the packages below.
package output

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// Second is a run as it stands at the end of one of its seconds. It is not changed
// once made, and safe for concurrent use.
type Second struct {
	At      time.Time     // by the wall clock
	Elapsed time.Duration // since the load began
	Stage   string        // "drain" after the last

	// Since the load began. Outcomes has the dropped starts too.
	Outcomes      [measure.Outcomes]int64
	Tiers         [measure.Tiers]int64
	Ended         [measure.ConversationEnds]int64
	Planned       int64 // starts that fell due
	Started       int64
	Distributions [measure.Timings]Distribution

	InFlight      int64 // turns
	Conversations int64 // under way; users of a closed load
	CPU           float64
	Elsewhere     bool // see Live
	Observed      []Observed

	Last Interval
}

// Interval is what happened in the second itself: turns that ended in it.
type Interval struct {
	Started, Turns          int64
	Outcomes                [measure.Outcomes]int64
	Tiers                   [measure.Tiers]int64
	P50, P90, P95, P99, Max time.Duration // of answered turns; 0 without any
	LagP99                  time.Duration
}

// Observed is a figure of somebody else's system.
type Observed struct {
	Name  string
	Value float64
}

// Live is what the run tells once a second.
type Live struct {
	Elapsed       time.Duration
	Last          *measure.Snapshot // the interval; nil where nothing was told
	InFlight      int64
	Conversations int64
	CPU           time.Duration // the generator's in the last second
	// Elsewhere says that the load is driven by others, whose journals tell of it: they
	// have neither turns in flight nor the generators' CPU.
	Elsewhere bool
	Observed  []Observed
}

// history adds intervals up. It is for one goroutine.
type history struct {
	plan  *measure.Plan
	base  time.Time
	total Second
	times [measure.Timings]tally
}

// next makes a Second of what was told; it keeps nothing of l.
func (h *history) next(l *Live) *Second {
	t := &h.total
	t.Elapsed, t.At = l.Elapsed, h.base.Add(l.Elapsed)
	t.InFlight, t.Conversations, t.CPU, t.Elsewhere = l.InFlight, l.Conversations, l.CPU.Seconds(), l.Elsewhere
	t.Stage = h.stage(l.Elapsed)
	t.Observed = append([]Observed(nil), l.Observed...)
	t.Last = Interval{}
	if l.Last != nil {
		h.add(l.Last)
	}
	s := *t
	for i := range h.times {
		s.Distributions[i] = h.times[i].copied()
	}
	return &s
}

func (h *history) add(last *measure.Snapshot) {
	t := &h.total
	t.Planned += last.Planned
	t.Started += last.Started
	for i, n := range last.Counts {
		t.Outcomes[i] += n
	}
	for i, n := range last.Tiers {
		t.Tiers[i] += n
	}
	for i, n := range last.Conversations {
		t.Ended[i] += n
	}
	for i := range last.Timings {
		h.times[i].add(last.Timings[i])
	}
	answered := last.Timings[measure.Response]
	at := func(h *measure.Histogram, q float64) time.Duration {
		d, _ := h.Quantile(q)
		return d
	}
	t.Last = Interval{
		Started: last.Started, Turns: last.Turns(), Outcomes: last.Counts, Tiers: last.Tiers,
		P50: at(answered, .5), P90: at(answered, .9), P95: at(answered, .95), P99: at(answered, .99), Max: answered.Max(),
		LagP99: at(last.Timings[measure.Lag], .99),
	}
}

// stage names the stretch of the load that the second before an instant belongs to.
func (h *history) stage(elapsed time.Duration) string {
	at := max(elapsed-time.Second/2, 0)
	for _, s := range h.plan.Stages {
		if at >= s.Start && at < s.End {
			return s.Name
		}
	}
	return "drain"
}

// Turns is how many turns there were.
func (s *Second) Turns() (n int64) {
	for o := measure.OK; o <= measure.Censored; o++ {
		n += s.Outcomes[o]
	}
	return n
}
