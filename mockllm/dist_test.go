package mockllm

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// sample draws the latency of n turns, sorted.
func sample(l Latency, n int) []time.Duration {
	p := newPace(l)
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = p.begin(7, bodyKey([]byte(strconv.Itoa(i))), 1)
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
	got := sample(LogNormal(110*time.Millisecond, 320*time.Millisecond), n)
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
	got := sample(Latency{Uniform: &Range{Min: ms(10), Max: ms(30)}}, 50_000)
	if got[0] < 10*time.Millisecond || got[len(got)-1] > 30*time.Millisecond {
		t.Errorf("range %v to %v", got[0], got[len(got)-1])
	}
	near(t, "median", got[25_000], 20e6, .01)
	near(t, "P90", got[45_000], 28e6, .01)
	got = sample(Constant(5*time.Millisecond), 10)
	if got[0] != 5*time.Millisecond || got[9] != got[0] {
		t.Errorf("constant gave %v to %v", got[0], got[9])
	}
}

func TestTailIsCapped(t *testing.T) {
	got := sample(LogNormal(time.Minute, 9*time.Minute), 10_000)
	if worst := got[len(got)-1]; worst != maxDelay {
		t.Errorf("worst is %v, want the cap %v", worst, maxDelay)
	}
}

func TestDrawsAreUniformAndIndependent(t *testing.T) {
	const n, cells = 100_000, 100
	var bySalt [2][cells]int
	same := 0
	for i := range n {
		k, _ := parseTraceparent([]byte(trace(i)))
		a := uniform(draw(1, k, 1, saltLatency))
		b := uniform(draw(1, k, 2, saltLatency))
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

// verdicts is what a server decided per (trace, attempt).
func verdicts(t *testing.T, seed uint64, order []int) map[string]Record {
	t.Helper()
	out := map[string]Record{}
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{
			Seed: seed, Latency: LogNormal(110*time.Millisecond, 320*time.Millisecond),
			Faults: []Fault{{Kind: "status", Share: .3, Status: 429}, {Kind: "slow", Share: .2, Factor: 2}},
		})
		defer s.stop()
		for _, i := range order {
			ask(t, dial, chatPath, hello, "traceparent", trace(i))
		}
		for _, r := range records(s) {
			r.DueNs, r.LastDueNs, r.WrittenNs = r.DueNs-r.TNs, r.LastDueNs-r.TNs, 0
			r.Seq, r.TNs, r.QueueNs = 0, 0, 0
			out[r.TraceID+"/"+strconv.Itoa(r.Attempt)] = r
		}
	})
	return out
}

func TestSameSeedSameDecisionsInAnyOrder(t *testing.T) {
	order := make([]int, 0, 400)
	for i := range 200 {
		order = append(order, i, i) // two attempts of each turn
	}
	first := verdicts(t, 5, order)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	second := verdicts(t, 5, order)
	if len(first) != 400 {
		t.Fatalf("%d decisions, want 400", len(first))
	}
	faults := map[string]int{}
	for k, want := range first {
		if second[k] != want {
			t.Errorf("%s: %+v, then %+v", k, want, second[k])
		}
		faults[want.Outcome]++
	}
	if faults["status_429"] < 80 || faults["status_429"] > 160 || faults["slow"] < 25 {
		t.Errorf("implausible outcomes %v", faults)
	}
	differs := 0
	for k, r := range verdicts(t, 6, order) {
		if r.DrawnNs != first[k].DrawnNs || r.Outcome != first[k].Outcome {
			differs++
		}
	}
	if differs < 350 {
		t.Errorf("another seed changed only %d of 400 decisions", differs)
	}
}

func TestInjectedLatencyIsWhatClientsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Latency{Uniform: &Range{Min: ms(50), Max: ms(500)}}})
		defer s.stop()
		for i := range 20 {
			began := time.Now()
			ask(t, dial, chatPath, hello, "traceparent", trace(i))
			took := time.Since(began)
			r := records(s)[i]
			if r.InjectedNs != int64(took) || r.DrawnNs != int64(took) {
				t.Errorf("took %v, drawn %d, injected %d", took, r.DrawnNs, r.InjectedNs)
			}
		}
	})
}

func TestHistogramIsExactToATenthOfAPercent(t *testing.T) {
	var h hist
	var all []time.Duration
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		d := time.Duration(math.Exp(rng.Float64()*math.Log(4e12))) + 1
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for i, q := range h.quantiles(500, 900, 990, 999) {
		k := (len(all)*[]int{500, 900, 990, 999}[i] + 999) / 1000
		near(t, "quantile", q, float64(all[k-1]), .001)
	}
	if q := h.facts(); q.N != 20_000 || q.MaxNs != int64(all[len(all)-1]) {
		t.Errorf("n %d max %d, want 20000 and %d", q.N, q.MaxNs, all[len(all)-1])
	}
	for _, v := range []uint64{0, 1, 1023, 1024, 1025, 2047, 2048, 1 << 30, 1<<30 + 1<<19, 1 << 42} {
		if got := histValue(histIndex(v)); math.Abs(float64(got)-float64(v)) > float64(v)/1024 {
			t.Errorf("%d is read back as %d", v, got)
		}
	}
	var none hist
	if q := none.facts(); q != (Quantiles{}) {
		t.Errorf("empty histogram: %+v", q)
	}
}
