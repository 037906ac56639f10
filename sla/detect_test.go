package sla

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// called is a run whose seconds have so many turns and LLM calls.
func called(t *testing.T, of func(second int) (turns int, calls int64)) *bench {
	b := stormy(t, func(b *bench, s int) {
		turns, _ := of(s)
		b.turns(s, turns, nil)
	})
	b.facts.LLMKnown = true
	for s := range 60 {
		_, calls := of(s)
		b.facts.Calls = append(b.facts.Calls, measure.CallSecond{Second: s, Calls: calls})
	}
	return b
}

// A second with a turn and no calls shows that the server noticed; one without a
// turn shows nothing.
func TestDetectInSecondsOfFewTurns(t *testing.T) {
	for turns, want := range map[int]float64{0: -1, 1: 4} {
		b := called(t, func(s int) (int, int64) {
			if s == 14 {
				return turns, 0
			}
			return 100, 100
		})
		if got := seconds(b.evaluate().Storms[0].Detect); got != want {
			t.Errorf("%d turns: detected after %v s, want %v", turns, got, want)
		}
	}
}

// What is usual is taken from the ten seconds before the storm, as many as there
// are, and not from another storm.
func TestDetectByWhatWasUsual(t *testing.T) {
	for _, c := range []struct {
		name   string
		start  int
		before func(s int) int64 // calls a second; in the storm they are 19, of 100 turns
		other  []measure.Storm
		want   float64
	}{
		{"one second before", 1, func(int) int64 { return 100 }, nil, 0},
		{"none", 0, func(int) int64 { return 100 }, nil, -1},
		{"eleven seconds before is too long ago", 20, func(s int) int64 {
			if s == 9 {
				return 10_000
			}
			return 90
		}, nil, -1},
		{"ten is not", 20, func(s int) int64 {
			if s == 10 {
				return 10_000
			}
			return 90
		}, nil, 0},
		{"retries in another storm are not usual", 20, func(s int) int64 {
			if s < 15 {
				return 10_000
			}
			return 90
		}, []measure.Storm{storm("other", 5, 15)}, -1},
		{"one that is over long before", 20, func(int) int64 { return 100 }, []measure.Storm{storm("other", 5, 8)}, 0},
	} {
		b := called(t, func(s int) (int, int64) {
			if s >= c.start {
				return 100, 19
			}
			return 100, c.before(s)
		})
		b.facts.Storms = append(c.other, storm("storm", c.start, c.start+10))
		r := b.evaluate()
		if got := seconds(r.Storms[len(r.Storms)-1].Detect); got != c.want {
			t.Errorf("%s: detected after %v s, want %v", c.name, got, c.want)
		}
	}
}

// A single answer at the end of the storm shows that turns no longer fail.
func TestDetectByOneAnswer(t *testing.T) {
	for turns, want := range map[int]float64{0: -1, 1: 8} {
		b := stormy(t, func(b *bench, s int) {
			switch {
			case s < 10 || s >= 20:
				b.turns(s, 100, nil)
			case s < 18:
				b.turns(s, 100, as(measure.Timeout))
			case s == 18:
				b.turns(s, turns, nil)
			}
		})
		if got := seconds(b.evaluate().Storms[0].Detect); got != want {
			t.Errorf("%d answers: detected after %v s, want %v", turns, got, want)
		}
	}
}

// Calls per turn need turns, and someone who tells of the calls.
func TestCallsPerTurnOfAStorm(t *testing.T) {
	for _, c := range []struct {
		name  string
		told  bool
		turns int // in one second of the storm
		want  float64
		known bool
	}{
		{"told", true, 1, 30, true},
		{"no turns", true, 0, 0, false},
		{"nobody tells", false, 1, 0, false},
	} {
		b := called(t, func(s int) (int, int64) {
			switch {
			case s == 15:
				return c.turns, 3
			case s >= 10 && s < 20:
				return 0, 3
			}
			return 100, 100
		})
		b.facts.LLMKnown = c.told
		if got := b.evaluate().Storms[0]; got.CallsPerTurn != c.want || got.CallsKnown != c.known {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got.CallsPerTurn, got.CallsKnown, c.want, c.known)
		}
	}
	j := &judge{snap: &measure.Snapshot{Seconds: make([]measure.Second, 2)}}
	j.snap.Seconds[1].Outcomes[measure.OK] = 4
	for second, want := range map[int]int64{-1: 0, 0: 0, 1: 4, 2: 0} {
		if got := j.turnsAt(second); got != want {
			t.Errorf("second %d: %d turns, want %d", second, got, want)
		}
	}
}

// The bounds of time are the storm's own: one of 0.5 s from the begin has no seconds before.
func TestDetectionFromTheStormsBegin(t *testing.T) {
	b := called(t, func(s int) (int, int64) {
		if s >= 10 {
			return 100, 10
		}
		return 100, 100
	})
	b.facts.Storms[0].Start = 10*time.Second + 700*ms
	if got := seconds(b.evaluate().Storms[0].Detect); got != 0 {
		t.Errorf("noticed in the second it began in: %v s, want 0", got)
	}
}
