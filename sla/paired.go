package sla

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The margins inside which two variants are equivalent.
const (
	LatencyMargin    = 0.05
	ThroughputMargin = 0.02
)

// leastPairs is how many pairs a sign-flip test needs for p < 0.05: with five,
// the most extreme of 2^5 signs on both sides are 6.25 % of them.
const leastPairs = 6

// Comparison is what a paired comparison says of B against A.
type Comparison uint8

// The comparisons. CannotTell is also what too few pairs give.
const (
	CannotTell Comparison = iota
	Better
	Worse
	Equivalent
)

var comparisonNames = []string{"cannot tell", "better", "worse", "equivalent"}

// String is the comparison as tables print it.
func (c Comparison) String() string {
	if int(c) < len(comparisonNames) {
		return comparisonNames[c]
	}
	return "unknown"
}

// Metric is how to read the ratio of a figure.
type Metric struct {
	HigherIsBetter bool
	// Margin is how far from 1 a ratio may be and still mean nothing.
	Margin float64
}

// Pair is one figure measured for both variants under the same arrivals.
type Pair struct{ A, B float64 }

// Effect is the ratio B/A over all pairs.
type Effect struct {
	Pairs        int     // those with both figures above zero
	Ratio        float64 // exp of the median log-ratio
	Lower, Upper float64 // 95 % interval of Ratio, by bootstrap over pairs
	P            float64 // two-sided, by sign flips of the log-ratios' mean
	Comparison   Comparison
	// Needs is how many pairs it takes at least, when there were fewer.
	Needs int
}

// resamples is how often pairs are drawn for the bootstrap, and signs where they
// are too many to go through all.
const resamples = 4000

// Compare judges B against A from pairs: the median of the log-ratios, its
// percentile interval by bootstrap over pairs (B. Efron, R. Tibshirani, An
// Introduction to the Bootstrap, 13), and a sign-flip permutation test of their
// mean. The same pairs and seed give the same effect. Pairs with a figure that is
// not above zero and finite are left out.
func Compare(pairs []Pair, m Metric, seed uint64) Effect {
	var logs []float64
	for _, p := range pairs {
		if l := math.Log(p.B / p.A); p.A > 0 && p.B > 0 && !math.IsInf(l, 0) && !math.IsNaN(l) {
			logs = append(logs, l)
		}
	}
	e := Effect{Pairs: len(logs), P: 1}
	if len(logs) == 0 {
		e.Needs = leastPairs
		return e
	}
	rng := rand.New(rand.NewPCG(seed, 0x6a09e667f3bcc909))
	e.Ratio = math.Exp(median(slices.Clone(logs)))
	lower, upper := bootstrap(logs, rng)
	e.Lower, e.Upper = math.Exp(lower), math.Exp(upper)
	e.P = signFlip(logs, rng)
	if len(logs) < leastPairs {
		e.Needs = leastPairs
		return e
	}
	switch {
	case e.Lower >= 1-m.Margin && e.Upper <= 1+m.Margin:
		e.Comparison = Equivalent
	case e.P >= 0.05 || e.Lower <= 1 && e.Upper >= 1:
		e.Comparison = CannotTell
	case (e.Ratio > 1) == m.HigherIsBetter:
		e.Comparison = Better
	default:
		e.Comparison = Worse
	}
	return e
}

// median sorts v.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// bootstrap gives the 2.5th and the 97.5th percentile of the median of resampled pairs.
func bootstrap(logs []float64, rng *rand.Rand) (lower, upper float64) {
	medians := make([]float64, resamples)
	draw := make([]float64, len(logs))
	for i := range medians {
		for k := range draw {
			draw[k] = logs[rng.IntN(len(logs))]
		}
		medians[i] = median(draw)
	}
	slices.Sort(medians)
	return medians[resamples*25/1000], medians[resamples*975/1000-1]
}

// exactFlips is up to how many pairs all combinations of signs are gone through.
const exactFlips = 14

// signFlip is the share of sign combinations under which the sum is at least as
// far from zero as it is. Drawn combinations count the observed one too, so that
// the share is never zero.
func signFlip(logs []float64, rng *rand.Rand) float64 {
	var observed float64
	for _, l := range logs {
		observed += l
	}
	// What differs from the observed sum only by rounding is as far.
	observed = math.Abs(observed) * (1 - 1e-12)
	extreme := 0
	if len(logs) <= exactFlips {
		for signs := range 1 << len(logs) {
			if flipped(logs, func(i int) bool { return signs&(1<<i) != 0 }) >= observed {
				extreme++
			}
		}
		return float64(extreme) / float64(int(1)<<len(logs))
	}
	for range resamples {
		if flipped(logs, func(int) bool { return rng.Uint64()&1 != 0 }) >= observed {
			extreme++
		}
	}
	return float64(extreme+1) / (resamples + 1)
}

func flipped(logs []float64, negative func(i int) bool) float64 {
	var sum float64
	for i, l := range logs {
		if negative(i) {
			l = -l
		}
		sum += l
	}
	return math.Abs(sum)
}
