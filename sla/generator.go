package sla

import (
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// When the generator could not measure what it was asked to.
const (
	taintTurns    = 20    // turns a second must have to be called tainted
	issuedLeast   = 0.99  // share of the planned starts that must be issued
	droppedMost   = 0.001 // share of starts dropped through our own fault
	taintedMost   = 0.05  // share of seconds
	taintedAtMost = 3     // seconds, if that is more
)

// generator is the generator's judgement of itself.
func (j *judge) generator() {
	g := &j.result.Generator
	g.LagP99, _ = j.snap.Timings[measure.Lag].Quantile(0.99)
	g.Tainted = j.tainted()
	own := j.snap.Counts[measure.DroppedGenerator]
	planned := j.snap.Planned
	if n, known := scheduled(j.facts); known {
		planned = n
	}
	due := planned - j.snap.Counts[measure.DroppedTarget]
	if planned > 0 && len(j.facts.Interrupted) == 0 && float64(j.snap.Started) < issuedLeast*float64(due) {
		g.Reasons = append(g.Reasons, reason.New(reason.TooFewStarts, j.snap.Started, due))
	}
	if float64(own) > droppedMost*float64(j.snap.Planned) {
		g.Reasons = append(g.Reasons, j.dropped(own))
	}
	seconds := 0
	for i := range j.snap.Seconds {
		if j.snap.Seconds[i].Turns() > 0 {
			seconds++
		}
	}
	if n := len(g.Tainted); float64(n) > max(taintedAtMost, taintedMost*float64(seconds)) {
		for _, r := range j.result.Objectives {
			if r.Verdict == Fail && j.passesWithout(r, g.Tainted) {
				g.Reasons = append(g.Reasons, reason.New(reason.FailsOnlyTainted, r.Name, n, seconds))
			}
		}
	}
}

// scheduled is how many starts the schedule has of a load that went by its plan
// and was recorded whole. Where it is not known, and in the closed model, only
// starts that were counted as they came up are planned ones.
func scheduled(f *measure.Facts) (n int64, known bool) {
	whole := len(f.Interrupted)+len(f.Aborted) == 0 && f.Gaps == 0
	return f.Generator.Planned, whole && f.Generator.Planned > 0
}

// dropped says how many starts the generator dropped and why, the most frequent
// cause first: it may have been short of descriptors or held back by the
// scenario's own guard.
func (j *judge) dropped(own int64) reason.Reason {
	var causes reason.Reasons
	for _, f := range j.snap.Failures {
		if f.Outcome == measure.DroppedGenerator {
			causes = append(causes, reason.New(reason.DropCause, f.Count, reason.Word(f.Message)))
		}
	}
	if causes == nil {
		return reason.New(reason.StartsDropped, own, j.snap.Planned, unit.Share(droppedMost))
	}
	return reason.New(reason.StartsDroppedBy, own, j.snap.Planned, unit.Share(droppedMost), causes)
}

// tainted gives the seconds whose lag P99 was over its limit: more of its turns
// were late than lie above the nearest rank.
func (j *judge) tainted() []int {
	b, ok := j.budgets[lagBudget]
	if !ok {
		return nil
	}
	var list []int
	for i := range j.snap.Seconds {
		var t tally
		t.add(j.snap.Seconds[i].Budgets, b)
		if t.n >= taintTurns && t.bad > t.n-uint64(measure.Rank(0.99, int64(t.n))) {
			list = append(list, j.snap.First+i)
		}
	}
	return list
}

// passesWithout tells whether an objective that failed passes when seconds are left out.
func (j *judge) passesWithout(failed Judged, seconds []int) bool {
	skip := func(second int) bool { _, found := slices.BinarySearch(seconds, second); return found }
	for _, o := range j.objectives {
		if o.Name != failed.Name {
			continue
		}
		r := Judged{Name: o.Name, Kind: o.Kind, Unit: "share", Target: float64(o.Target), Limit: o.Limit.D()}
		switch o.Kind {
		case scenario.KindSeconds:
			j.census(&r, o, skip)
		case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindFirstToken, scenario.KindChunkGap:
			j.share(&r, o, skip)
		default:
			return false
		}
		return r.Verdict == Pass
	}
	return false
}

// Conserved tells whether everything that was counted adds up: starts planned
// are those issued and those dropped, and where facts know how many the schedule
// has, they are these; every conversation issued has ended; a turn is in one
// outcome, one second, one slot and the histogram of its outcome. In the closed
// model nothing plans starts, and those counted are all there is. The error names
// what does not add up. Nil facts know nothing.
func Conserved(s *measure.Snapshot, facts *measure.Facts) error {
	if why := unconserved(s, facts); why.Code != "" {
		return reason.Err(why)
	}
	return nil
}

// unconserved is the first sum that counts do not obey, or the zero Reason.
func unconserved(s *measure.Snapshot, facts *measure.Facts) reason.Reason {
	turns := s.Turns()
	var inSeconds, startsInSeconds, dropsInSeconds, inSlots, inHistograms, ended, tiers int64
	for i := range s.Seconds {
		second := &s.Seconds[i]
		inSeconds += second.Turns()
		startsInSeconds += int64(second.Starts)
		dropsInSeconds += int64(second.Outcomes[measure.DroppedTarget]) + int64(second.Outcomes[measure.DroppedGenerator])
	}
	for _, slot := range s.Slots {
		inSlots += slot.Turns
	}
	for _, h := range s.ByOutcome {
		inHistograms += h.N()
	}
	for _, n := range s.Conversations {
		ended += n
	}
	for _, n := range s.Tiers {
		tiers += n
	}
	dropped := s.Counts[measure.DroppedTarget] + s.Counts[measure.DroppedGenerator]
	starts := s.Started + dropped
	if facts != nil {
		if n, known := scheduled(facts); known {
			starts = n
		}
	}
	for _, law := range []struct {
		what        reason.Code
		left, right int64
	}{
		{reason.PlannedAreIssuedOrDropped, s.Planned, s.Started + dropped},
		{reason.ScheduleIsIssuedOrDropped, starts, s.Started + dropped},
		{reason.IssuedHaveEnded, s.Started, ended},
		{reason.StartsBySecond, s.Started, startsInSeconds},
		{reason.DroppedBySecond, dropped, dropsInSeconds},
		{reason.TurnsBySecond, turns, inSeconds},
		{reason.TurnsBySlot, turns, inSlots},
		{reason.TurnsHaveResponseTimes, turns, inHistograms},
		{reason.TurnsHaveLags, turns, s.Timings[measure.Lag].N()},
		{reason.AnswersHaveTiers, s.Answered(), tiers},
		{reason.AnswersHaveResponseTimes, s.Answered(), s.Timings[measure.Response].N()},
		{reason.AnswersHaveServiceTimes, s.Answered(), s.Timings[measure.Service].N()},
	} {
		if law.left != law.right {
			return reason.New(reason.NotConserved, reason.New(law.what), law.left, law.right)
		}
	}
	return reason.Reason{}
}

// Burn is how fast an objective's budget of bad turns is spent: 1 is as fast as
// it allows.
type Burn struct {
	Objective string
	Window    time.Duration
	Rate      float64
	N         int64 // turns in the window
}

// Burns gives the burn rates over the last 5 s, 30 s and 5 min of whole seconds,
// of every objective that is a share of turns. Windows without turns are left out.
func Burns(s *scenario.Scenario, snap *measure.Snapshot) []Burn {
	var list []Burn
	end := int(snap.Elapsed / time.Second)
	for _, o := range s.Objectives() {
		b := slices.IndexFunc(snap.Plan.Budgets, func(b measure.Budget) bool { return b.Name == o.Name })
		if b < 0 || o.Target <= 0 || o.Target >= 1 || o.Kind == scenario.KindSeconds {
			continue
		}
		for _, seconds := range []int{5, 30, 300} {
			var t tally
			for second := max(end-seconds, 0); second < end; second++ {
				if at := snap.At(second); at != nil {
					t.add(at.Budgets, b)
				}
			}
			if t.n > 0 {
				rate := float64(t.bad) / float64(t.n) / (1 - float64(o.Target))
				list = append(list, Burn{o.Name, time.Duration(seconds) * time.Second, rate, int64(t.n)})
			}
		}
	}
	return list
}
