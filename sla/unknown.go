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
// that cstest itself cut, and answers that do not say their tier where the
// scenario says that they do. A pass has to stand with all of them bad, a fail
// with all of them good.
func (j *judge) bound(r *Judged, o scenario.Objective, skip func(second int) bool) {
	cut, untold := j.unknown(o, skip)
	if o.Kind == scenario.KindConversations {
		cut, untold = j.snap.Conversations[measure.Abandoned], 0
	}
	untold = min(untold, r.N-r.Bad) // those are counted, and as good
	if cut+untold == 0 {
		return
	}
	p := 1 - r.Target
	worst, best, n := r.Bad+cut+untold, r.Bad, r.N+cut
	r.Lower = 1 - Upper(worst, n, j.confidence, r.DEFF)
	r.Upper = 1 - Lower(best, n, j.confidence, r.DEFF)
	says := func(bad int64) Verdict {
		switch {
		case !j.measured:
			return Infer(bad, n, p, j.confidence, r.DEFF)
		case float64(bad) <= p*float64(n)+1e-9:
			return Pass
		}
		return Fail
	}
	switch {
	case says(worst) == Pass, says(best) == Fail:
	case untold > 0:
		r.Verdict = NotVerified
	default:
		r.Verdict = Inconclusive
	}
	if untold > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.TierUntold, r.Verdict.Word(), unit.Share(float64(untold)/float64(r.N)))}, r.Reason...)
	}
	if cut > 0 {
		r.Reason = append(reason.Reasons{reason.New(reason.CutUnknown, r.Verdict.Word(), cut)}, r.Reason...)
	}
}

// unknown counts, in the seconds of an objective's stages, the turns that were cut
// and the answers that do not say their tier.
func (j *judge) unknown(o scenario.Objective, skip func(second int) bool) (cut, untold int64) {
	b, ok := j.budgets[o.Name]
	if !ok {
		return 0, 0
	}
	plan := j.snap.Plan
	budget := plan.Budgets[b]
	tiered := j.saysTier() && (o.Kind == scenario.KindFullQuality || budget.TierAtMost != measure.TierUnknown && budget.TierAtMost != measure.TierStatic)
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
			cut += int64(s.Outcomes[measure.Censored])
		}
		if tiered {
			untold += int64(s.Tiers[measure.TierUnknown])
		}
	}
	return cut, untold
}

// saysTier tells whether the scenario says where answers tell their tier.
func (j *judge) saysTier() bool {
	response := j.s.Target.Response
	return response != nil && response.Tier != nil
}

// tierNeverTold tells whether no answer told its tier, though they all should.
func (j *judge) tierNeverTold() bool {
	return j.saysTier() && j.snap.Tiers[measure.TierUnknown] > 0 && j.snap.Tiers[measure.TierUnknown] == j.snap.Answered()
}

// warnTiers tells of answers whose tier is not known, with the words nobody mapped.
func (j *judge) warnTiers(warn func(code reason.Code, args ...any)) {
	answered := float64(j.snap.Answered())
	if answered == 0 {
		return
	}
	for _, f := range j.snap.Failures {
		if word, ok := strings.CutPrefix(f.Message, measure.UnmappedTier); ok && f.Outcome == measure.Degraded {
			warn(reason.TierUnmapped, strings.TrimSpace(word), unit.Share(float64(f.Count)/answered))
		}
	}
	if n := j.snap.Tiers[measure.TierUnknown] - j.unmapped(); j.saysTier() && n > 0 {
		warn(reason.TierMissing, unit.Share(float64(n)/answered))
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
