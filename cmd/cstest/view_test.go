package main

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/unit"
)

func TestKnownSoFarAddsStormsToCome(t *testing.T) {
	s := &scenario.Scenario{LLM: &scenario.LLM{Faults: []scenario.Fault{
		{Name: "first", Kind: "status", At: unit.Duration(time.Second), For: unit.Duration(time.Second)},
		{Name: "second", Kind: "status", At: unit.Duration(5 * time.Second), For: unit.Duration(time.Second)},
	}}}
	told := &measure.Facts{LLMKnown: true, Storms: []measure.Storm{{Name: "first", Start: 1010 * time.Millisecond, End: 2005 * time.Millisecond}}}
	got := sla.SoFar(s, told)
	if len(got.Storms) != 2 || got.Storms[0].Start != 1010*time.Millisecond || got.Storms[1].Name != "second" || got.Storms[1].End != 6*time.Second {
		t.Errorf("storms %+v", got.Storms)
	}
	if len(told.Storms) != 1 {
		t.Error("what the mock told was changed")
	}
	if got := sla.SoFar(s, nil); got.LLMKnown || len(got.Storms) != 0 {
		t.Errorf("nothing told: %+v", got)
	}
}

func TestCallsOfTheLastWholeSecond(t *testing.T) {
	var answered measure.Second
	answered.Outcomes[measure.OK] = 20
	l := &trial.Live{Elapsed: 4100 * time.Millisecond, SoFar: &measure.Snapshot{Seconds: []measure.Second{{}, {}, answered, answered}}}
	facts := &measure.Facts{LLMKnown: true, Calls: []measure.CallSecond{{Second: 2, Calls: 5}, {Second: 3, Calls: 20}}}
	if n, ok := callsOf(l, facts); n != 0.25 || !ok {
		t.Errorf("%v %v, want 0.25 of second 2", n, ok)
	}
	facts.Calls = facts.Calls[1:]
	if n, ok := callsOf(l, facts); n != 0 || !ok {
		t.Errorf("%v %v, want none at all", n, ok)
	}
	facts.LLMKnown = false
	if _, ok := callsOf(l, facts); ok {
		t.Error("calls are known though nobody told them")
	}
	l.Elapsed, facts.LLMKnown = time.Second, true
	if _, ok := callsOf(l, facts); ok {
		t.Error("calls are known before a second was told")
	}
}

func TestUsersActiveOfPlanned(t *testing.T) {
	for _, c := range []struct {
		conversations   int64
		level           float64
		active, planned int64
	}{
		{200, 66.7, 67, 67},  // a ramp: the others' time has not come
		{200, 200, 200, 200}, // all
		{180, 200, 180, 200}, // some are gone
		{150, 0, 150, 0},     // the drain
		{0, 0, 0, 0},
	} {
		if active, planned := usersOf(c.conversations, c.level); active != c.active || planned != c.planned {
			t.Errorf("%d conversations at level %v: %d of %d, want %d of %d", c.conversations, c.level, active, planned, c.active, c.planned)
		}
	}
}
