package draw

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/unit"
)

// sample draws the latency of n turns, sorted.
func sample(l config.Latency, n int) []time.Duration {
	p := NewPace(l)
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = p.Begin(7, HashKey(Mix(uint64(i))), 1)
	}
	slices.Sort(out)
	return out
}

func near(t *testing.T, what string, got time.Duration, want, within float64) {
	t.Helper()
	if off := math.Abs(float64(got)/want - 1); off > within {
		t.Errorf("%s is %v, want %v within %.1f %%", what, got, time.Duration(want), 100*within)
	}
}

func TestLogNormalHitsItsQuantiles(t *testing.T) {
	const n = 100_000
	got := sample(config.LogNormal(110*time.Millisecond, 320*time.Millisecond), n)
	sigma := math.Log(320.0/110) / p99Deviate
	near(t, "median", got[n/2-1], 110e6, .01)
	near(t, "P99", got[n*99/100-1], 320e6, .01)
	near(t, "P99.9", got[n*999/1000-1], 110e6*math.Exp(sigma*3.0902323), .03)
	near(t, "P1", got[n/100-1], 110e6*110/320, .02)
	if got[0]%time.Microsecond == 0 && got[1]%time.Microsecond == 0 && got[2]%time.Microsecond == 0 {
		t.Error("latencies are coarser than a microsecond")
	}
}

func TestUniformAndConstant(t *testing.T) {
	got := sample(config.Latency{Min: unit.Duration(10 * time.Millisecond), Max: unit.Duration(30 * time.Millisecond)}, 50_000)
	if got[0] < 10*time.Millisecond || got[len(got)-1] > 30*time.Millisecond {
		t.Errorf("range %v to %v", got[0], got[len(got)-1])
	}
	near(t, "median", got[25_000], 20e6, .01)
	near(t, "P90", got[45_000], 28e6, .01)
	got = sample(config.Constant(5*time.Millisecond), 10)
	if got[0] != 5*time.Millisecond || got[9] != got[0] {
		t.Errorf("constant gave %v to %v", got[0], got[9])
	}
}

func TestTailIsCapped(t *testing.T) {
	got := sample(config.LogNormal(time.Minute, 9*time.Minute), 10_000)
	if worst := got[len(got)-1]; worst != config.MaxDelay {
		t.Errorf("worst is %v, want the cap %v", worst, config.MaxDelay)
	}
}

func TestDrawsAreUniformAndIndependent(t *testing.T) {
	const n, cells = 100_000, 100
	var bySalt [2][cells]int
	same := 0
	for i := range n {
		k, _ := ParseTraceparent(fmt.Appendf(nil, "00-%032x-%016x-01", i+1, i+1))
		a := Uniform(Hash(1, k, 1, saltLatency))
		b := Uniform(Hash(1, k, 2, saltLatency))
		bySalt[0][int(a*cells)]++
		bySalt[1][int(b*cells)]++
		if int(a*10) == int(b*10) {
			same++
		}
	}
	for s := range bySalt {
		chi := 0.0
		for _, c := range bySalt[s] {
			chi += math.Pow(float64(c)-n/cells, 2) / (n / cells)
		}
		if chi > 160 { // 99 degrees of freedom: beyond the 0.9999 quantile
			t.Errorf("chi-square %v over %d cells", chi, cells)
		}
	}
	if same < n/10-600 || same > n/10+600 { // six standard deviations
		t.Errorf("attempts 1 and 2 share a decile %d times of %d", same, n)
	}
}
