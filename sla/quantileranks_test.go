package sla

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantileRanks(t *testing.T) {
	if got := QuantileNeeds(0.99, 0.95); got != 368 {
		t.Errorf("P99 needs %d, want 368", got)
	}
	for _, c := range []struct {
		q    float64
		want int64
	}{{0.5, 6}, {0.95, 72}, {0.999, 3688}, {0.01, 368}} {
		if got := QuantileNeeds(c.q, 0.95); got != c.want {
			t.Errorf("P%v needs %d, want %d", 100*c.q, got, c.want)
		}
		if _, _, ok := quantileRanks(c.want, c.q, 1); !ok {
			t.Errorf("P%v: %d are not enough", 100*c.q, c.want)
		}
		if _, _, ok := quantileRanks(c.want-1, c.q, 1); ok {
			t.Errorf("P%v: %d are enough", 100*c.q, c.want-1)
		}
	}
	// Both of two halves: ¼ is left on either side.
	if got := QuantileNeeds(0.5, 0.5); got != 2 {
		t.Errorf("the median at 50 %% needs %d, want 2", got)
	}
	// The classic table: the median of 20 lies between the 6th and the 15th value.
	if l, u, ok := quantileRanks(20, 0.5, 1); !ok || l != 6 || u != 15 {
		t.Errorf("median of 20: [%d, %d]", l, u)
	}
	if QuantileNeeds(0, 0.95) != 0 || QuantileNeeds(1, 0.95) != 0 || QuantileNeeds(0.5, 1) != 0 {
		t.Error("what no number of samples gives needs none")
	}
}

// The ranks hold the quantile at least as often as they say, and one rank less
// on either side would not keep its tail.
func TestQuantileRanksCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 5000).Draw(t, "n")
		q := rapid.SampledFrom([]float64{0.5, 0.9, 0.99}).Draw(t, "q")
		l, u, ok := quantileRanks(n, q, 1)
		if !ok {
			return
		}
		var below, inside float64
		for k := int64(0); k <= n; k++ {
			p := math.Exp(logChoose(n, k) + float64(k)*math.Log(q) + float64(n-k)*math.Log1p(-q))
			if k < l {
				below += p
			} else if k < u {
				inside += p
			}
		}
		if below > 0.025+1e-9 || inside < 0.95-1e-9 {
			t.Fatalf("[%d, %d] of %d: below %v, inside %v", l, u, n, below, inside)
		}
	})
}

func logChoose(n, k int64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}

// Terms of the sum are continued between whole numbers, and are none below and all above.
func TestBinomialAtMost(t *testing.T) {
	for _, c := range []struct{ k, n, q, want float64 }{
		{-1, 10, 0.3, 0},
		{-0.1, 10, 0.3, 0},
		{0, 10, 0.3, math.Pow(0.7, 10)},
		{3, 10, 0.3, atMost(3, 10, 0.3)},
		{9, 10, 0.3, 1 - math.Pow(0.3, 10)},
		{10, 10, 0.3, 1},
		{11, 10, 0.3, 1},
	} {
		if got := binomialAtMost(c.k, c.n, c.q); !near(got, c.want) {
			t.Errorf("at most %v of %v: %v, want %v", c.k, c.n, got, c.want)
		}
	}
	if low, mid, high := binomialAtMost(0, 10, 0.3), binomialAtMost(0.5, 10, 0.3), binomialAtMost(1, 10, 0.3); mid <= low || mid >= high {
		t.Errorf("between %v and %v: %v", low, high, mid)
	}
}

// Of d·m samples that come in clusters of d, the ranks are in the clusters that the
// order statistics of m independent ones are.
func TestQuantileRanksOfClusters(t *testing.T) {
	for _, m := range []int64{100, 401, 900} {
		for _, q := range []float64{0.5, 0.9, 0.99} {
			one, last, ok := quantileRanks(m, q, 1)
			for _, d := range []int64{2, 3, 7} {
				lower, upper, same := quantileRanks(d*m, q, float64(d))
				if same != ok || ok && (lower <= d*(one-1) || lower > d*one || upper <= d*(last-1) || upper > d*last) {
					t.Errorf("%d clusters of %d at %v: [%d, %d] %v; of independent ones [%d, %d] %v", m, d, q, lower, upper, same, one, last, ok)
				}
			}
			if lower, upper, same := quantileRanks(m, q, 0.5); lower != one || upper != last || same != ok {
				t.Errorf("%d at %v, an effect of a half: [%d, %d] %v", m, q, lower, upper, same)
			}
		}
	}
}

// What is no share, and too few samples, have no ranks.
func TestNoQuantileRanks(t *testing.T) {
	for _, c := range []struct {
		n int64
		q float64
	}{{-1, 0.5}, {0, 0.5}, {1, 0.5}, {5, 0.5}, {367, 0.99}, {1000, 0}, {1000, 1}, {1000, -0.5}, {1000, 1.5}, {1000, 2}} {
		if lower, upper, ok := quantileRanks(c.n, c.q, 1); ok || lower != 0 || upper != 0 {
			t.Errorf("%d at %v: [%d, %d] %v", c.n, c.q, lower, upper, ok)
		}
	}
}
