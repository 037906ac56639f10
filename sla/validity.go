package sla

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// When the generator could not measure what it was asked to.
const (
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
	g.Starved = j.starved()
	g.Late = union(g.Tainted, g.Starved)
	g.Due = j.snap.Planned
	if n, known := scheduled(j.facts); known {
		g.Due = n
	}
	due := g.Due - j.snap.Counts[measure.DroppedTarget]
	if len(j.facts.Interrupted) == 0 && float64(j.snap.Started) < issuedLeast*float64(due) {
		g.Reasons = append(g.Reasons, reason.New(reason.TooFewStarts, j.snap.Started, due))
	}
	if float64(own) > droppedMost*float64(j.snap.Planned) {
		g.Reasons = append(g.Reasons, j.dropped(own))
	}
	for i := range j.snap.Seconds {
		if j.snap.Seconds[i].Turns() > 0 {
			g.Seconds++
		}
	}
	if n := len(g.Late); float64(n) > max(taintedAtMost, taintedMost*float64(g.Seconds)) {
		failed, still := j.failsWithout(g.Late)
		g.FailsWithout = still
		code := reason.FailsOnlyTainted
		if n > len(g.Tainted) {
			code = reason.FailsOnlyStarved
		}
		for _, name := range failed {
			if len(still) == 0 {
				g.Reasons = append(g.Reasons, reason.New(code, name, n, g.Seconds))
			}
		}
	}
}

// scheduled is how many starts the schedule has of a load that went by its plan
// and was recorded whole. Where it is not known, and in the closed model, only
// starts that were counted as they came up are planned ones.
func scheduled(f *measure.Facts) (n int64, known bool) {
	whole := len(f.Interrupted)+len(f.Aborted)+len(f.Cut) == 0 && f.Gaps == 0
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
		if t.bad > t.n-uint64(measure.Rank(0.99, int64(t.n))) {
			list = append(list, j.snap.First+i)
		}
	}
	return list
}

// without judges as j does, as if nothing had been seen in some seconds and in
// those near them: a turn that is in flight when the generator stops is read late,
// or is timed out, and when it goes on, what it held back comes all at once.
func (j *judge) without(seconds []int) *judge {
	before := max(wholeSecond(j.s.Target.Timeout.D()), 1)
	w := &judge{
		s: j.s, snap: j.snap, facts: j.facts, objectives: j.objectives, budgets: j.budgets, confidence: j.confidence,
		deff: j.deff, users: j.users, measured: j.measured, storms: j.storms, silent: j.silent, strained: make([]bool, j.snap.Plan.Seconds()+1),
	}
	for _, second := range seconds {
		for near := max(second-before, 0); near <= second+1 && near < len(w.strained); near++ {
			w.strained[near] = true
		}
	}
	return w
}

// leftOut tells whether what was seen in a second is not judged.
func (j *judge) leftOut(second int) bool { return second < len(j.strained) && j.strained[second] }

// failsWithout names the objectives and storms that fail, and those that do
// without some seconds. Conversations have turns in many, and cannot be judged so.
func (j *judge) failsWithout(seconds []int) (failed, still []string) {
	w := j.without(seconds)
	for i, r := range j.result.Objectives {
		if r.Verdict == Fail {
			failed = append(failed, r.Name)
			if !ofConversations(r.Kind) && w.objective(j.objectives[i]).Verdict == Fail {
				still = append(still, r.Name)
			}
		}
	}
	for i, s := range j.result.Storms {
		if s.Metastable {
			failed = append(failed, s.Name)
			if w.metastable(j.storms[i]) {
				still = append(still, s.Name)
			}
		}
	}
	return failed, still
}
