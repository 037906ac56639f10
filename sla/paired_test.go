package sla

import (
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
		// [−4 %, +4 %] must become ±2 %: four times as many pairs.
		{"the same to 5 % but not to 2 %", pairs(1.04, 0.96, 1.0, 1.04, 0.96, 1.0), throughput, CannotTell, 24},
		{"reliably 1 % slower means nothing", pairs(1.01, 1.011, 1.012, 1.009, 1.01, 1.01), latency, Equivalent, 0},
		{"scattered", pairs(0.5, 2, 0.7, 1.5, 1.1, 0.8), latency, CannotTell, 1350},
		{"five pairs are too few", pairs(0.5, 0.5, 0.5, 0.5, 0.5), latency, CannotTell, 6},
		{"figures of zero are left out", append(pairs(0.5, 0.5, 0.5, 0.5, 0.5), Pair{0, 1}, Pair{1, 0}, Pair{-1, -1}, Pair{math.Inf(1), 1}), latency, CannotTell, 6},
		{"nothing", nil, latency, CannotTell, 6},
	} {
		got := Compare(c.pairs, c.metric, 0.95)
		if got.Comparison != c.want || got.Needs != c.needs {
			t.Errorf("%s: %v (%+v), want %v", c.name, got.Comparison, got, c.want)
		}
	}
}

func TestComparePoints(t *testing.T) {
	m := Metric{HigherIsBetter: true, Margin: ShareMargin, Points: true}
	var lost, same []Pair
	for range 6 {
		lost, same = append(lost, Pair{1, 0.9}), append(same, Pair{0, 0})
	}
	if e := Compare(lost, m, 0.95); e.Comparison != Worse || math.Abs(e.Change+0.1) > 1e-12 || math.Abs(e.Lower+0.1) > 1e-12 {
		t.Errorf("ten points lost: %+v", e)
	}
	if e := Compare(same, m, 0.95); e.Comparison != Equivalent || e.P != 1 || e.Lower != 0 || e.Upper != 0 {
		t.Errorf("none answered on both sides: %+v", e)
	}
	if Differs(same, m) || !Differs(lost, m) {
		t.Error("Differs tells the two apart the wrong way")
	}
}

// The chances are those of tables of Wilcoxon's signed-rank test.
func TestSignedRanks(t *testing.T) {
	if got := Compare(pairs(0.5, 0.5, 0.5, 0.5, 0.5, 0.5), Metric{}, 0.95).P; got != 2.0/64 {
		t.Errorf("six one way: p = %v, want 2/64", got)
	}
	if got := Compare(pairs(0.5, 0.5, 0.5, 0.5, 0.5), Metric{}, 0.95).P; got != 2.0/32 {
		t.Errorf("five one way: p = %v, want 2/32", got)
	}
	// Ranks 1 2 3 with the smallest the other way: sums of 0 and 1 are 2 of 8 subsets.
	d := []Pair{{1, math.Exp(-1)}, {1, math.Exp(2)}, {1, math.Exp(3)}}
	if got := Compare(d, Metric{}, 0.95).P; got != 0.5 {
		t.Errorf("p = %v, want 1/2", got)
	}
	// The critical values at 5 % of both sides: 0 of 6 pairs, 8 of 10, 52 of 20.
	for n, want := range map[int]int{5: -1, 6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 15: 25, 20: 52} {
		if got := cutAt(rankSums(n), 0.05); got != want {
			t.Errorf("%d pairs: a sum of ranks of at most %d, tables say %d", n, got, want)
		}
	}
	for confidence, want := range map[float64]int{0.95: 6, 0.99: 8, 1 - 0.05/14: 10, 1 - 0.05/32: 11} {
		if got := LeastPairs(confidence); got != want {
			t.Errorf("at %v: %d pairs, want %d", confidence, got, want)
		}
	}
}

func TestEffect(t *testing.T) {
	e := Compare(pairs(2, 4, 8, 2, 4, 8, 4), Metric{}, 0.95)
	if math.Abs(e.Change-3) > 1e-9 || e.Lower < 1-1e-9 || e.Lower > 3 || e.Upper < 3 || e.Upper > 7+1e-9 || e.Pairs != 7 {
		t.Errorf("%+v", e)
	}
	// One odd run does not move it.
	odd := Compare(pairs(1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 50), Metric{}, 0.95)
	if math.Abs(odd.Change-0.2) > 1e-9 || odd.Comparison != Worse {
		t.Errorf("one odd pair of ten: %+v", odd)
	}
}

// Two variants that are the same are called different at most as often as the
// confidence allows, whatever the noise, and called equivalent when it is small;
// and the interval holds a true change as often as it says.
func TestSameVariantsAreSeldomCalledDifferent(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 1))
	different, equivalent, outside := 0, 0, 0
	const runs = 1000
	for range runs {
		var noisy, quiet, slower []Pair
		for range 8 {
			noisy = append(noisy, Pair{math.Exp(rng.NormFloat64() * 0.2), math.Exp(rng.NormFloat64() * 0.2)})
			quiet = append(quiet, Pair{math.Exp(rng.NormFloat64() * 0.005), math.Exp(rng.NormFloat64() * 0.005)})
			slower = append(slower, Pair{math.Exp(rng.NormFloat64() * 0.2), 1.2 * math.Exp(rng.NormFloat64()*0.2)})
		}
		if c := Compare(noisy, Metric{Margin: LatencyMargin}, 0.95).Comparison; c == Better || c == Worse {
			different++
		}
		if Compare(quiet, Metric{Margin: LatencyMargin}, 0.95).Comparison == Equivalent {
			equivalent++
		}
		if e := Compare(slower, Metric{}, 0.95); e.Lower > 0.2 || e.Upper < 0.2 {
			outside++
		}
	}
	// 5 % and three standard deviations: 50 + 3·√(1000·0.05·0.95) = 70.7.
	if different > 70 || outside > 70 || equivalent < runs*95/100 {
		t.Errorf("of %d: %d same pairs called different, %d intervals miss the change, %d of the quiet ones equivalent", runs, different, outside, equivalent)
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
	if i := QuantileInterval(h, 0.99, 0.95, 1); i.Known || i.Needs != 368 {
		t.Errorf("%+v, want unknown, which needs 368", i)
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
	if i := QuantileInterval(h, 0.99, 0.95, 1); i.Value != i.Lower || i.Value != i.Upper || !within(i.Value, 431) {
		t.Errorf("all alike: %+v", i)
	}
}
