package sla

import (
	"math"
	"testing"
)

// eighty is the quantile of the normal distribution at 80 %, from a table.
const eighty = 0.8416212

// powered is the least number of turns for which the count of bad ones that is 80 %
// likely not to be passed on the way to the target, rounded, decides.
func TestPoweredIsTheLeast(t *testing.T) {
	for _, c := range []struct{ share, p, deff float64 }{
		{0.005, 0.01, 1},
		{0.02, 0.01, 1},
		{0.3, 0.5, 1},
		{0.6, 0.5, 1},
		{0.2, 0.5, 1},
		{0.8, 0.5, 1},
		{0.3, 0.4, 4},
		{0.5, 0.4, 4},
		{0.01, 0.05, 9},
		{0.1, 0.05, 2.5},
	} {
		nearest := func(n int64) int64 {
			z := eighty
			if c.share > c.p {
				z = -eighty
			}
			return int64(math.Round(max(c.share*float64(n)+z*math.Sqrt(float64(n)*c.deff*c.share*(1-c.share)), 0)))
		}
		n := powered(c.share, c.p, 0.95, c.deff, 1)
		if Infer(nearest(n), n, c.p, 0.95, c.deff) == Inconclusive || Infer(nearest(n-1), n-1, c.p, 0.95, c.deff) != Inconclusive {
			t.Errorf("%v bad of at most %v, effect %v: %d turns decide: %v, one fewer: %v", c.share, c.p, c.deff, n,
				Infer(nearest(n), n, c.p, 0.95, c.deff), Infer(nearest(n-1), n-1, c.p, 0.95, c.deff))
		}
		if far := powered(c.share, c.p, 0.95, c.deff, 10*n); far != 10*n {
			t.Errorf("%v bad of at most %v: from %d on it is %d", c.share, c.p, 10*n, far)
		}
	}
	if n := powered(0.5, 0.5, 0.95, 1, 1); n != 0 {
		t.Errorf("at the target itself %d turns decide", n)
	}
}

// The search ends at a thousand million turns, and not before: of a share p of bad
// ones, none in n decide from n = ln 0.05 / ln(1 − p) on.
func TestNeedsUpToTheMost(t *testing.T) {
	none := func(int64) int64 { return 0 }
	for _, want := range []float64{1, 59, 600e6, 999e6} {
		p := -math.Expm1(math.Log(0.05) / want)
		if got := decides(none, p, 0.95, 1, 1); !(math.Abs(float64(got)-want) <= want*1e-6) {
			t.Errorf("%v: %d turns decide", want, got)
		}
	}
	if got := decides(none, -math.Expm1(math.Log(0.05)/1001e6), 0.95, 1, 1); got != 0 {
		t.Errorf("beyond the most: %d", got)
	}
	if got := decides(none, 0.05, 0.95, 1, 0); got != 59 {
		t.Errorf("from none on: %d, want 59", got)
	}
}
