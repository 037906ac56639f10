package tune

import (
	"maps"
	"math"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// What the target used is told by turns, by open conversations and by those begun; what
// it does not tell is not there.
func TestFiguresOfTheTarget(t *testing.T) {
	snap := &measure.Snapshot{Plan: &measure.Plan{Stages: []measure.Stage{{Name: "steady", End: 2 * time.Second, Judged: true}}}, Started: 50}
	snap.Counts[measure.OK], snap.Counts[measure.Timeout] = 180, 20
	facts := func() *measure.Facts {
		f := &measure.Facts{
			LLMKnown: true, LLMCalls: 150,
			Processes: []measure.Process{{Name: "cstest", CPU: time.Hour, MaxRSS: 1 << 40, BaseRSS: 1}, {Name: "reference-server", CPU: 100 * time.Millisecond, MaxRSS: 60 << 20, BaseRSS: 20 << 20}},
			Target:    measure.TargetFacts{Known: true, RoundTrips: 440, Connections: 40, RoundTripsKnown: true},
		}
		f.Generator.Seconds = []measure.GeneratorSecond{{Second: 0, Conversations: 12}, {Second: 1, Conversations: 40}, {Second: 2, Conversations: 3}}
		return f
	}
	for _, c := range []struct {
		name   string
		change func(*measure.Facts)
		want   map[string]float64
	}{
		{"all is known", func(*measure.Facts) {}, map[string]float64{
			"target CPU per turn": 500, "LLM calls per turn": 0.75, "Redis round trips per turn": 2.2, "connections": 40,
			"target memory per conversation": 1 << 20, "target CPU per conversation": 2000,
		}},
		{"a server of one's own", func(f *measure.Facts) {
			f.Processes, f.LLMKnown, f.Target = f.Processes[:1], false, measure.TargetFacts{}
		}, map[string]float64{}},
		{"an older server", func(f *measure.Facts) { f.Target.RoundTripsKnown = false }, map[string]float64{
			"target CPU per turn": 500, "LLM calls per turn": 0.75, "target memory per conversation": 1 << 20, "target CPU per conversation": 2000,
		}},
		{"memory before the load is not known", func(f *measure.Facts) { f.Processes[1].BaseRSS = 0 }, map[string]float64{
			"target CPU per turn": 500, "LLM calls per turn": 0.75, "Redis round trips per turn": 2.2, "connections": 40, "target CPU per conversation": 2000,
		}},
		{"nobody asked Redis", func(f *measure.Facts) { f.Target.RoundTrips, f.Generator.Seconds = 0, nil }, map[string]float64{
			"target CPU per turn": 500, "LLM calls per turn": 0.75, "Redis round trips per turn": 0, "connections": 40, "target CPU per conversation": 2000,
		}},
	} {
		f := facts()
		c.change(f)
		got := Figures(snap, f)
		if !maps.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		held := WithoutHeld(got)
		for _, m := range Metrics() {
			if _, there := held[m.Name]; there && m.Held {
				t.Errorf("%s: %s is left", c.name, m.Name)
			}
		}
	}
	if got := Figures(&measure.Snapshot{Plan: snap.Plan}, facts()); len(got) != 0 {
		t.Errorf("of no turns: %v", got)
	}
}
