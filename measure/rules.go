package measure

import (
	"math/bits"
	"slices"
	"time"
)

// rules are the budgets of a plan, turned into tables: which budgets judge a
// turn, and which of them find it good, are a few ANDs of bit sets.
type rules struct {
	judges [][Outcomes]uint64    // by stage: budgets that judge an outcome
	good   [Outcomes]uint64      // budgets that find an outcome good
	tier   [2][Tiers]uint64      // budgets content with a tier; [1] of degraded turns
	groups [MaxGroups + 1]uint64 // budgets that judge the turns of a group; [0] those of none
	// verified, checked and told are the budgets that ask for it; gaps judges gaps, not turns.
	// reasoning judges only answers that have some.
	verified, checked, told, gaps, reasoning uint64
	limits                                   []limits // of turns, by timing
	gapLimits                                []limit
	together                                 uint64 // budgets that clusters are kept of
}

// limits are those on one timing. Few turns exceed the tightest.
type limits struct {
	of       Timing
	tightest time.Duration
	each     []limit
}

type limit struct {
	budget int
	limit  time.Duration
}

func newRules(p *Plan) *rules {
	r := &rules{judges: make([][Outcomes]uint64, len(p.Stages)), together: together(p)}
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
		r.grouped(bit, budget.Group)
		if budget.Verified {
			r.verified |= bit
		}
		if budget.Checked {
			r.checked |= bit
		}
		if budget.Told {
			r.told |= bit
		}
		r.timed(b, budget.Of, budget.Limit)
	}
	return r
}

// grouped adds whose turns a budget judges.
func (r *rules) grouped(bit uint64, group int) {
	for g := range r.groups {
		if group == 0 || group == g {
			r.groups[g] |= bit
		}
	}
}

// timed adds what a budget says of times.
func (r *rules) timed(b int, of Timing, most time.Duration) {
	bit := uint64(1) << b
	if of == FirstReasoning {
		r.reasoning |= bit
	}
	switch {
	case of == ChunkGap:
		r.gaps |= bit
		r.gapLimits = append(r.gapLimits, limit{b, most})
	case most > 0:
		r.limit(of, limit{b, most})
	}
}

func (r *rules) limit(of Timing, l limit) {
	for i := range r.limits {
		if r.limits[i].of == of {
			r.limits[i].each = append(r.limits[i].each, l)
			r.limits[i].tightest = min(r.limits[i].tightest, l.limit)
			return
		}
	}
	r.limits = append(r.limits, limits{of, l.limit, []limit{l}})
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

// over are the budgets whose limits a turn is beyond.
func (r *rules) over(t *Turn) (over uint64) {
	for i := range r.limits {
		group := &r.limits[i]
		d, ok := t.timing(group.of)
		if ok && d <= group.tightest {
			continue
		}
		for _, l := range group.each {
			if !ok || d > l.limit {
				over |= 1 << l.budget
			}
		}
	}
	return over
}

// judge counts a turn in the budgets that judge it.
func (r *rules) judge(s *secondTally, stage int, t *Turn, checked bool) {
	if stage < 0 || t.Excluded || t.Again {
		return
	}
	judges := r.judges[stage][t.Outcome]
	good := r.good[t.Outcome]
	if t.Group > 0 || Answered.Has(t.Outcome) {
		judges &= r.groups[t.Group]
	}
	if t.Outcome == Censored {
		good = ^uint64(0) // but for the limits that had passed when it was cut
	}
	if Answered.Has(t.Outcome) {
		degraded := 0
		if t.Outcome == Degraded {
			degraded = 1
		}
		good &= r.tier[degraded][t.Tier]
	}
	if t.Untold {
		good &^= r.told
	}
	if t.Memory != Verified && t.Outcome != ContextLost && t.Outcome != Integrity {
		judges &^= r.verified
	}
	if !checked && t.Outcome != Unexpected {
		judges &^= r.checked
	}
	if t.FirstReasoning == 0 && Answered.Has(t.Outcome) {
		judges &^= r.reasoning
	}
	good &^= r.over(t)
	if gaps := judges & r.gaps; gaps != 0 {
		if len(t.Gaps) == 0 {
			judges &^= gaps
		} else {
			good &^= r.tooLong(t.Gaps)
		}
	}
	if t.Outcome == Censored {
		judges &^= good // nobody knows what would have come
	}
	s.judged(judges)
	if t.Dialog != nil {
		for set := judges & r.together; set != 0; set &= set - 1 {
			b := bits.TrailingZeros64(set)
			t.Dialog.add(placeOf(r.together, b), 1, good&(1<<b) == 0)
		}
	}
	for bad := judges &^ good; bad != 0; bad &= bad - 1 {
		s.budgets[bits.TrailingZeros64(bad)].Bad++
	}
}

// tooLong are the budgets that one of the gaps is too long for.
func (r *rules) tooLong(gaps []time.Duration) (bad uint64) {
	longest := slices.Max(gaps)
	for _, l := range r.gapLimits {
		if longest > l.limit {
			bad |= 1 << l.budget
		}
	}
	return bad
}

// judged counts a turn in a set of budgets. Turns of one second are mostly
// judged by the same set, so they are counted together until it changes.
func (s *secondTally) judged(set uint64) {
	if set != s.set {
		s.settle()
		s.set = set
	}
	s.run++
}

func (s *secondTally) settle() {
	for set := s.set; set != 0; set &= set - 1 {
		s.budgets[bits.TrailingZeros64(set)].N += s.run
	}
	s.set, s.run = 0, 0
}

// drop counts the turns of a start that never became a conversation, and what they
// would have been to it.
func (r *rules) drop(counts []BudgetCount, d *Dialog, stage int, o Outcome, turns uint16) {
	if stage < 0 {
		return
	}
	for set := r.judges[stage][o] &^ r.gaps &^ r.verified &^ r.checked; set != 0; set &= set - 1 {
		b := bits.TrailingZeros64(set)
		bad := r.good[o]&(1<<b) == 0
		counts[b].N += uint32(turns)
		if bad {
			counts[b].Bad += uint32(turns)
		}
		if r.together&(1<<b) != 0 {
			d.add(placeOf(r.together, b), turns, bad)
		}
	}
}

// timing is a duration of a turn, and whether the turn has it.
func (t *Turn) timing(of Timing) (time.Duration, bool) {
	switch of {
	case Response:
		return t.Done - t.Intended - t.Login, true
	case Service:
		return t.Done - t.Sent, true
	case FirstToken:
		return t.first(t.FirstToken)
	case FirstReasoning:
		return t.first(t.FirstReasoning)
	case Connect:
		return t.Connect, true
	case Lag:
		return t.Lag, true
	case TokenTime:
		return t.perToken()
	case ChunkGap: // a turn has many: they are counted where they come
	}
	return 0, false
}

// first is how long the first piece of a kind took to come, and whether it came:
// of a turn that was cut before, it took longer than the turn lasted.
func (t *Turn) first(at time.Duration) (time.Duration, bool) {
	if t.Outcome == Censored && at == 0 {
		return t.Done - t.Intended - t.Login, true
	}
	return at - t.Intended - t.Login, at > 0
}
