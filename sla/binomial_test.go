package sla

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// The bands that the specification of verdicts names, at 99 % and DEFF 1.
func TestExactBands(t *testing.T) {
	for _, c := range []struct{ n, pass, fail int64 }{{299, 0, 7}, {1000, 4, 16}, {10_000, 83, 118}, {100_000, 948, 1053}} {
		p := 1 - 0.99
		for _, x := range []struct {
			bad  int64
			want Verdict
		}{{c.pass, Pass}, {c.pass + 1, Inconclusive}, {c.fail - 1, Inconclusive}, {c.fail, Fail}} {
			if got := Infer(x.bad, c.n, p, 0.95, 1); got != x.want {
				t.Errorf("%d bad of %d: %v, want %v", x.bad, c.n, got, x.want)
			}
		}
	}
	if got := Infer(0, 298, 1-0.99, 0.95, 1); got != Inconclusive {
		t.Errorf("0 bad of 298: %v", got)
	}
}

func TestInferEdges(t *testing.T) {
	for _, c := range []struct {
		bad, n  int64
		p, deff float64
		want    Verdict
	}{
		{0, 0, 0.01, 1, Inconclusive},
		{0, 0, 0, 1, Inconclusive},
		{0, 0, 1, 1, Inconclusive},
		{1, 1, 0.01, 1, Fail}, // at least one of one with 1 %
		{1, 1, 0.06, 1, Inconclusive},
		{0, 1, 0, 1, Inconclusive},
		{0, 1_000_000_000, 0, 1, Inconclusive}, // the bound is above 0 however many there are
		{1, 1000, 0, 1, Fail},
		{5, 5, 1, 1, Pass},
		{5, 5, 0.5, 1, Fail},
		{0, 299, 0.01, 3, Inconclusive},
		{0, 897, 0.01, 3, Pass},
		{0, 299, 0.01, 0.2, Pass},
		{30, 1000, 0.01, 1, Fail},
		{30, 1000, 0.01, 10, Inconclusive},
	} {
		if got := Infer(c.bad, c.n, c.p, 0.95, c.deff); got != c.want {
			t.Errorf("%d of %d at p %v, DEFF %v: %v, want %v", c.bad, c.n, c.p, c.deff, got, c.want)
		}
	}
}

// 10 of 100 by bisection on the exact binomial tail, and the closed forms of none and all.
func TestBounds(t *testing.T) {
	for _, c := range []struct{ got, want float64 }{
		{Upper(0, 299, 0.95, 1), 1 - math.Pow(0.05, 1.0/299)},
		{Lower(299, 299, 0.95, 1), math.Pow(0.05, 1.0/299)},
		{Upper(10, 100, 0.95, 1), 0.1637176233},
		{Lower(10, 100, 0.95, 1), 0.0552632377},
		{Upper(10, 10, 0.95, 1), 1},
		{Lower(0, 10, 0.95, 1), 0},
		{Upper(0, 0, 0.95, 1), 1},
		{Lower(0, 0, 0.95, 1), 0},
		{Lower(1, 100, 0.95, 1), 1 - math.Pow(0.95, 1.0/100)},
		{Lower(3, 300, 0.95, 3), 1 - math.Pow(0.95, 1.0/100)},
		{Upper(99, 100, 0.95, 1), math.Pow(0.95, 1.0/100)},
		{Upper(20, 200, 0.95, 2), 0.1637176233},
		{Lower(20, 200, 0.95, 2), 0.0552632377},
		{Upper(10, 100, 0.95, 0), 0.1637176233},
	} {
		if math.Abs(c.got-c.want) > 1e-6 {
			t.Errorf("bound %v, want %v", c.got, c.want)
		}
	}
}

// At a bound itself the share is passed, and not failed: of one turn that is good
// half may be bad with a confidence of a half, and so it is of one that is bad.
func TestInferAtTheBound(t *testing.T) {
	if got := Infer(0, 1, 0.5, 0.5, 1); got != Pass {
		t.Errorf("a good one: %v, bound %v", got, Upper(0, 1, 0.5, 1))
	}
	if got := Infer(1, 1, 0.5, 0.5, 1); got != Inconclusive {
		t.Errorf("a bad one: %v, bound %v", got, Lower(1, 1, 0.5, 1))
	}
}

// The verdict is the one that the printed bounds give.
func TestInferAgreesWithBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 2_000_000).Draw(t, "n")
		p := rapid.SampledFrom([]float64{0.001, 0.01, 0.05, 0.3}).Draw(t, "p")
		bad := min(n, int64(p*float64(n)*rapid.Float64Range(0, 2).Draw(t, "times")))
		deff := rapid.SampledFrom([]float64{1, 1.5, 3, 7}).Draw(t, "deff")
		up, low := Upper(bad, n, 0.95, deff), Lower(bad, n, 0.95, deff)
		if !(low <= float64(bad)/float64(n)+1e-12 && float64(bad)/float64(n) <= up+1e-12) {
			t.Fatalf("%d of %d is not in [%v, %v]", bad, n, low, up)
		}
		want := Inconclusive
		switch {
		case up < p-1e-9:
			want = Pass
		case low > p+1e-9:
			want = Fail
		case math.Abs(up-p) <= 1e-9 || math.Abs(low-p) <= 1e-9:
			return
		}
		if got := Infer(bad, n, p, 0.95, deff); got != want {
			t.Fatalf("%d of %d at %v: %v, but bounds [%v, %v]", bad, n, p, got, low, up)
		}
	})
}

var rank = map[Verdict]int{Pass: 0, Inconclusive: 1, Fail: 2}

// One more bad turn never improves a verdict, one more good one never worsens it.
func TestInferIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 200_000).Draw(t, "n")
		p := rapid.SampledFrom([]float64{0, 0.001, 1 - 0.99, 0.05, 0.5, 1}).Draw(t, "p")
		deff := rapid.Float64Range(1, 8).Draw(t, "deff")
		// Near the edges, where it is decided.
		bad := min(n, max(0, int64(p*float64(n)+rapid.Float64Range(-3, 3).Draw(t, "off")*math.Sqrt(deff*p*float64(n)+1))))
		now := Infer(bad, n, p, 0.95, deff)
		worse, better := Infer(bad+1, n+1, p, 0.95, deff), Infer(bad, n+1, p, 0.95, deff)
		if n == 0 {
			// Nothing judged is inconclusive; any evidence may decide.
			return
		}
		if rank[worse] < rank[now] {
			t.Fatalf("one more bad of %d/%d: %v became %v", bad, n, now, worse)
		}
		if rank[better] > rank[now] {
			t.Fatalf("one more good of %d/%d: %v became %v", bad, n, now, better)
		}
	})
}

func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		target, deff float64
		want         int64
	}{{0.99, 1, 299}, {0.99, 3, 895}, {0.95, 1, 59}, {0.999, 1, 2995}, {0.5, 1, 5}} {
		if got := Needs(c.target, 0.95, c.deff); got != c.want {
			t.Errorf("%v at DEFF %v needs %d, want %d", c.target, c.deff, got, c.want)
		}
		if got := Infer(0, c.want, 1-c.target, 0.95, c.deff); got != Pass {
			t.Errorf("%v: %d good ones do not pass", c.target, c.want)
		}
		if c.want > 1 && Infer(0, c.want-1, 1-c.target, 0.95, c.deff) == Pass {
			t.Errorf("%v: %d good ones pass already", c.target, c.want-1)
		}
	}
	if got := Needs(1, 0.95, 1); got != 0 {
		t.Errorf("%d good ones show that none is ever bad", got)
	}
	half := func(n int64) int64 { return int64(0.005*float64(n) + 0.5) }
	n := decides(half, 0.01, 0.95, 1, 600)
	if n < 600 || Infer(half(n), n, 0.01, 0.95, 1) != Pass {
		t.Errorf("0.5 %% bad of %d does not decide", n)
	}
	if got := decides(func(n int64) int64 { return int64(0.01*float64(n) + 0.5) }, 0.01, 0.95, 1, 1000); got != 0 {
		t.Errorf("exactly at the target, but %d would decide", got)
	}
}
