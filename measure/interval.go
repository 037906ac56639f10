package measure

import (
	"errors"
	"time"
)

// interval is what one lane recorded since the last cut. It is reused: arrays
// are allocated when first needed and kept.
type interval struct {
	plan  *Plan
	rules *rules

	timings   [Timings]accumulator // Response stays empty: it is the sum of the answered outcomes
	byOutcome [Outcomes]accumulator
	slots     []slotTally
	counts    [Outcomes]int64
	tiers     [Tiers]int64
	tierTimes [Tiers]sketchTally
	groups    []groupTally // parallel to the plan's
	ends      [ConversationEnds]int64
	clusters  clusters

	excluded, planned, started, planted, verified, notVerified int64

	usage    Usage
	failures failureTally
	phases   phaseTally

	// at finds the tally of a second: its position in touched plus one.
	at      []int32
	touched []*secondTally
	spare   []*secondTally
}

// groupTally is a GroupTally while it is recorded.
type groupTally struct {
	outcomes [Outcomes]int64
	response sketchTally
}

type slotTally struct {
	turns, answered int64
	response        accumulator
}

// secondTally is a Second while it is recorded.
type secondTally struct {
	second   int
	starts   uint32
	flow     Flow
	outcomes [Outcomes]uint32
	tiers    [Tiers]uint32
	budgets  []BudgetCount
	set      uint64 // the budgets that judged the last run of turns, see judged
	run      uint32
	response sketchTally
	lag      sketchTally

	positions [Positions]TurnTime
}

// prepared is how many seconds an interval has room for before it allocates:
// turns recorded in one second were intended in a few.
const prepared = 4

func newInterval(p *Plan, r *rules) *interval {
	v := &interval{plan: p, rules: r, slots: make([]slotTally, len(p.Slots)), groups: make([]groupTally, len(p.Groups)), at: make([]int32, p.Seconds()+1)}
	for range prepared {
		v.spare = append(v.spare, &secondTally{budgets: make([]BudgetCount, len(p.Budgets))})
	}
	return v
}

// second gives the tally of the second of an intended time.
func (v *interval) second(intended time.Duration) *secondTally {
	i := v.plan.SecondAt(intended)
	if k := v.at[i]; k != 0 {
		return v.touched[k-1]
	}
	var s *secondTally
	if n := len(v.spare); n > 0 {
		s = v.spare[n-1]
		v.spare = v.spare[:n-1]
	} else {
		s = &secondTally{budgets: make([]BudgetCount, len(v.plan.Budgets))}
	}
	s.second = i
	v.touched = append(v.touched, s)
	v.at[i] = int32(len(v.touched))
	return s
}

func (v *interval) record(t *Turn) {
	outcome, tier := t.Outcome, t.Tier
	v.counts[outcome]++
	response := t.Done - t.Intended - t.Login
	v.byOutcome[outcome].record(response)
	v.timings[Lag].record(t.Lag)
	s := v.second(t.Intended)
	s.outcomes[outcome]++
	s.lag.record(t.Lag)

	checked := false
	if uint(t.Slot) < uint(len(v.slots)) {
		slot := &v.slots[t.Slot]
		slot.turns++
		checked = v.plan.Slots[t.Slot].Checked
		if outcome == Refused {
			slot.answered++ // it came to what it had to
		}
		if Answered.Has(outcome) {
			slot.answered++
			slot.response.record(response)
			s.positions[min(uint(v.plan.Slots[t.Slot].Index), Positions-1)].record(response)
		}
	}
	if Answered.Has(outcome) {
		v.timings[Service].record(t.Done - t.Sent)
		v.tiers[tier]++
		v.tierTimes[tier].record(response)
		s.tiers[tier]++
		s.response.record(response)
	}
	if t.Group > 0 {
		g := &v.groups[t.Group-1]
		g.outcomes[outcome]++
		if Answered.Has(outcome) {
			g.response.record(response)
		}
	}
	if !t.Excluded && !ToRefuse.Has(outcome) {
		v.flow(t, s)
	}
	v.rules.judge(s, v.plan.StageAt(t.Intended), t, checked)
	v.phases.record(t)
	v.recordRare(t)
}

// flow records when an answer came, or how long one was waited for; of is the
// second the turn was intended in.
func (v *interval) flow(t *Turn, of *secondTally) {
	to := of
	if t.Done >= time.Duration(of.second+1)*time.Second {
		to = v.second(t.Done)
	}
	if !Answered.Has(t.Outcome) {
		if to != of {
			of.flow.Lost++
			to.flow.LostEnd++
		}
		return
	}
	to.flow.Answers++
	if p := v.plan.Patience; p > 0 && t.Done-t.Intended > p {
		if from := v.second(t.Intended + p); from != to {
			from.flow.Late++
			to.flow.LateEnd++
		}
	}
}

// recordRare is what few turns have.
func (v *interval) recordRare(t *Turn) {
	if t.Excluded {
		v.excluded++
	}
	if t.Planted {
		v.planted++
	}
	switch {
	case t.Memory == Verified:
		v.verified++
	case (t.Outcome == OK || t.Outcome == Unexpected) && t.Tier <= TierLLM:
		v.notVerified++
	}
	if t.FirstToken > 0 {
		v.timings[FirstToken].record(t.FirstToken - t.Intended - t.Login)
	}
	if t.FirstReasoning > 0 {
		v.timings[FirstReasoning].record(t.FirstReasoning - t.Intended - t.Login)
	}
	if t.Connect > 0 {
		v.timings[Connect].record(t.Connect)
	}
	if took, ok := t.perToken(); ok {
		v.timings[TokenTime].record(took)
	}
	v.usage.record(&t.Usage)
	for _, gap := range t.Gaps {
		v.timings[ChunkGap].record(gap)
	}
}

// drain gives what v holds as a snapshot of the seconds touched, and empties v.
func (v *interval) drain(s *Snapshot) error {
	var errs []error
	for i := range v.timings {
		errs = append(errs, v.timings[i].drain(s.Timings[i]))
	}
	for o := range v.byOutcome {
		if v.byOutcome[o].exact.n == 0 {
			continue
		}
		if s.ByOutcome[o] == nil {
			s.ByOutcome[o] = NewHistogram()
		}
		errs = append(errs, v.byOutcome[o].drain(s.ByOutcome[o]))
	}
	for i := range v.slots {
		slot := &v.slots[i]
		s.Slots[i].Turns += slot.turns
		s.Slots[i].Answered += slot.answered
		errs = append(errs, slot.response.drain(s.Slots[i].Response))
		slot.turns, slot.answered = 0, 0
	}
	v.drainCounts(s)
	v.drainSeconds(s)
	v.failures.drain(s)
	v.phases.drain(s)
	return errors.Join(errs...)
}

func (v *interval) drainCounts(s *Snapshot) {
	for i, n := range v.counts {
		s.Counts[i] += n
	}
	for i, n := range v.tiers {
		s.Tiers[i] += n
	}
	for i := range v.tierTimes {
		if t := v.tierTimes[i].drain(); t.n > 0 {
			s.TierTimes[i].Add(&t)
		}
	}
	for i := range v.plan.Groups {
		g := &v.groups[i]
		for o, n := range g.outcomes {
			s.Groups[i].Outcomes[o] += n
		}
		g.outcomes = [Outcomes]int64{}
		if t := g.response.drain(); t.n > 0 {
			s.Groups[i].Response.Add(&t)
		}
	}
	for i, n := range v.ends {
		s.Conversations[i] += n
	}
	s.Clusters.merge(&v.clusters)
	s.Usage.add(&v.usage)
	v.usage = Usage{}
	s.Excluded += v.excluded
	s.Planned += v.planned
	s.Started += v.started
	s.Planted += v.planted
	s.Verified += v.verified
	s.NotVerified += v.notVerified
	v.counts, v.tiers, v.ends, v.clusters = [Outcomes]int64{}, [Tiers]int64{}, [ConversationEnds]int64{}, clusters{}
	v.excluded, v.planned, v.started, v.planted, v.verified, v.notVerified = 0, 0, 0, 0, 0, 0
}

// drainSeconds costs what was touched, not the length of the plan.
func (v *interval) drainSeconds(s *Snapshot) {
	if len(v.touched) == 0 {
		return
	}
	part := &Snapshot{First: v.touched[0].second}
	end := part.First
	for _, t := range v.touched {
		part.First, end = min(part.First, t.second), max(end, t.second)
	}
	part.Seconds = make([]Second, end-part.First+1)
	for _, t := range v.touched {
		t.settle()
		to := &part.Seconds[t.second-part.First]
		to.Starts, to.Outcomes, to.Tiers = t.starts, t.outcomes, t.tiers
		to.Flow = t.flow
		to.Budgets = append([]BudgetCount(nil), t.budgets...)
		to.Response, to.Lag = t.response.drain(), t.lag.drain()
		t.starts, t.outcomes, t.tiers = 0, [Outcomes]uint32{}, [Tiers]uint32{}
		to.Positions = t.positions
		t.flow, t.positions = Flow{}, [Positions]TurnTime{}
		clear(t.budgets)
		v.at[t.second] = 0
		v.spare = append(v.spare, t)
	}
	v.touched = v.touched[:0]
	s.addSeconds(part)
}
