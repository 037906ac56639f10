package sla

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
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

// One turn in the first second is burnt in every window; a share of all turns, or of
// none, has no budget to burn, and seconds are no turns.
func TestBurnOfOneTurn(t *testing.T) {
	of := func(name string, kind scenario.ObjectiveKind, target unit.Share) scenario.Objective {
		return scenario.Objective{Name: name, Kind: kind, Target: target}
	}
	b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{
		of("all", scenario.KindAvailability, 1), of("none", scenario.KindAvailability, 0), of("half", scenario.KindAvailability, 0.5),
		of("seconds", scenario.KindSeconds, 0.5), of("dialogs", scenario.KindConversations, 0.5),
	}}, judged(10*time.Second))
	b.turns(0, 1, as(measure.Timeout))
	b.end = time.Second
	want := []Burn{{"half", 5 * time.Second, 2, 1}, {"half", 30 * time.Second, 2, 1}, {"half", 5 * time.Minute, 2, 1}}
	snap := b.snap()
	if got := Burns(b.s, snap); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	// While what was begun ends, the clock goes on beyond the plan.
	snap.Elapsed = 20 * time.Second
	if got := Burns(b.s, snap); !slices.Equal(got, want[1:]) {
		t.Errorf("after the plan: %+v, want %+v", got, want[1:])
	}
}
