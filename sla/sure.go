package sla

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"github.com/cstest/cstest/scenario"
)

// Sure says how sure a run of the scenario that judges n turns for an objective is
// to decide. A target of which at most the share pass is bad passes four times in
// five, one of which at least the share fail is bad fails so often; NaN is never.
//
// Turns fail in clusters as large as the design effect, X/d ~ Bin(n/d, q), so that
// pass and fail are quantiles of the beta distribution at the last count that
// passes and the first that fails.
func Sure(s *scenario.Scenario, o scenario.Objective, n int64) (pass, fail float64) {
	j := &judge{users: s.UsersTold(), confidence: float64(s.SLA.Confidence), measured: s.SLA.Gate == scenario.GateMeasured}
	deff := s.TurnsTogether()
	if ofConversations(o.Kind) {
		deff = 1
	}
	return j.sure(n, 1-float64(o.Target), j.deffOf(float64(n), deff))
}

func (j *judge) sure(n int64, p, deff float64) (pass, fail float64) {
	verdict := func(bad int64) Verdict { return j.decide(bad, n, p, deff) }
	m := float64(n) / deff
	pass, fail = math.NaN(), math.NaN()
	if n > 0 && verdict(0) == Pass {
		most := first(1, n+1, func(bad int64) bool { return verdict(bad) != Pass }) - 1
		if k := math.Floor(float64(most) / deff); k < m {
			pass = mathext.InvRegIncBeta(k+1, m-k, 1-power)
		} else {
			pass = 1
		}
	}
	if verdict(n) == Fail {
		least := first(1, n, func(bad int64) bool { return verdict(bad) == Fail })
		if k := math.Ceil(float64(least) / deff); k <= m {
			fail = mathext.InvRegIncBeta(k, m-k+1, power)
		}
	}
	return pass, fail
}
