package sla

import (
	"math"
	"time"

	"github.com/cstest/cstest/measure"
)

// Interval is a quantile with the order statistics that hold it between them.
type Interval struct {
	Value        time.Duration
	Lower, Upper time.Duration
	// Known: there were enough samples. Else nothing but Needs is set, which is how
	// many it takes.
	Known bool
	Needs int64
}

// QuantileInterval gives a quantile by nearest rank, with a distribution-free
// two-sided interval for samples of the given design effect (1: independent):
// "431 ms [402 ms, 466 ms]".
func QuantileInterval(h *measure.Histogram, q, confidence, deff float64) Interval {
	lower, upper, ok := quantileRanks(h.N(), q, confidence, deff)
	i := Interval{Known: ok, Needs: QuantileNeeds(q, confidence)}
	if deff > 1 && !math.IsInf(deff, 1) {
		i.Needs = int64(math.Ceil(float64(i.Needs) * deff))
	}
	if !ok {
		return i
	}
	i.Value, _ = h.Quantile(q)
	i.Lower, _ = h.AtRank(lower)
	i.Upper, _ = h.AtRank(upper)
	return i
}
