package sla

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func storm(name string, start, end int) measure.Storm {
	return measure.Storm{Name: name, Start: time.Duration(start) * time.Second, End: time.Duration(end) * time.Second}
}

// Fifty good turns in ten seconds show that a recovery holds, forty-nine do not.
func TestRecoveryTakesFiftyGoodTurns(t *testing.T) {
	for _, c := range []struct {
		good, bad int // in the last of the ten seconds; the others have five good turns each
		want      float64
	}{{5, 0, 0}, {4, 0, -1}, {4, 1, -1}, {5, 1, 0}} {
		b := newBench(t, scenario.SLA{}, judged(30*time.Second))
		b.facts.Storms = []measure.Storm{storm("storm", 10, 20)}
		for s := 20; s < 29; s++ {
			b.turns(s, 5, nil)
		}
		b.turns(29, c.good, nil)
		b.turns(29, c.bad, degraded)
		if got := seconds(b.evaluate().Storms[0].Quality); got != c.want {
			t.Errorf("%d good and %d bad: recovered after %v s, want %v", 45+c.good, c.bad, got, c.want)
		}
	}
}

// What is broken refutes a recovery that could not have held for ten seconds
// before, and none that could: of those nothing was seen.
func TestBrokenWindowsRefuteWhatCouldNotHold(t *testing.T) {
	for second, want := range map[int]struct {
		verdict Verdict
		refuted time.Duration
	}{29: {Fail, 10 * time.Second}, 30: {Inconclusive, 0}} {
		b := stormy(t, func(b *bench, s int) {
			if s == second {
				b.turns(s, 3, as(measure.Timeout))
			}
		})
		o := find(t, b.evaluate(), "recovery-latency")
		// A second alone is in five windows; the first of them that is broken is its own.
		if want.refuted > 0 {
			want.refuted += (window - 1) * time.Second
		}
		if o.Verdict != want.verdict || o.Comebacks[0].Refuted != want.refuted {
			t.Errorf("broken at %d s: %v, refuted until %v; want %v, %v", second, o.Verdict, o.Comebacks[0].Refuted, want.verdict, want.refuted)
		}
	}
}

// How each storm was recovered from is told, with what the verdict took.
func TestComebacks(t *testing.T) {
	// Bad until 25 s, nothing asked until 40 s, good from then on: refuted until the
	// last window with what was bad in it, at 29 s, and seen 20 s after the storm.
	late := func(b *bench, s int) {
		switch {
		case s < 20 || s >= 40:
			b.turns(s, 100, nil)
		case s < 26:
			b.turns(s, 100, taking(time.Second))
		}
	}
	b := stormy(t, late)
	o := find(t, b.evaluate(), "recovery-latency")
	took := 20 * time.Second
	if want := []Comeback{{End: 20 * time.Second, Took: &took, Refuted: 10 * time.Second, Told: true}}; !reflect.DeepEqual(o.Comebacks, want) {
		t.Errorf("%+v, want %+v", o.Comebacks, want)
	}
	if o.Verdict != Fail || o.Measured != 20 || o.Lower != 20 || o.Upper != 20 {
		t.Errorf("%v, %v s in [%v, %v], want 20 s", o.Verdict, o.Measured, o.Lower, o.Upper)
	}
	// Two that were not seen, for as long: the first is told of.
	b = stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms = []measure.Storm{storm("storm", 10, 20), storm("other", 15, 25), storm("storm", 50, 55)}
	r := b.evaluate()
	o = find(t, r, "recovery-latency")
	if want := (reason.Reasons{reason.New(reason.RecoveryHidden, "other", "storm")}); !reflect.DeepEqual(o.Reason, want) || len(o.Comebacks) != 2 {
		t.Errorf("%+v, want %+v", o.Reason, want)
	}
	b.facts.Storms = b.facts.Storms[2:]
	o = find(t, b.evaluate(), "recovery-latency")
	if want := (reason.Reasons{reason.New(reason.RecoveryUnseen, "storm", 10*time.Second)}); !reflect.DeepEqual(o.Reason, want) {
		t.Errorf("%+v, want %+v", o.Reason, want)
	}
}

// One storm that begins as another ends leaves no time to recover in, and hides nothing.
func TestStormsBackToBack(t *testing.T) {
	b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms = append(b.facts.Storms, storm("other", 20, 25))
	if o := find(t, b.evaluate(), "recovery-latency"); o.Verdict != Inconclusive || o.Reason[0].Code != reason.RecoveryUnseen {
		t.Errorf("%v %q", o.Verdict, o.Reason)
	}
}

// Recovery of quality excuses the storm it is asked for, that of latency none.
func TestWhatIsExcused(t *testing.T) {
	objective := func(kind scenario.ObjectiveKind, after string) scenario.Objective {
		return scenario.Objective{Name: "r-" + after, Kind: kind, After: after, Limit: unit.Duration(15 * time.Second)}
	}
	for _, c := range []struct {
		name string
		list []scenario.Objective
		want []Span
	}{
		{"nothing", nil, nil},
		{"latency", []scenario.Objective{objective(scenario.KindRecoveryLatency, "storm")}, nil},
		{"the other storm", []scenario.Objective{objective(scenario.KindRecoveryQuality, "other")}, []Span{{40 * time.Second, 45 * time.Second}}},
		{"both", []scenario.Objective{objective(scenario.KindRecoveryQuality, "other"), objective(scenario.KindRecoveryQuality, "storm")}, []Span{{40 * time.Second, 45 * time.Second}, {10 * time.Second, 20 * time.Second}}},
	} {
		b := newBench(t, scenario.SLA{Objectives: c.list}, judged(60*time.Second))
		b.facts.Storms = []measure.Storm{storm("storm", 10, 20), storm("other", 40, 45)}
		for s := range 60 {
			b.turns(s, 100, nil)
		}
		if got := b.evaluate().Excused; !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// A storm is told of from the moment it begins.
func TestStormThatJustBegins(t *testing.T) {
	for end, want := range map[time.Duration]int{10 * time.Second: 1, 10*time.Second - 1: 0} {
		b := stormy(t, func(b *bench, s int) {
			if s < 10 {
				b.turns(s, 100, nil)
			}
		})
		b.end = end
		if got := b.evaluate().Storms; len(got) != want {
			t.Errorf("at %v: %d storms, want %d", end, len(got), want)
		}
	}
}

// What was recorded without a budget says nothing, and not what another one counted.
func TestStormsWithoutTheirBudgets(t *testing.T) {
	for _, outcome := range []measure.Outcome{measure.OK, measure.Timeout} {
		b := stormy(t, func(*bench, int) {})
		plan := *b.rec.Plan()
		plan.Budgets = []measure.Budget{{Name: "another", Stages: 1, Valid: sent, Good: measure.Answered}}
		b.rec = measure.NewRecorder(&plan, 1)
		for s := range 60 {
			b.turns(s, 100, as(outcome))
		}
		if got := b.evaluate().Storms[0]; got.Detect != nil || got.Latency != nil || got.Quality != nil || got.Metastable {
			t.Errorf("%v: %+v", outcome, got)
		}
	}
}
