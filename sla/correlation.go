package sla

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Correlation is how much the turns of one conversation were bad together, as a
// run measured it. It stands beside the design effect of the plan, which takes
// conversations for good or bad as a whole, and judges nothing: an effect that
// depends on the outcome could let one bad turn more improve a verdict.
type Correlation struct {
	// Rho is the correlation of two turns of a conversation: 0 where they fail
	// independently, 1 where conversations are good or bad as a whole.
	Rho float64
	// DEFF is the design effect that comes of it.
	DEFF float64
}

// correlationLeast is how many turns must be bad, and how many good, before their
// correlation is told: of fewer it depends on where a single one of them fell.
const correlationLeast = 10

// correlationOf is the estimate that gives every pair of turns the same weight,
// ρ̂ = (λ̂ − μ̂²)/(μ̂(1−μ̂)) with μ̂ = Σb(n−1)/Σn(n−1) and λ̂ = Σb(b−1)/Σn(n−1) over
// conversations of n turns of which b are bad; false where no conversation had two
// turns, or all of them ended alike. (S. Karlin, E. C. Cameron, P. T. Williams, PNAS
// 78 (1981); M. S. Ridout, C. G. B. Demétrio, D. Firth, Biometrics 55 (1999).) The
// design effect is 1 + ρ·Σn(n−1)/Σn (L. Kish, Survey Sampling, 1965).
func correlationOf(c measure.Clusters) (Correlation, bool) {
	if c.BadFirst == 0 || c.BadFirst == c.Pairs {
		return Correlation{}, false
	}
	pairs := float64(c.Pairs)
	bad := float64(c.BadFirst) / pairs
	rho := (float64(c.BadBoth)/pairs - bad*bad) / (bad * (1 - bad))
	return Correlation{rho, 1 + rho*pairs/float64(c.Turns)}, true
}

// correlate sets the measured correlation of an objective's turns, where there are
// enough of them and it judges all that the budget counted: of full quality a storm
// is left out, and the pairs do not say which turns were in one.
func (j *judge) correlate(r *Judged, o scenario.Objective) {
	if r.Bad < correlationLeast || r.N-r.Bad < correlationLeast || j.strained != nil ||
		o.Kind == scenario.KindFullQuality && len(j.excused()) > 0 {
		return
	}
	b, ok := j.budgets[o.Name]
	if !ok {
		return
	}
	sums, _ := j.snap.Together(b) // none where they were not kept
	if c, known := correlationOf(sums); known {
		r.Correlation = &c
	}
}

// fallTogether tells whether it is counted how turns of objectives of a kind are
// bad together: where a share of turns is inferred.
func fallTogether(k scenario.ObjectiveKind) bool {
	switch k {
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindExpected,
		scenario.KindFirstToken, scenario.KindFirstReasoning, scenario.KindChunkGap:
		return true
	case scenario.KindSeconds, scenario.KindContext, scenario.KindIntegrity, scenario.KindPlanted, scenario.KindRefused, scenario.KindConversations, scenario.KindAbandoned,
		scenario.KindRecoveryLatency, scenario.KindRecoveryQuality, scenario.KindCallsPerTurn, scenario.KindObserved, scenario.KindClient:
	}
	return false
}
