package sla

import (
	"math"
	"testing"
)

// pooled is what the formulas of Pool give, written out as they are printed, for an
// odd number of runs: then P is a sum, e^(−Q/2) · Σ (Q/2)ⁱ/i! for i below half the
// degrees of freedom; and for two, where it is that of a normal distribution.
func pooled(runs []Sample, deff, t float64) (d, p, between float64) {
	const z = 1.6448536269514722 // 95 % of the normal distribution
	var x, n float64
	for _, r := range runs {
		x += float64(r.Bad)
		n += float64(r.N)
	}
	k, share := float64(len(runs)), x/n
	var scatter, q, squares float64
	for _, r := range runs {
		off := float64(r.Bad) - share*float64(r.N)
		scatter += off * off / (n * n)
		q += off * off / (float64(r.N) * share * (1 - share) * deff)
		squares += float64(r.N) * float64(r.N)
	}
	d = max(deff, k/(k-1)*scatter/(share*(1-share)/n)*(t/z)*(t/z))
	term := 1.0
	for i := range len(runs) / 2 {
		if i > 0 {
			term *= q / 2 / float64(i)
		}
		p += math.Exp(-q/2) * term
	}
	if len(runs) == 2 {
		p = math.Erfc(math.Sqrt(q / 2))
	}
	c := (n - squares/n) / (share * (1 - share) * deff)
	return d, p, math.Sqrt(max(q-(k-1), 0) / c)
}

// Bounds, scatter and chance of pooled runs are those of the formulas, with quantiles
// of Student's t from a table.
func TestPoolIsItsFormula(t *testing.T) {
	table := map[int]float64{2: 6.313751515, 3: 2.919985580, 5: 2.131846786, 7: 1.943180281} // 95 %, of k − 1 degrees of freedom
	for _, c := range []struct {
		name string
		runs []Sample
		deff float64
	}{
		{"three that differ", []Sample{{5, 1000}, {15, 1000}, {40, 1000}}, 1},
		{"two", []Sample{{5, 500}, {40, 1000}}, 1},
		{"of unequal length", []Sample{{5, 500}, {15, 2500}, {40, 1000}}, 1},
		{"under a design effect", []Sample{{5, 500}, {15, 2500}, {40, 1000}}, 4},
		{"that are alike", []Sample{{10, 1000}, {11, 1000}, {10, 1000}}, 1},
		{"whose turns hang together more than runs differ", []Sample{{10, 1000}, {14, 1000}, {10, 1000}}, 6},
		{"five", []Sample{{1, 100}, {30, 900}, {3, 40}, {0, 70}, {900, 20_000}}, 2.5},
		{"seven of many bad", []Sample{{500, 1000}, {480, 900}, {90, 100}, {1, 3}, {1, 1}, {0, 1}, {700, 1300}}, 1},
	} {
		got := Pool(c.runs, 0.02, 0.95, c.deff)
		d, p, between := pooled(c.runs, c.deff, table[len(c.runs)])
		var bad, n int64
		for _, r := range c.runs {
			bad, n = bad+r.Bad, n+r.N
		}
		if got.Bad != bad || got.N != n || !near(got.DEFF/d, 1) || !near(got.P, p) || !near(got.Between, between) {
			t.Errorf("%s: %+v; want effect %v, P %v, between %v", c.name, got, d, p, between)
		}
		if got.Lower != Lower(bad, n, 0.95, got.DEFF) || got.Upper != Upper(bad, n, 0.95, got.DEFF) || got.Verdict != Infer(bad, n, 0.02, 0.95, got.DEFF) {
			t.Errorf("%s: [%v, %v], %v", c.name, got.Lower, got.Upper, got.Verdict)
		}
	}
}

// What does not scatter, for there is one of it, or all of it or none is bad, is
// judged as one run is; runs without turns are none.
func TestPoolOfOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		runs   []Sample
		bad, n int64
		deff   float64
	}{
		{"one", []Sample{{10, 1000}}, 10, 1000, 1},
		{"one under a design effect", []Sample{{10, 1000}}, 10, 1000, 3},
		{"one of a turn", []Sample{{1, 1}}, 1, 1, 1},
		{"one beside empty ones", []Sample{{0, 0}, {10, 1000}, {0, 0}}, 10, 1000, 1},
		{"a turn beside it", []Sample{{0, 1}, {0, 1000}}, 0, 1001, 1},
		{"none bad", []Sample{{0, 10}, {0, 1000}}, 0, 1010, 1},
		{"all bad", []Sample{{10, 10}, {1000, 1000}}, 1010, 1010, 1},
		{"an effect of less than one", []Sample{{10, 1000}}, 10, 1000, 0.5},
		{"nothing", nil, 0, 0, 1},
		{"empty", []Sample{{0, 0}}, 0, 0, 1},
	} {
		want := Pooled{
			Bad: c.bad, N: c.n, DEFF: max(c.deff, 1), P: 1, Lower: Lower(c.bad, c.n, 0.95, c.deff), Upper: Upper(c.bad, c.n, 0.95, c.deff),
			Verdict: Infer(c.bad, c.n, 0.02, 0.95, c.deff),
		}
		if got := Pool(c.runs, 0.02, 0.95, c.deff); got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
	// One bad, or one good, of several runs is a scatter.
	for _, runs := range [][]Sample{{{1, 100}, {0, 100}, {0, 100}}, {{99, 100}, {100, 100}, {100, 100}}} {
		d, p, between := pooled(runs, 1, 2.919985580)
		if got := Pool(runs, 0.02, 0.95, 1); !near(got.DEFF/d, 1) || !near(got.P, p) || !near(got.Between, between) {
			t.Errorf("%v: %+v; want effect %v, P %v, between %v", runs, got, d, p, between)
		}
	}
}
