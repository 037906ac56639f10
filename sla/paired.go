package sla

import (
	"math"
	"slices"
)

// The margins inside which two variants are equivalent.
const (
	LatencyMargin    = 0.05
	ThroughputMargin = 0.02
	ShareMargin      = 0.002
)

// Comparison is what a paired comparison says of B against A.
type Comparison uint8

// The comparisons. CannotTell is also what too few pairs give.
const (
	CannotTell Comparison = iota
	Better
	Worse
	Equivalent
)

var comparisonNames = []string{"cannot_tell", "better", "worse", "equivalent"}

// String is the comparison as results name it.
func (c Comparison) String() string {
	if int(c) < len(comparisonNames) {
		return comparisonNames[c]
	}
	return "unknown"
}

// Metric is how to read the change of a figure.
type Metric struct {
	HigherIsBetter bool
	// Margin is how large a change may be and still mean nothing.
	Margin float64
	// Points: the change is B − A, as of shares. Else it is B/A − 1, as of times and rates.
	Points bool
}

// Pair is one figure measured for both variants under the same arrivals.
type Pair struct{ A, B float64 }

// Effect is the change from A to B over all pairs.
type Effect struct {
	Pairs  int     // those that had a figure on both sides
	Change float64 // as the metric reads it
	// Lower and Upper hold the change at the confidence asked for; they are infinite
	// where so few pairs bound nothing.
	Lower, Upper float64
	P            float64 // of no change, two-sided
	Comparison   Comparison
	// Needs is about how many pairs would tell; 0 when the comparison is decided or
	// nothing can be said.
	Needs int
}

// Differs tells whether any two figures of a pair do: where none does, no test
// can find a difference, and the comparison needs no share of the confidence.
func Differs(pairs []Pair, m Metric) bool {
	return slices.ContainsFunc(m.changes(pairs), func(d float64) bool { return d != 0 })
}

// LeastPairs is how many pairs can show a difference at a confidence: with one
// fewer, even all of them one way happens too often by chance.
func LeastPairs(confidence float64) int {
	for n := 1; n < 64; n++ {
		if math.Ldexp(2, -n) <= 1-confidence {
			return n
		}
	}
	return 64
}

// Compare judges B against A. The order within a pair must have been drawn at
// random: then, if B were no different, every change would as well have come
// with the other sign, whatever the noise was, and the test (Wilcoxon's, of the
// signs of the ranks) and the interval (its inversion) hold as stated. The change
// is the median of all means of two (Hodges and Lehmann), which one odd run does
// not move.
func Compare(pairs []Pair, m Metric, confidence float64) Effect {
	d := m.changes(pairs)
	e := Effect{Pairs: len(d), P: 1, Lower: math.Inf(-1), Upper: math.Inf(1)}
	if len(d) == 0 {
		e.Needs = LeastPairs(confidence)
		return e
	}
	means := walsh(d)
	chances := rankSums(len(d))
	e.Change = middle(means)
	below, _ := slices.BinarySearch(means, math.SmallestNonzeroFloat64) // at most 0
	above, _ := slices.BinarySearch(means, 0)                           // below 0
	e.P = min(1, 2*chances[min(below, len(means)-above)])
	if cut := cutAt(chances, 1-confidence); cut >= 0 {
		e.Lower, e.Upper = m.asRead(means[cut]), m.asRead(means[len(means)-1-cut])
	}
	e.Change = m.asRead(e.Change)
	switch {
	case e.Lower >= -m.Margin && e.Upper <= m.Margin:
		e.Comparison = Equivalent
	case e.Lower <= 0 && e.Upper >= 0:
		e.Comparison = CannotTell
		e.Needs = e.pairsToTell(m.Margin, confidence)
	case (e.Change > 0) == m.HigherIsBetter:
		e.Comparison = Better
	default:
		e.Comparison = Worse
	}
	return e
}

// pairsToTell is how many pairs would narrow the interval to the margin, should
// they scatter as those seen did: its width falls with the root of their number.
func (e *Effect) pairsToTell(margin, confidence float64) int {
	least := LeastPairs(confidence)
	if e.Pairs < least || margin <= 0 {
		return least
	}
	shrink := (e.Upper - e.Lower) / (2 * margin)
	return max(least, e.Pairs+1, int(math.Ceil(float64(e.Pairs)*shrink*shrink-1e-9)))
}

// changes are the differences, or the logarithms of the ratios, of those pairs
// that have one.
func (m Metric) changes(pairs []Pair) (out []float64) {
	for _, p := range pairs {
		d := p.B - p.A
		if !m.Points {
			d = math.Log(p.B) - math.Log(p.A) // no number where one is not above 0
		}
		if !math.IsNaN(d) && !math.IsInf(d, 0) {
			out = append(out, d)
		}
	}
	return out
}

// asRead turns one of changes back into what the metric reads.
func (m Metric) asRead(change float64) float64 {
	if m.Points {
		return change
	}
	return math.Expm1(change)
}

// walsh gives the means of every two, each with itself too, in order.
func walsh(d []float64) (out []float64) {
	for i := range d {
		for j := i; j < len(d); j++ {
			out = append(out, d[i]/2+d[j]/2)
		}
	}
	slices.Sort(out)
	return out
}

func middle(sorted []float64) float64 {
	n := len(sorted)
	return sorted[(n-1)/2]/2 + sorted[n/2]/2
}

// rankSums gives the chance that the ranks 1 … n, each taken or left with even
// chances, sum up to at most w.
func rankSums(n int) []float64 {
	chance := make([]float64, n*(n+1)/2+1)
	chance[0] = 1
	for r, most := 1, 0; r <= n; r++ {
		most += r
		for w := most; w >= 0; w-- {
			taken := 0.0
			if w >= r {
				taken = chance[w-r]
			}
			chance[w] = chance[w]/2 + taken/2
		}
	}
	for w := 1; w < len(chance); w++ {
		chance[w] += chance[w-1]
	}
	return chance
}

// cutAt is the largest rank sum that is at most so likely on both sides
// together, −1 without one. The last of chances is 1, which is no share.
func cutAt(chances []float64, share float64) int {
	return slices.IndexFunc(chances, func(c float64) bool { return 2*c > share*(1+1e-12) }) - 1
}
