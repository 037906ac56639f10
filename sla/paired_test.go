package sla

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

func pairs(ratios ...float64) (list []Pair) {
	for i, r := range ratios {
		a := 100 + float64(i)
		list = append(list, Pair{a, a * r})
	}
	return list
}

func TestCompare(t *testing.T) {
	latency, throughput := Metric{Margin: LatencyMargin}, Metric{HigherIsBetter: true, Margin: ThroughputMargin}
	for _, c := range []struct {
		name   string
		pairs  []Pair
		metric Metric
		want   Comparison
		needs  int
	}{
		{"a third faster", pairs(0.65, 0.67, 0.66, 0.7, 0.64, 0.66), latency, Better, 0},
		{"half slower", pairs(1.5, 1.4, 1.6, 1.5, 1.45, 1.5), latency, Worse, 0},
		{"more throughput", pairs(1.5, 1.4, 1.6, 1.5, 1.45, 1.5), throughput, Better, 0},
		{"less throughput", pairs(0.65, 0.67, 0.66, 0.7, 0.64, 0.66), throughput, Worse, 0},
		{"the same", pairs(1.01, 0.99, 1.0, 1.02, 0.98, 1.0), latency, Equivalent, 0},
		{"the same to 5 % but not to 2 %", pairs(1.03, 0.97, 1.0, 1.04, 0.96, 1.0), throughput, CannotTell, 0},
		{"reliably 1 % slower means nothing", pairs(1.01, 1.011, 1.012, 1.009, 1.01, 1.01), latency, Equivalent, 0},
		{"scattered", pairs(0.5, 2, 0.7, 1.5, 1.1, 0.8), latency, CannotTell, 0},
		{"five pairs are too few", pairs(0.5, 0.5, 0.5, 0.5, 0.5), latency, CannotTell, 6},
		{"figures of zero are left out", append(pairs(0.5, 0.5, 0.5, 0.5, 0.5), Pair{0, 1}, Pair{1, 0}, Pair{-1, -1}, Pair{math.Inf(1), 1}), latency, CannotTell, 6},
		{"nothing", nil, latency, CannotTell, 6},
	} {
		got := Compare(c.pairs, c.metric, 1)
		if got.Comparison != c.want || got.Needs != c.needs {
			t.Errorf("%s: %v (%+v), want %v", c.name, got.Comparison, got, c.want)
		}
		if again := Compare(c.pairs, c.metric, 1); again != got {
			t.Errorf("%s: the same seed gives %+v, then %+v", c.name, got, again)
		}
	}
}

func TestSignFlipCounts(t *testing.T) {
	// All six one way: the two extremes of 64.
	if got := Compare(pairs(0.5, 0.5, 0.5, 0.5, 0.5, 0.5), Metric{}, 1).P; got != 2.0/64 {
		t.Errorf("six halves: p = %v, want 2/64", got)
	}
	if got := Compare(pairs(0.5, 0.5, 0.5, 0.5, 0.5), Metric{}, 1).P; got != 2.0/32 {
		t.Errorf("five halves: p = %v, want 2/32", got)
	}
	// Log-ratios 1, 1, -1: a sum of 1 in absolute value is reached by every sign.
	if got := signFlip([]float64{1, 1, -1}, nil); got != 1 {
		t.Errorf("p = %v, want 1", got)
	}
	// Log-ratios 3, 1: |4| of {4, 2, 2, 4}.
	if got := signFlip([]float64{3, 1}, nil); got != 0.5 {
		t.Errorf("p = %v, want 1/2", got)
	}
	many := make([]float64, 20)
	for i := range many {
		many[i] = 0.1
	}
	if got := signFlip(many, rand.New(rand.NewPCG(1, 2))); got != 1.0/(resamples+1) {
		t.Errorf("twenty one way: p = %v", got)
	}
}

func TestEffect(t *testing.T) {
	e := Compare(pairs(2, 4, 8, 2, 4, 8, 4), Metric{}, 7)
	if math.Abs(e.Ratio-4) > 1e-9 || e.Lower < 2-1e-9 || e.Lower > 4 || e.Upper < 4 || e.Upper > 8+1e-9 || e.Pairs != 7 {
		t.Errorf("%+v", e)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of four is %v", got)
	}
}

// Two variants that are the same are called different at most as often as p says,
// and called equivalent when the noise is small.
func TestSameVariantsAreSeldomCalledDifferent(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 1))
	different, equivalent := 0, 0
	const runs = 200
	for i := range runs {
		var noisy, quiet []Pair
		for range 8 {
			noisy = append(noisy, Pair{math.Exp(rng.NormFloat64() * 0.2), math.Exp(rng.NormFloat64() * 0.2)})
			quiet = append(quiet, Pair{math.Exp(rng.NormFloat64() * 0.005), math.Exp(rng.NormFloat64() * 0.005)})
		}
		if c := Compare(noisy, Metric{Margin: LatencyMargin}, uint64(i)).Comparison; c == Better || c == Worse {
			different++
		}
		if Compare(quiet, Metric{Margin: LatencyMargin}, uint64(i)).Comparison == Equivalent {
			equivalent++
		}
	}
	// 5 % and three standard deviations: 0.05·200 + 3·√(200·0.05·0.95) = 19.2.
	if different > 19 || equivalent < runs*95/100 {
		t.Errorf("%d of %d same pairs called different, %d of the quiet ones equivalent", different, runs, equivalent)
	}
}

func TestAuditOfTheArticle(t *testing.T) {
	want := []struct {
		inFlight float64
		possible bool
	}{{197.6, true}, {242, false}, {270, false}, {288, false}}
	for i, c := range ArticleClaims() {
		a := Audit(c)
		if math.Abs(a.InFlight-want[i].inFlight) > 1e-9 || a.Possible != want[i].possible || c.Users != 200 {
			t.Errorf("%s: %v in flight, possible %v", c.Name, a.InFlight, a.Possible)
		}
		if strings.HasPrefix(a.Reason.String(), "possible") != a.Possible {
			t.Errorf("%s: %q", c.Name, a.Reason)
		}
	}
	a := Audit(Claim{Users: 200, Rate: 3200, Mean: 90 * time.Millisecond})
	if want := "impossible: 3,200/s x 90 ms needs 288 in flight, 200 users have one each at most: at most 2,222/s"; a.Reason.String() != want {
		t.Errorf("%q, want %q", a.Reason, want)
	}
	b := Audit(Claim{Users: 200, Rate: 100, Mean: 500 * time.Millisecond})
	if want := "possible: 50 in flight of 200 users leaves 1.5 s of think time each"; b.Reason.String() != want || !b.Possible {
		t.Errorf("%q, want %q", b.Reason, want)
	}
	if z := Audit(Claim{Users: 1}); !z.Possible || z.Most != 0 {
		t.Errorf("%+v", z)
	}
}

func TestQuantileInterval(t *testing.T) {
	h := measure.NewHistogram()
	for i := range 367 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	if got := fmt.Sprint(QuantileInterval(h, 0.99, 0.95, 1)); got != "n/a (needs 368)" {
		t.Errorf("%q", got)
	}
	for i := 367; i < 1000; i++ {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	i := QuantileInterval(h, 0.99, 0.95, 1)
	// Bin(1000, 0.99): P(X ≤ 982) = 0.0173, P(X ≤ 983) = 0.0319; P(X ≤ 995) = 0.9711, P(X ≤ 996) = 0.9897.
	within := func(got time.Duration, rank int) bool {
		want := time.Duration(rank) * time.Millisecond
		return got >= want && got <= want+want/1000
	}
	if !i.Known || !within(i.Value, 990) || !within(i.Lower, 983) || !within(i.Upper, 997) {
		t.Errorf("%+v", i)
	}
	h = measure.NewHistogram()
	for range 1000 {
		h.Record(431 * time.Millisecond)
	}
	if got := QuantileInterval(h, 0.99, 0.95, 1).String(); got != "431 ms [431 ms, 431 ms]" {
		t.Errorf("%q", got)
	}
}
