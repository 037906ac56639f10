package sla

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// rated is a run of a minute of so many starts a second, of which all are late from
// the end of its storm on.
func rated(t *testing.T, sla scenario.SLA, st measure.Storm, rate func(second int) int) *bench {
	b := newBench(t, sla, judged(60*time.Second))
	b.facts.Storms = []measure.Storm{st}
	for s := range 60 {
		if time.Duration(s)*time.Second < st.End {
			b.turns(s, rate(s), nil)
		} else {
			b.turns(s, rate(s), taking(time.Second))
		}
	}
	return b
}

// Goodput is held against the storm only while the rate of the last five seconds is
// that of the five before the storm, within a tenth. Ten seconds are needed, from
// 30 s on.
func TestMetastableAtTheSameRate(t *testing.T) {
	from := func(second, rate int) func(int) int {
		return func(s int) int {
			if s >= second {
				return rate
			}
			return 100
		}
	}
	at := storm("storm", 10, 20)
	for _, c := range []struct {
		name  string
		storm measure.Storm
		rate  func(int) int
		want  bool
	}{
		{"nine tenths", at, from(20, 90), true},
		{"less", at, from(20, 89), false},
		{"eleven tenths", storm("storm", 10, 20), func(s int) int {
			if s >= 20 {
				return 11
			}
			return 10
		}, true},
		{"more", at, from(20, 111), false},
		// With k seconds of 85 in five the mean is 100 − 3k: 91 with three, 88 with four.
		{"nine seconds before the rate falls", at, from(36, 85), false},
		{"ten seconds", at, from(37, 85), true},
		// With k seconds of 80 it is 100 − 4k: 92 with two, 88 with three.
		{"nine seconds before it falls farther", at, from(37, 80), false},
		{"ten seconds, and farther", at, from(38, 80), true},
		{"a storm after two seconds, of 120 and 80 starts", storm("storm", 2, 20), func(s int) int {
			switch s {
			case 0:
				return 120
			case 1:
				return 80
			}
			return 100
		}, true},
		{"a storm after a second", storm("storm", 1, 20), from(0, 100), true},
		{"a storm from the begin", storm("storm", 0, 20), from(0, 1), false},
	} {
		if got := rated(t, scenario.SLA{Latency: p99.Latency}, c.storm, c.rate).evaluate().Storms[0].Metastable; got != c.want {
			t.Errorf("%s: metastable %v", c.name, got)
		}
	}
}

// Starts that the target refused are arrivals too.
func TestMetastableOfRefusedStarts(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		if s < 20 {
			b.turns(s, 100, nil)
			return
		}
		b.turns(s, 50, taking(time.Second))
		for range 50 {
			b.rec.Lane(0).Dropped(time.Duration(s)*time.Second, 1, measure.DroppedTarget)
		}
	})
	if !b.evaluate().Storms[0].Metastable {
		t.Error("half of the starts are refused, and the rest late: not metastable")
	}
}

// Only the recovery of latency from this storm is allowed time before it is held against it.
func TestMetastableAfterTheTimeAllowed(t *testing.T) {
	recovery := func(kind scenario.ObjectiveKind, after string) scenario.SLA {
		return scenario.SLA{Latency: p99.Latency, Objectives: []scenario.Objective{{Name: "r", Kind: kind, After: after, Limit: unit.Duration(35 * time.Second)}}}
	}
	for _, c := range []struct {
		name string
		sla  scenario.SLA
		want bool
	}{
		{"latency of this storm", recovery(scenario.KindRecoveryLatency, "storm"), false},
		{"latency of another", recovery(scenario.KindRecoveryLatency, "other"), true},
		{"quality of this storm", recovery(scenario.KindRecoveryQuality, "storm"), true},
	} {
		b := rated(t, c.sla, storm("storm", 10, 20), func(int) int { return 100 })
		if got := b.evaluate().Storms[0].Metastable; got != c.want {
			t.Errorf("35 s for %s: metastable %v", c.name, got)
		}
	}
}

// What was bad in another storm is in no window after it: one good second then
// shows that goodput came back.
func TestMetastableAcrossAnotherStorm(t *testing.T) {
	for _, c := range []struct {
		good int // second
		want bool
	}{{31, true}, {32, false}, {33, true}} {
		b := stormy(t, func(b *bench, s int) {
			if s < 20 || s == c.good {
				b.turns(s, 100, nil)
			} else {
				b.turns(s, 100, taking(time.Second))
			}
		})
		b.facts.Storms = append(b.facts.Storms, storm("other", 30, 32))
		if got := b.evaluate().Storms[0].Metastable; got != c.want {
			t.Errorf("good at %d s: metastable %v", c.good, got)
		}
	}
}
