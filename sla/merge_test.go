package sla

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Shards added in any order give the same result.
func TestMergeOrderDoesNotMatter(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.99, FullQuality: 0.95}
	b := newBench(t, sla, judged(30*time.Second))
	rng := rand.New(rand.NewPCG(1, 2))
	var shards []*measure.Snapshot
	for range 5 {
		for s := range 30 {
			b.turns(s, 10+rng.IntN(30), func(t *measure.Turn) {
				t.Done = t.Intended + time.Duration(rng.ExpFloat64()*float64(100*ms))
				t.Outcome = measure.Outcome(rng.IntN(200) / 16 % int(measure.Integrity))
			})
		}
		s, err := b.rec.Cut(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		shards = append(shards, s)
	}
	judge := func(order []int) Result {
		total := measure.NewSnapshot(b.rec.Plan())
		for _, i := range order {
			if err := total.Add(shards[i]); err != nil {
				t.Fatal(err)
			}
		}
		return Evaluate(b.s, total, b.facts)
	}
	want := judge([]int{0, 1, 2, 3, 4})
	for range 10 {
		if got := judge(rng.Perm(5)); !equal(want, got) {
			t.Fatalf("another order, another result:\n%+v\n%+v", want, got)
		}
	}
}
