package sla

import (
	"slices"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// bounds gives the verdict of a load of which shards are missing or cut off: what
// they would have sent is counted once as good and once as bad. It passes only if
// it does so at worst, fails only if it does so at best, and is incomplete
// between, with the objectives that would decide it.
func (j *judge) bounds() {
	r := &j.result
	r.Verdict = Incomplete
	if len(j.facts.Unsent) == 0 || len(r.Generator.Reasons) > 0 {
		return // a generator at fault decides nothing, whatever was not sent
	}
	r.Best, r.Worst = j.had(false), j.had(true)
	best, worst := &r.Best.Result, &r.Worst.Result
	turns := j.unsentTurns()
	switch {
	case best.Verdict == Fail:
		r.Verdict = Fail
		r.Reasons = append(r.Reasons, reason.New(reason.FailsAtBest, turns))
	case worst.Verdict == Pass:
		r.Verdict = Pass
		r.Warnings = append(r.Warnings, r.Reasons...)
		r.Warnings = append(r.Warnings, reason.New(reason.PassesAtWorst, turns))
		r.Reasons = nil
	default:
		for i, o := range best.Objectives {
			if w := worst.Objectives[i]; w.Verdict != o.Verdict {
				r.Reasons = append(r.Reasons, reason.New(reason.UnsentDecides, o.Name, o.Verdict.Word(), turns, w.Verdict.Word()))
			}
		}
	}
}

// unsentTurns is about how many turns were not sent, or are not known of.
func (j *judge) unsentTurns() (n int64) {
	for _, u := range j.facts.Unsent {
		if b, ok := j.budgets[answeredBudget]; ok && b < len(u.Budgets) {
			n += int64(u.Budgets[b])
		}
	}
	return n
}

// had judges the load as if what was not sent had been, all of it well or all of
// it badly.
func (j *judge) had(badly bool) *Bound {
	facts := *j.facts
	facts.Missing, facts.Cut, facts.Unsent = nil, nil, nil
	facts.Generator.Planned, facts.Generator.Asked = 0, 0 // counted by those that were whole
	snap := *j.snap
	snap.Seconds = slices.Clone(j.snap.Seconds)
	var starts int64
	for _, u := range j.facts.Unsent {
		starts += int64(u.Starts)
		at := snap.At(u.Second)
		if at == nil {
			continue
		}
		counts := slices.Clone(at.Budgets)
		for b := range min(len(counts), len(u.Budgets)) {
			counts[b].N += u.Budgets[b]
			// That they were sent late too makes no turn worse than bad.
			if badly && snap.Plan.Budgets[b].Name != lagBudget {
				counts[b].Bad += u.Budgets[b]
			}
		}
		at.Budgets = counts
	}
	if badly {
		snap.Conversations[measure.Broken] += starts
		if snap.Verified > 0 {
			snap.Counts[measure.Integrity]++ // one is enough
		}
		if snap.Counts[measure.Refused] > 0 {
			snap.Counts[measure.LetIn]++
		}
		snap.Planted++
	} else {
		snap.Conversations[measure.Complete] += starts
		snap.Counts[measure.OK] += j.unsentTurns() // what an LLM call is shared by
	}
	return &Bound{Evaluate(j.s, &snap, &facts), snap.Counts, snap.Planted}
}
