package mockllm

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

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
		s, dial := piped(t, Config{Latency: Latency{Min: ms(50), Max: ms(500)}})
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
