package sla

import (
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Upper is the one-sided Clopper–Pearson bound above which the true share of bad
// turns does not lie at the given confidence, x of n having been bad: the
// quantile of Beta(x+1, n−x), on (x/DEFF, n/DEFF) for the design effect deff. It
// is 1 when nothing was seen.
// C. J. Clopper, E. S. Pearson, Biometrika 26 (1934).
func Upper(bad, n int64, confidence, deff float64) float64 {
	x, m := scaled(bad, n, deff)
	if x >= m {
		return 1
	}
	return mathext.InvRegIncBeta(x+1, m-x, confidence)
}

// Lower is the bound below which the true share of bad turns does not lie: the
// quantile of Beta(x, n−x+1). It is 0 when nothing bad was seen.
func Lower(bad, n int64, confidence, deff float64) float64 {
	x, m := scaled(bad, n, deff)
	if x <= 0 {
		return 0
	}
	return mathext.InvRegIncBeta(x, m-x+1, 1-confidence)
}

func scaled(bad, n int64, deff float64) (x, m float64) {
	deff = max(deff, 1)
	return float64(bad) / deff, float64(n) / deff
}

// Infer decides whether the share of bad turns is at most p, from bad of n:
// Pass when Upper ≤ p, Fail when Lower > p, else Inconclusive. It compares on
// the side of probabilities, where no inverse can blur the edge.
func Infer(bad, n int64, p, confidence, deff float64) Verdict {
	if n <= 0 {
		return Inconclusive
	}
	x, m := scaled(bad, n, deff)
	switch {
	case p >= 1:
		return Pass
	case p <= 0:
		// No sample proves that something never happens, but one disproves it.
		if bad > 0 {
			return Fail
		}
	case x < m && mathext.RegIncBeta(x+1, m-x, p) >= confidence:
		return Pass
	case x > 0 && mathext.RegIncBeta(x, m-x+1, p) < 1-confidence:
		return Fail
	}
	return Inconclusive
}

// mostTurns bounds the search for how many turns would decide.
const mostTurns = int64(1_000_000_000)

// Needs is the least number of turns, all of them good, that passes a target
// share of good turns: the smallest n with target^(n/DEFF) ≤ 1 − confidence. It
// is 0 when no number does.
func Needs(target, confidence, deff float64) int64 {
	return decides(func(int64) int64 { return 0 }, 1-target, confidence, deff, 1)
}

// power is how likely a run as long as powered says is to give a verdict.
const power = 0.8

// powered is how many turns give a verdict with a likelihood of power, from least
// on, where a share of them is bad; 0 when none up to mostTurns does. The number of
// bad turns is taken at the quantile that is that likely not to be passed on the
// way to the budget, by the normal approximation.
func powered(share, p, confidence, deff float64, least int64) int64 {
	z := math.Copysign(distuv.UnitNormal.Quantile(power), p-share)
	return decides(func(n int64) int64 {
		m := float64(n)
		return int64(max(share*m+z*math.Sqrt(m*deff*share*(1-share)), 0) + 0.5)
	}, p, confidence, deff, least)
}

// decides is the least number of turns from least on that gives a verdict when
// bad of n are bad; 0 when none up to mostTurns does.
func decides(bad func(n int64) int64, p, confidence, deff float64, least int64) int64 {
	decided := func(n int64) bool { return Infer(bad(n), n, p, confidence, deff) != Inconclusive }
	least = max(least, 1)
	hi := least
	for !decided(hi) {
		if hi >= mostTurns {
			return 0
		}
		hi = min(2*hi, mostTurns)
	}
	return first(least, hi, decided)
}

// binomialAtMost is P(X ≤ k) for X ~ Bin(n, q), continued between whole numbers
// by the incomplete beta function, as Upper and Lower are.
func binomialAtMost(k, n, q float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(n-k, k+1, 1-q)
}

// quantileRanks are the ranks of the order statistics that hold quantile q
// between them with at least the two-sided confidence shown; false when n is too
// small for that. Exact binomial: the number of values below the quantile is
// Bin(n, q), or for samples that hang together deff · Bin(n/deff, q).
// H. A. David, H. N. Nagaraja, Order Statistics, 3rd ed., 7.1.
func quantileRanks(n int64, q, deff float64) (lower, upper int64, ok bool) {
	tail := (1 - shown) / 2
	deff = max(deff, 1)
	m := float64(n) / deff
	if math.Pow(1-q, m) > tail || math.Pow(q, m) > tail { // as where q is no share, or n none
		return 0, 0, false
	}
	lower = first(1, n, func(k int64) bool { return binomialAtMost(float64(k)/deff, m, q) > tail })
	upper = first(lower, n, func(k int64) bool { return binomialAtMost(float64(k)/deff-1, m, q) >= 1-tail })
	return lower, upper, true
}

// first is the least k in [lo, hi] for which is holds, which it then does for all larger.
func first(lo, hi int64, is func(k int64) bool) int64 {
	for lo < hi {
		mid := lo + (hi-lo)/2
		if is(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// QuantileNeeds is how many independent samples a two-sided interval of quantile q takes:
// 368 for the 99th percentile at 95 %.
func QuantileNeeds(q, confidence float64) int64 {
	if q <= 0 || q >= 1 || confidence >= 1 {
		return 0
	}
	q = max(q, 1-q)
	return int64(math.Ceil(math.Log((1-confidence)/2)/math.Log(q) - 1e-9))
}
