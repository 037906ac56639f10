package sla

import (
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// bound holds a share that was inferred against what is not known of it: turns
// that cstest itself cut, and answers that do not say their tier, or whether they
// are degraded, where the scenario says that they do. A pass has to stand with all
// of them bad, a fail with all of them good.
func (j *judge) bound(r *Judged, o scenario.Objective, skip func(second int) bool) {
	u := j.unknown(o, skip)
	cut, untold := u.cut, min(u.tier+u.degraded+u.repeated, r.N-r.Bad) // the latter are counted, and as good
	r.Cut, r.Untold = cut, untold
	p := 1 - r.Target
	worst, best, n := r.Bad+cut+untold, r.Bad, r.N+cut
	r.Lower = 1 - Upper(worst, n, j.confidence, r.DEFF)
	r.Upper = 1 - Lower(best, n, j.confidence, r.DEFF)
	switch {
	case j.decide(worst, n, p, r.DEFF) == Pass, j.decide(best, n, p, r.DEFF) == Fail:
	case untold > 0:
		r.Verdict = NotVerified
	default:
		r.Verdict = Inconclusive
	}
	if n := min(u.repeated, untold); n > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.RepeatedUntold, r.Verdict.Word(), unit.Share(float64(n)/float64(r.N)))}, r.Reason...)
	}
	if n := min(u.degraded, untold); n > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.DegradedUntold, r.Verdict.Word(), unit.Share(float64(n)/float64(r.N)))}, r.Reason...)
	}
	if n := min(u.tier, untold); n > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.TierUntold, r.Verdict.Word(), unit.Share(float64(n)/float64(r.N)))}, r.Reason...)
	}
	if cut > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.CutUnknown, r.Verdict.Word(), cut)}, r.Reason...)
	}
}

// unknowns are turns of which nobody knows whether they were good.
type unknowns struct {
	cut      int64 // by cstest
	tier     int64 // answers that do not say it
	degraded int64 // answers that say a tier or need not, but not whether they are degraded
	repeated int64 // answers that many different questions got
}

// unknown counts them in the seconds of an objective's stages, or of one about
// conversations those that cstest gave up.
func (j *judge) unknown(o scenario.Objective, skip func(second int) bool) (u unknowns) {
	if ofConversations(o.Kind) {
		return unknowns{cut: j.snap.Conversations[measure.Abandoned]}
	}
	if o.Kind == scenario.KindFullQuality {
		u.repeated = j.repeated()
	}
	plan := j.snap.Plan
	budget := plan.Budgets[j.budgets[o.Name]]
	byTier := o.Kind == scenario.KindFullQuality || budget.TierAtMost != measure.TierUnknown && budget.TierAtMost != measure.TierStatic
	for i := range j.snap.Seconds {
		second := j.snap.First + i
		if j.leftOut(second) || skip != nil && skip(second) {
			continue
		}
		stage := plan.StageAt(time.Duration(second)*time.Second + time.Second/2)
		if stage < 0 || budget.Stages&(1<<stage) == 0 {
			continue
		}
		s := &j.snap.Seconds[i]
		if budget.Of != measure.ChunkGap && !budget.Checked {
			u.cut += int64(s.Outcomes[measure.Censored])
		}
		if byTier {
			tier, degraded := UntoldOf(j.s, plan, s)
			u.tier += tier
			u.degraded += degraded
		}
	}
	return u
}

// UntoldOf counts the answers of a second that do not say their tier, and those
// beside them that do not say whether they are degraded, where the scenario names
// the place that says it.
func UntoldOf(s *scenario.Scenario, p *measure.Plan, second *measure.Second) (tier, degraded int64) {
	if saysTier(s) {
		tier = int64(second.Tiers[measure.TierUnknown])
	}
	for b, budget := range p.Budgets {
		if budget.Name == toldBudget && b < len(second.Budgets) {
			degraded = int64(second.Budgets[b].Bad)
		}
	}
	return tier, degraded
}

// qualityNeverTold tells whether no answer said what full quality is judged by,
// though they all should.
func (j *judge) qualityNeverTold() (reason.Code, bool) {
	if saysTier(j.s) && j.snap.Tiers[measure.TierUnknown] > 0 && j.snap.Tiers[measure.TierUnknown] == j.snap.Answered() {
		return reason.TierNeverTold, true
	}
	if t, ok := j.total(toldBudget, nil); ok && t.n > 0 && int64(t.bad) == j.snap.Answered() {
		return reason.DegradedNeverTold, true
	}
	return "", false
}

// toldRecovery tells whether quality is back so long after a storm even if the
// answers that do not say so are not of full quality, over the time it has to hold.
func (j *judge) toldRecovery(s measure.Storm, after time.Duration, target float64) bool {
	b := j.budgets[qualityBudget]
	var seen tally
	untold := int64(0)
	from := wholeSecond(edge(s.End + after))
	for i := range j.snap.Seconds {
		if second := j.snap.First + i; second >= from && second < from+hold {
			seen = seen.plus(j.at(b, second))
			tier, degraded := UntoldOf(j.s, j.snap.Plan, &j.snap.Seconds[i])
			untold += tier + degraded
		}
	}
	return untold == 0 || within(float64(seen.bad)+float64(untold), float64(seen.n), 1-target)
}

// saysTier tells whether the scenario says where answers tell their tier.
func saysTier(s *scenario.Scenario) bool {
	response := s.Target.Response
	return response != nil && response.Tier != nil
}

// warnTiers tells of answers whose tier is not known, with the words nobody mapped.
func (j *judge) warnTiers(warn func(code reason.Code, args ...any)) {
	answered := float64(max(j.snap.Answered(), 1))
	for _, f := range j.snap.Failures {
		if word, ok := strings.CutPrefix(f.Message, measure.UnmappedTier); ok && f.Outcome == measure.Degraded {
			warn(reason.TierUnmapped, strings.TrimSpace(word), unit.Share(float64(f.Count)/answered))
		}
	}
	if n := j.snap.Tiers[measure.TierUnknown] - j.unmapped(); saysTier(j.s) && n > 0 {
		warn(reason.TierMissing, unit.Share(float64(n)/answered))
	}
	if t, ok := j.total(toldBudget, nil); ok && t.bad > 0 {
		warn(reason.DegradedMissing, unit.Share(float64(t.bad)/answered))
	}
}

// unmapped is how many answers told a tier that nobody mapped.
func (j *judge) unmapped() (n int64) {
	for _, f := range j.snap.Failures {
		if f.Outcome == measure.Degraded && strings.HasPrefix(f.Message, measure.UnmappedTier) {
			n += f.Count
		}
	}
	return n
}
