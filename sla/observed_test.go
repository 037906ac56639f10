package sla

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func TestObservedSecondsAreACensus(t *testing.T) {
	plan := &measure.Plan{Stages: []measure.Stage{
		{Name: "warm", End: 2 * time.Second}, {Name: "hold", Start: 2 * time.Second, End: 8 * time.Second, Judged: true},
	}}
	seen := func(values ...float64) *measure.Facts {
		o := measure.Observed{Name: "cpu"}
		for i, v := range values {
			if v >= 0 {
				o.Values = append(o.Values, measure.ObservedSecond{Second: i, Value: v})
			}
		}
		return &measure.Facts{Observed: []measure.Observed{o}}
	}
	for name, tt := range map[string]struct {
		o       scenario.Objective
		facts   *measure.Facts
		elapsed time.Duration
		n, bad  int64
		verdict Verdict
	}{
		"all within":           {scenario.Objective{Max: 1}, seen(9, 9, 1, 1, 1, 1, 1, 1), 9 * time.Second, 6, 0, Pass},
		"one beyond":           {scenario.Objective{Max: 1}, seen(0, 0, 1, 1, 2, 1, 1, 1), 9 * time.Second, 6, 1, Fail},
		"one of six allowed":   {scenario.Objective{Max: 1, Target: 0.8}, seen(0, 0, 1, 1, 2, 1, 1, 1), 9 * time.Second, 6, 1, Pass},
		"too few":              {scenario.Objective{Min: 3}, seen(3, 3, 3, 3, 2, 3, 3, 3), 9 * time.Second, 6, 1, Fail},
		"seen too seldom":      {scenario.Objective{Max: 1}, seen(1, 1, 1, -1, -1, -1, -1, 1), 9 * time.Second, 2, 0, NotVerified},
		"never seen":           {scenario.Objective{Max: 1}, &measure.Facts{}, 9 * time.Second, 0, 0, NotVerified},
		"as far as it came":    {scenario.Objective{Max: 1}, seen(0, 0, 1, 1), 4 * time.Second, 2, 0, Pass},
		"of a stage not named": {scenario.Objective{Max: 1, Stages: []string{"hold"}}, seen(9, 9, 1, 1, 1, 1, 1, 1), 9 * time.Second, 6, 0, Pass},
	} {
		o := tt.o
		o.Name, o.Kind, o.Observe = "cool", scenario.KindObserved, "cpu"
		s := &scenario.Scenario{SLA: scenario.SLA{Objectives: []scenario.Objective{o}, Confidence: unit.Share(0.95)}}
		snap := measure.NewSnapshot(plan)
		snap.Elapsed = tt.elapsed
		var got Judged
		for _, r := range Evaluate(s, snap, tt.facts).Objectives {
			if r.Name == "cool" {
				got = r
			}
		}
		if got.N != tt.n || got.Bad != tt.bad || got.Verdict != tt.verdict || len(got.Reason) != 1 {
			t.Errorf("%s: %d of %d bad, %s: %s", name, got.Bad, got.N, got.Verdict, got.Reason)
		}
	}
}
