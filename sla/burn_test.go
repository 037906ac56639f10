package sla

import (
	"math"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

func TestBurns(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.99}
	b := newBench(t, sla, judged(60*time.Second))
	for s := range 40 {
		b.turns(s, 98, nil)
		b.turns(s, 2, func(t *measure.Turn) {
			if s >= 36 {
				t.Outcome = measure.Timeout
			}
		})
	}
	b.turns(40, 100, as(measure.Timeout)) // the second that has not ended
	b.end = 40 * time.Second
	got := map[string]Burn{}
	for _, burn := range Burns(b.s, b.snap()) {
		got[burn.Objective+" "+burn.Window.String()] = burn
	}
	for key, want := range map[string]Burn{
		"availability 5s": {Rate: 8.0 / 500 / 0.01, N: 500}, "latency-p99 30s": {Rate: 8.0 / 3000 / 0.01, N: 3000}, "latency-p99 5m0s": {Rate: 8.0 / 4000 / 0.01, N: 4000},
	} {
		if g := got[key]; math.Abs(g.Rate-want.Rate) > 1e-9 || g.N != want.N {
			t.Errorf("%s: %+v, want %+v", key, g, want)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d burn rates, want 2 objectives x 3 windows: %v", len(got), got)
	}
	if list := Burns(b.s, measure.NewSnapshot(b.rec.Plan())); len(list) != 0 {
		t.Errorf("burn without turns: %v", list)
	}
}
