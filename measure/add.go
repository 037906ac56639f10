package measure

import (
	"errors"
	"fmt"
	"time"
)

// ErrPlan is the error of adding snapshots of different plans.
var ErrPlan = errors.New("the snapshots are of different plans")

// NewSnapshot gives an empty snapshot of a plan, to add intervals to.
func NewSnapshot(plan *Plan) *Snapshot {
	s := &Snapshot{Plan: plan, Slots: make([]SlotTally, len(plan.Slots))}
	for i := range s.Timings {
		s.Timings[i] = NewHistogram()
	}
	for i := range s.Slots {
		s.Slots[i].Response = NewHistogram()
	}
	return s
}

// NewInterval gives an empty snapshot that holds only the seconds of what is
// added to it, for sums of intervals that are to stay small. NewSnapshot's begins
// at second 0.
func NewInterval(plan *Plan) *Snapshot {
	s := NewSnapshot(plan)
	// Beyond every second: an interval that touched none widens nothing it is added to.
	s.First = plan.Seconds() + 1
	return s
}

// Add adds what o holds. The order of additions does not matter. It errs with
// ErrPlan, changing nothing, when the plans differ, and when counts did not fit;
// the sum is then not to be trusted.
func (s *Snapshot) Add(o *Snapshot) error {
	if !s.Plan.Equal(o.Plan) || len(s.Slots) != len(o.Slots) {
		return ErrPlan
	}
	s.Elapsed = max(s.Elapsed, o.Elapsed)
	s.addSeconds(o)
	for i := range s.Counts {
		s.Counts[i] += o.Counts[i]
	}
	for i := range s.Tiers {
		s.Tiers[i] += o.Tiers[i]
		s.TierTimes[i].Add(&o.TierTimes[i])
	}
	for i := range s.Groups {
		for outcome := range s.Groups[i].Outcomes {
			s.Groups[i].Outcomes[outcome] += o.Groups[i].Outcomes[outcome]
		}
		s.Groups[i].Response.Add(&o.Groups[i].Response)
	}
	for i := range s.Conversations {
		s.Conversations[i] += o.Conversations[i]
	}
	s.Clusters.merge(&o.Clusters)
	s.Excluded += o.Excluded
	s.Planned += o.Planned
	s.Started += o.Started
	s.Planted += o.Planted
	s.Verified += o.Verified
	s.NotVerified += o.NotVerified
	s.addFailures(o)
	s.AnsweredBands.add(&o.AnsweredBands)
	s.FailedBands.add(&o.FailedBands)
	s.addServer(o.Server)
	s.Usage.add(&o.Usage)
	return s.addHistograms(o)
}

func (s *Snapshot) addHistograms(o *Snapshot) error {
	var errs []error
	add := func(to **Histogram, from *Histogram, what string) {
		if from.N() == 0 {
			return
		}
		if *to == nil {
			*to = NewHistogram()
		}
		if err := (*to).Add(from); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", what, err))
		}
	}
	for i := range s.Timings {
		add(&s.Timings[i], o.Timings[i], "timings")
	}
	for i := range s.ByOutcome {
		add(&s.ByOutcome[i], o.ByOutcome[i], Outcome(i).String())
	}
	for i := range s.Slots {
		s.Slots[i].Turns += o.Slots[i].Turns
		s.Slots[i].Answered += o.Slots[i].Answered
		add(&s.Slots[i].Response, o.Slots[i].Response, "slots")
	}
	return errors.Join(errs...)
}

// addSeconds widens s to the seconds of both, then adds second by second.
func (s *Snapshot) addSeconds(o *Snapshot) {
	first := min(s.First, o.First)
	if len(s.Seconds) == 0 {
		s.First = first
	}
	end := max(s.First+len(s.Seconds), first)
	if len(o.Seconds) > 0 {
		end = max(end, o.First+len(o.Seconds))
	}
	if first < s.First {
		seconds := make([]Second, end-first)
		copy(seconds[s.First-first:], s.Seconds)
		s.First, s.Seconds = first, seconds
	}
	for len(s.Seconds) < end-first {
		s.Seconds = append(s.Seconds, Second{})
	}
	for i := range o.Seconds {
		s.Seconds[o.First-first+i].add(&o.Seconds[i])
	}
}

func (s *Second) add(o *Second) {
	s.Starts = plus(s.Starts, o.Starts)
	s.Flow.add(&o.Flow)
	for i := range s.Outcomes {
		s.Outcomes[i] = plus(s.Outcomes[i], o.Outcomes[i])
	}
	for i := range s.Tiers {
		s.Tiers[i] = plus(s.Tiers[i], o.Tiers[i])
	}
	if s.Budgets == nil && o.Budgets != nil {
		s.Budgets = make([]BudgetCount, len(o.Budgets))
	}
	for i := range o.Budgets {
		s.Budgets[i].N = plus(s.Budgets[i].N, o.Budgets[i].N)
		s.Budgets[i].Bad = plus(s.Budgets[i].Bad, o.Budgets[i].Bad)
	}
	s.Response.Add(&o.Response)
	s.Lag.Add(&o.Lag)
	for i := range s.Positions {
		s.Positions[i].add(&o.Positions[i])
	}
}

func (f *Flow) add(o *Flow) {
	f.Answers = plus(f.Answers, o.Answers)
	f.Lost, f.LostEnd = plus(f.Lost, o.Lost), plus(f.LostEnd, o.LostEnd)
	f.Late, f.LateEnd = plus(f.Late, o.Late), plus(f.LateEnd, o.LateEnd)
}

// Turns is how many turns were intended in the second and sent.
func (s *Second) Turns() (n int64) {
	for o := OK; o <= Censored; o++ {
		n += int64(s.Outcomes[o])
	}
	return n
}

// Turns is how many turns were sent.
func (s *Snapshot) Turns() (n int64) {
	for o := OK; o <= Censored; o++ {
		n += s.Counts[o]
	}
	return n
}

// Answered is how many turns were answered.
func (s *Snapshot) Answered() (n int64) {
	for o := OK; o <= Censored; o++ {
		if Answered.Has(o) {
			n += s.Counts[o]
		}
	}
	return n
}

// At is the second of an index, nil when nothing was recorded in it.
func (s *Snapshot) At(second int) *Second {
	if i := second - s.First; i >= 0 && i < len(s.Seconds) {
		return &s.Seconds[i]
	}
	return nil
}

// ResponseTotal is the sum of the response times of all turns, answered or not.
func (s *Snapshot) ResponseTotal() (sum time.Duration) {
	for _, h := range s.ByOutcome {
		sum = time.Duration(saturating(int64(sum), int64(h.Sum())))
	}
	return sum
}

// Clone is an independent copy; the plan is shared.
func (s *Snapshot) Clone() *Snapshot {
	c := *s
	c.Seconds = make([]Second, len(s.Seconds))
	for i := range s.Seconds {
		from := &s.Seconds[i]
		c.Seconds[i] = *from
		c.Seconds[i].Budgets = append([]BudgetCount(nil), from.Budgets...)
		c.Seconds[i].Response, c.Seconds[i].Lag = from.Response.Clone(), from.Lag.Clone()
	}
	for i := range c.Timings {
		c.Timings[i] = s.Timings[i].Clone()
	}
	for i := range c.ByOutcome {
		c.ByOutcome[i] = s.ByOutcome[i].Clone()
	}
	for i := range c.TierTimes {
		c.TierTimes[i] = s.TierTimes[i].Clone()
	}
	for i := range c.Groups {
		c.Groups[i].Response = s.Groups[i].Response.Clone()
	}
	c.Slots = append([]SlotTally(nil), s.Slots...)
	for i := range c.Slots {
		c.Slots[i].Response = s.Slots[i].Response.Clone()
	}
	c.Failures = append([]FailureCount(nil), s.Failures...)
	c.Server = append([]ServerTimes(nil), s.Server...)
	return &c
}
