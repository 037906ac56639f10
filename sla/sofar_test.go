package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func faults(names ...string) *scenario.Scenario {
	s := &scenario.Scenario{LLM: &scenario.LLM{}}
	for i, name := range names {
		s.LLM.Faults = append(s.LLM.Faults, scenario.Fault{Name: name, Kind: "status", At: unit.Duration(time.Duration(4*i+1) * time.Second), For: unit.Duration(time.Second)})
	}
	return s
}

// The storms of a run under way are those that were seen, as they were seen, and
// of the planned ones those that were not yet.
func TestStormsSoFar(t *testing.T) {
	seen := measure.Storm{Name: "first", Start: 1010 * ms, End: 2005 * ms}
	told := &measure.Facts{LLMKnown: true, LLMCalls: 7, Storms: append(make([]measure.Storm, 0, 2), seen)}
	got := SoFar(faults("first", "second"), told)
	want := []measure.Storm{seen, {Name: "second", Kind: "status", Start: 5 * time.Second, End: 6 * time.Second}}
	if !slices.Equal(got.Storms, want) || !got.LLMKnown || got.LLMCalls != 7 {
		t.Errorf("%+v, want storms %+v", got, want)
	}
	if beyond := told.Storms[:2][1]; len(told.Storms) != 1 || beyond.Name != "" {
		t.Errorf("what was told became %+v and %+v", told.Storms, beyond)
	}
	if got := SoFar(faults("first"), nil); got.LLMKnown || got.Storms != nil {
		t.Errorf("nothing told: %+v", got)
	}
	if got := SoFar(&scenario.Scenario{}, told); !slices.Equal(got.Storms, told.Storms) {
		t.Errorf("nothing planned: %+v", got.Storms)
	}
	if PlannedStorms(nil) != nil || PlannedStorms(&scenario.Scenario{}) != nil {
		t.Error("storms that nobody planned")
	}
}

// Storms are those that happened; the plan stands in for them only where nobody
// tells of any. They are in order, within the plan, and open ones last to its end.
func TestStormsOfARun(t *testing.T) {
	plan := &measure.Plan{Stages: []measure.Stage{judged(60 * time.Second)}}
	at := func(name string, start, end time.Duration) measure.Storm {
		return measure.Storm{Name: name, Start: start, End: end}
	}
	planned := measure.Storm{Name: "planned", Kind: "status", Start: time.Second, End: 2 * time.Second}
	for _, c := range []struct {
		name  string
		facts measure.Facts
		want  []measure.Storm
	}{
		{"none told, by nobody who could", measure.Facts{}, []measure.Storm{planned}},
		{"none told, by a mock", measure.Facts{LLMKnown: true}, nil},
		{"told", measure.Facts{Storms: []measure.Storm{at("a", 1, 2)}}, []measure.Storm{at("a", 1, 2)}},
		{"told by a mock", measure.Facts{LLMKnown: true, Storms: []measure.Storm{at("a", 1, 2)}}, []measure.Storm{at("a", 1, 2)}},
		{"out of order, by a nanosecond", measure.Facts{Storms: []measure.Storm{at("b", 2, 9), at("a", 1, 9), at("c", 2, 5)}}, []measure.Storm{at("a", 1, 9), at("b", 2, 9), at("c", 2, 5)}},
		{"over at once", measure.Facts{Storms: []measure.Storm{at("a", 0, 1)}}, []measure.Storm{at("a", 0, 1)}},
		{"open", measure.Facts{Storms: []measure.Storm{at("a", 7, 0)}}, []measure.Storm{at("a", 7, 60*time.Second)}},
		{"never begun", measure.Facts{Storms: []measure.Storm{at("a", 7, -1)}}, []measure.Storm{at("a", 7, 60*time.Second)}},
		{"to the end", measure.Facts{Storms: []measure.Storm{at("a", 7, 60*time.Second)}}, []measure.Storm{at("a", 7, 60*time.Second)}},
		{"beyond it", measure.Facts{Storms: []measure.Storm{at("a", 7, 61*time.Second)}}, []measure.Storm{at("a", 7, 60*time.Second)}},
		{"after it", measure.Facts{Storms: []measure.Storm{at("a", 70*time.Second, 71*time.Second)}}, []measure.Storm{at("a", 70*time.Second, 70*time.Second)}},
	} {
		before := slices.Clone(c.facts.Storms)
		if got := stormsOf(faults("planned"), plan, &c.facts); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		if !slices.Equal(c.facts.Storms, before) {
			t.Errorf("%s: the facts became %+v", c.name, c.facts.Storms)
		}
	}
}

func TestWholeSeconds(t *testing.T) {
	for d, want := range map[time.Duration]int{-time.Hour: 0, -1: 0, 0: 0, 1: 1, time.Second - 1: 1, time.Second: 1, time.Second + 1: 2, 90 * time.Second: 90} {
		if got := wholeSecond(d); got != want {
			t.Errorf("%v: second %d, want %d", d, got, want)
		}
	}
}
