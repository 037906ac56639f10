package sla

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// signedRanks is how likely the ranks of the changes that went up, or of those that
// went down, sum up to as little as they do or less, by all 2ⁿ ways to draw the signs.
func signedRanks(d []float64) float64 {
	n := len(d)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if math.Abs(d[a]) < math.Abs(d[b]) {
			return -1
		}
		return 1
	})
	up, down := 0, 0
	for rank, i := range order {
		if d[i] > 0 {
			up += rank + 1
		} else {
			down += rank + 1
		}
	}
	asLittle := 0
	for signs := range uint(1) << n {
		sum := 0
		for s := signs; s != 0; s &= s - 1 {
			sum += bits.TrailingZeros(s) + 1
		}
		if sum <= min(up, down) {
			asLittle++
		}
	}
	return min(1, 2*float64(asLittle)/float64(uint(1)<<n))
}

// P is that of all ways to draw the signs; the interval holds those changes that the
// same test does not refute, and the change in its middle is none that it does.
func TestCompareIsItsEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	const alpha = 0.1
	for n := 1; n <= 11; n++ {
		for range 6 {
			var list []Pair
			var d []float64
			for range n {
				a, change := 1+rng.Float64(), rng.NormFloat64()+0.4
				list, d = append(list, Pair{a, a + change}), append(d, a+change-a)
			}
			e := Compare(list, Metric{Points: true}, 1-alpha)
			if want := signedRanks(d); !near(e.P, want) {
				t.Errorf("%v: P %v, want %v", d, e.P, want)
			}
			less := func(by float64) float64 {
				moved := slices.Clone(d)
				for i := range moved {
					moved[i] -= by
				}
				return signedRanks(moved)
			}
			if math.IsInf(e.Lower, -1) || math.IsInf(e.Upper, 1) {
				if n >= LeastPairs(1-alpha) {
					t.Errorf("%d pairs bound nothing", n)
				}
				continue
			}
			const step = 1e-9
			if less(e.Lower-step) > alpha || less(e.Lower+step) <= alpha || less(e.Upper+step) > alpha || less(e.Upper-step) <= alpha {
				t.Errorf("%v: [%v, %v]: P %v and %v outside, %v and %v inside", d, e.Lower, e.Upper, less(e.Lower-step), less(e.Upper+step), less(e.Lower+step), less(e.Upper-step))
			}
			if e.Change < e.Lower || e.Change > e.Upper {
				t.Errorf("%v is not in [%v, %v]", e.Change, e.Lower, e.Upper)
			}
		}
	}
}

// The chances of sums of ranks are the counts of subsets.
func TestRankSums(t *testing.T) {
	for n := range 11 {
		want := make([]float64, n*(n+1)/2+1)
		for set := range uint(1) << n {
			sum := 0
			for s := set; s != 0; s &= s - 1 {
				sum += bits.TrailingZeros(s) + 1
			}
			for w := sum; w < len(want); w++ {
				want[w] += 1 / float64(uint(1)<<n)
			}
		}
		if got := rankSums(n); !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%d: %v, want %v", n, got, want)
		}
	}
	chances := rankSums(6) // 1, 2, 3, 5 … of 64
	for share, want := range map[float64]int{2.0 / 64: 0, 2.0/64 - 1e-9: -1, 4.0 / 64: 1, 4.0/64 - 1e-9: 0, 10.0 / 64: 3, 0: -1} {
		if got := cutAt(chances, share); got != want {
			t.Errorf("at %v: %d, want %d", share, got, want)
		}
	}
}

func TestLeastPairsAtTheEnds(t *testing.T) {
	for confidence, want := range map[float64]int{0: 1, 0.5: 2, 0.75: 3, 1 - 1.0/(1<<50): 51, 1: 64} {
		if got := LeastPairs(confidence); got != want {
			t.Errorf("at %v: %d pairs, want %d", confidence, got, want)
		}
	}
}

// points are pairs of shares that change by so much.
func points(changes ...float64) (list []Pair) {
	for _, d := range changes {
		list = append(list, Pair{1, 1 + d})
	}
	return list
}

// The margin itself means nothing, and no change itself is not excluded. Of six pairs
// the interval is from the least to the largest change.
func TestComparisonAtItsEdges(t *testing.T) {
	m := Metric{HigherIsBetter: true, Margin: 0.25, Points: true}
	for _, c := range []struct {
		name  string
		pairs []Pair
		want  Comparison
		needs int
	}{
		{"the margin up", points(0.25, 0.25, 0.25, 0.25, 0.25, 0.25), Equivalent, 0},
		{"the margin down", points(-0.25, -0.25, -0.25, -0.25, -0.25, -0.25), Equivalent, 0},
		{"beyond it up", points(0.5, 0.5, 0.5, 0.5, 0.5, 0.5), Better, 0},
		{"beyond it down", points(-0.5, -0.5, -0.5, -0.5, -0.5, -0.5), Worse, 0},
		{"from none up", points(0, 0.5, 0.5, 0.5, 0.5, 0.5), CannotTell, 7},
		{"from none down", points(0, -0.5, -0.5, -0.5, -0.5, -0.5), CannotTell, 7},
		{"twice as wide as the margins", points(-0.5, 0.5, 0.25, -0.25, 0.125, 0.125), CannotTell, 24},
		{"as wide as one margin and a half", points(0, 0.75, 0.5, 0.5, 0.5, 0.5), CannotTell, 14}, // 6 · 1.5² = 13.5
		{"one pair", points(0.5), CannotTell, 6},
	} {
		if e := Compare(c.pairs, m, 0.95); e.Comparison != c.want || e.Needs != c.needs {
			t.Errorf("%s: %v, needs %d (%+v); want %v, %d", c.name, e.Comparison, e.Needs, e, c.want, c.needs)
		}
	}
	if e := Compare(points(-1, 1, 2, -2, 3, -3, 4, 1), Metric{Points: true}, 0.95); e.Comparison != CannotTell || e.Needs != 6 {
		t.Errorf("no margin: %v, needs %d", e.Comparison, e.Needs)
	}
}

// Ratios are of figures above 0, however small; differences of any that are numbers.
func TestFiguresThatHaveAChange(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	list := []Pair{{0.5, 0.25}, {1e-300, 2e-300}, {0, 1}, {1, 0}, {0, 0}, {-1, 1}, {1, -1}, {-1, -2}, {inf, 1}, {1, inf}, {nan, 1}, {1, nan}}
	ratios, differences := Metric{}.changes(list), Metric{Points: true}.changes(list)
	for i, want := range []float64{-math.Ln2, math.Ln2} {
		if len(ratios) != 2 || !near(ratios[i], want) {
			t.Errorf("logarithms of ratios %v", ratios)
			break
		}
	}
	if want := []float64{-0.25, 1e-300, 1, -1, 0, 2, -2, -1}; !slices.Equal(differences, want) {
		t.Errorf("differences %v, want %v", differences, want)
	}
	// Half of each: half as much.
	if e := Compare([]Pair{{0.5, 0.25}, {2, 1}}, Metric{}, 0.95); !near(e.Change, -0.5) || e.Pairs != 2 {
		t.Errorf("%+v", e)
	}
	if e := Compare(nil, Metric{}, 0.95); e.P != 1 || e.Change != 0 || !math.IsInf(e.Lower, -1) || !math.IsInf(e.Upper, 1) || e.Pairs != 0 {
		t.Errorf("nothing: %+v", e)
	}
}

// A pair that did not change speaks for neither side: it counts against both.
func TestUnchangedPairs(t *testing.T) {
	// Of three, one as it was: the sums of ranks of the others are 2 + 3 of 6 up, and
	// 1 at most stays down, which one or none of the 8 ways has: 2 · 2/8.
	if e := Compare(points(0, 0.5, 1), Metric{Points: true}, 0.95); e.P != 0.5 {
		t.Errorf("up: P %v", e.P)
	}
	if e := Compare(points(0, -0.5, -1), Metric{Points: true}, 0.95); e.P != 0.5 {
		t.Errorf("down: P %v", e.P)
	}
}

// The middle is the value, or the mean of the two, that as many are below as above.
func TestMiddle(t *testing.T) {
	for _, c := range []struct {
		sorted []float64
		want   float64
	}{{[]float64{1}, 1}, {[]float64{1, 3}, 2}, {[]float64{1, 2, 9}, 2}, {[]float64{1, 2, 4, 9}, 3}, {[]float64{1, 2, 4, 8, 16}, 4}, {[]float64{1, 2, 4, 8, 16, 32}, 6}} {
		if got := middle(c.sorted); got != c.want {
			t.Errorf("%v: %v, want %v", c.sorted, got, c.want)
		}
	}
}
