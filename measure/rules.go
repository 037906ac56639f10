package measure

import (
	"math/bits"
	"time"
)

// rules are the budgets of a plan, turned into tables: which budgets judge a
// turn, and which of them find it good, are a few ANDs of bit sets.
type rules struct {
	judges [][Outcomes]uint64 // by stage: budgets that judge an outcome
	good   [Outcomes]uint64   // budgets that find an outcome good
	tier   [2][Tiers]uint64   // budgets content with a tier; [1] of degraded turns
	// verified and checked are the budgets that ask for it; gaps judges gaps, not turns.
	verified, checked, gaps uint64
	limits                  []limit // of turns, by budget
	gapLimits               []limit
}

type limit struct {
	budget int
	of     Timing
	limit  time.Duration
}

func newRules(p *Plan) *rules {
	r := &rules{judges: make([][Outcomes]uint64, len(p.Stages))}
	for b, budget := range p.Budgets {
		bit := uint64(1) << b
		for o := range Outcomes {
			for stage := range p.Stages {
				if budget.Stages&(1<<stage) != 0 && budget.Valid.Has(Outcome(o)) {
					r.judges[stage][o] |= bit
				}
			}
			if budget.Good.Has(Outcome(o)) {
				r.good[o] |= bit
			}
		}
		for t := range Tier(Tiers) {
			if tierWithin(t, budget.TierAtMost, false) {
				r.tier[0][t] |= bit
			}
			if tierWithin(t, budget.TierAtMost, true) {
				r.tier[1][t] |= bit
			}
		}
		if budget.Verified {
			r.verified |= bit
		}
		if budget.Checked {
			r.checked |= bit
		}
		switch {
		case budget.Of == ChunkGap:
			r.gaps |= bit
			r.gapLimits = append(r.gapLimits, limit{b, ChunkGap, budget.Limit})
		case budget.Limit > 0:
			r.limits = append(r.limits, limit{b, budget.Of, budget.Limit})
		}
	}
	return r
}

// tierWithin: an answer that does not say its tier is taken to be the model's
// unless it is known to be degraded.
func tierWithin(t, atMost Tier, degraded bool) bool {
	switch {
	case atMost == TierUnknown || atMost == TierStatic:
		return true
	case t == TierUnknown:
		return !degraded
	}
	return t <= atMost
}

// judge counts a turn in the budgets that judge it.
func (r *rules) judge(counts []BudgetCount, stage int, t *Turn, checked bool) {
	if stage < 0 || t.Excluded {
		return
	}
	judges := r.judges[stage][t.Outcome]
	good := r.good[t.Outcome]
	if Answered.Has(t.Outcome) {
		degraded := 0
		if t.Outcome == Degraded {
			degraded = 1
		}
		good &= r.tier[degraded][t.Tier]
	}
	if r.verified != 0 && t.Memory != Verified && t.Outcome != ContextLost && t.Outcome != Integrity {
		judges &^= r.verified
	}
	if !checked && t.Outcome != Unexpected {
		judges &^= r.checked
	}
	for i := range r.limits {
		l := &r.limits[i]
		if d, ok := t.timing(l.of); !ok || d > l.limit {
			good &^= 1 << l.budget
		}
	}
	bad := judges &^ good &^ r.gaps
	for set := judges &^ r.gaps; set != 0; set &= set - 1 {
		counts[bits.TrailingZeros64(set)].N++
	}
	for ; bad != 0; bad &= bad - 1 {
		counts[bits.TrailingZeros64(bad)].Bad++
	}
	for _, l := range r.gapLimits {
		if judges&(1<<l.budget) == 0 {
			continue
		}
		for _, gap := range t.Gaps {
			counts[l.budget].N++
			if gap > l.limit {
				counts[l.budget].Bad++
			}
		}
	}
}

// drop counts a start that never became a conversation.
func (r *rules) drop(counts []BudgetCount, stage int, o Outcome) {
	if stage < 0 {
		return
	}
	for set := r.judges[stage][o] &^ r.gaps &^ r.verified &^ r.checked; set != 0; set &= set - 1 {
		b := bits.TrailingZeros64(set)
		counts[b].N++
		if r.good[o]&(1<<b) == 0 {
			counts[b].Bad++
		}
	}
}

// timing is a duration of a turn, and whether the turn has it.
func (t *Turn) timing(of Timing) (time.Duration, bool) {
	switch of {
	case Response:
		return t.Done - t.Intended, true
	case Service:
		return t.Done - t.Sent, true
	case FirstToken:
		return t.FirstToken - t.Intended, t.FirstToken > 0
	case Connect:
		return t.Connect, true
	case Lag:
		return t.Lag, true
	}
	return 0, false
}
