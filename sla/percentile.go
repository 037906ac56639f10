package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// Ordered are durations of which the one at a rank, from 1, is known.
type Ordered interface {
	N() int64
	AtRank(k int64) (time.Duration, bool)
}

// Percentile is a quantile as it may be shown: by nearest rank, of h and of failed
// more that took for ever, with the order statistics that hold it between them at
// 95 %. Nil stands for infinite.
type Percentile struct {
	// Known: there are as many as QuantileNeeds; else nothing else is set.
	Known bool
	Value *time.Duration
	// Bounded: there are enough even as they hang together in time.
	Bounded      bool
	Lower, Upper *time.Duration
}

// shown is the confidence of every percentile that is shown.
const shown = 0.95

// PercentileOf is what every place that shows a percentile goes by. deff is the
// design effect of the durations at q.
func PercentileOf(h Ordered, q float64, failed int64, deff float64) (p Percentile) {
	n := h.N() + failed
	if n < QuantileNeeds(q, shown) || n == 0 {
		return p
	}
	at := func(k int64) *time.Duration {
		if d, ok := h.AtRank(k); ok {
			return &d
		}
		return nil
	}
	p.Known, p.Value = true, at(measure.Rank(q, n))
	if lower, upper, ok := quantileRanks(n, q, deff); ok {
		p.Bounded, p.Lower, p.Upper = true, at(lower), at(upper)
	}
	return p
}

// Shown is a quantile of durations that all ended; false with too few of them.
func Shown(h Ordered, q float64) (time.Duration, bool) {
	if p := PercentileOf(h, q, 0, 1); p.Value != nil {
		return *p.Value, true
	}
	return 0, false
}
