package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// Starts are known of the schedule where the load went by it and was recorded whole:
// of two reasons that it did not, neither makes up for the other.
func TestScheduled(t *testing.T) {
	stopped, cut := saying("stopped"), []measure.Cut{{Shard: "1/2"}}
	for _, c := range []struct {
		name  string
		facts measure.Facts
		known bool
	}{
		{"whole", measure.Facts{}, true},
		{"interrupted", measure.Facts{Interrupted: stopped}, false},
		{"aborted", measure.Facts{Aborted: stopped}, false},
		{"cut off", measure.Facts{Cut: cut}, false},
		{"aborted and interrupted", measure.Facts{Aborted: stopped, Interrupted: stopped}, false},
		{"interrupted and cut off", measure.Facts{Interrupted: stopped, Cut: cut}, false},
		{"aborted and cut off", measure.Facts{Aborted: stopped, Cut: cut}, false},
		{"with a gap", measure.Facts{Gaps: 1}, false},
	} {
		for _, planned := range []int64{1, 7} {
			c.facts.Generator.Planned = planned
			if n, known := scheduled(&c.facts); known != c.known || n != planned {
				t.Errorf("%s: %d, %v; want %d, %v", c.name, n, known, planned, c.known)
			}
		}
		c.facts.Generator.Planned = 0
		if _, known := scheduled(&c.facts); known {
			t.Errorf("%s: a schedule without starts is known", c.name)
		}
	}
}

// Ninety-nine starts of a hundred are enough, and what they were planned by is told.
func TestStartsOfAHundred(t *testing.T) {
	for planned, want := range map[int64]Verdict{100: Pass, 101: Invalid} {
		b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "a", Kind: scenario.KindAvailability, Target: 0.5}}}, judged(10*time.Second))
		b.turns(1, 98, nil)
		b.turns(3, 1, nil)
		b.facts.Generator.Planned = planned
		r := b.evaluate()
		if r.Verdict != want || r.Generator.Due != planned || r.Generator.Seconds != 2 {
			t.Errorf("99 of %d: %v, %d due, %d seconds with turns; want %v", planned, r.Verdict, r.Generator.Due, r.Generator.Seconds, want)
		}
	}
}

// The causes of starts that the generator dropped are those of its own failures.
func TestCausesOfDroppedStarts(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 8, nil)
	for range 2 {
		b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
		b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.DroppedGenerator, Message: "out of descriptors or ports"})
	}
	b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.Timeout, Message: "no answer in time"})
	want := "2 of 10 starts were dropped by the generator, more than 0.1 %; 2 x out of descriptors or ports"
	if got := says(b.evaluate().Generator.Reasons); !slices.Contains(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Without the budget that counts late turns nothing is known of them.
func TestNothingIsKnownOfLateness(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	plan := *b.rec.Plan()
	plan.Budgets = []measure.Budget{{Name: "another", Stages: 1, Valid: sent, Good: measure.Answered}}
	b.rec = measure.NewRecorder(&plan, 1)
	b.turns(1, 100, as(measure.Timeout))
	if got := b.evaluate().Generator; got.Tainted != nil || got.Late != nil {
		t.Errorf("tainted %v, late %v", got.Tainted, got.Late)
	}
}

// A late second spoils as many before it as a turn may be in flight, at least one,
// and the one after it.
func TestSecondsNearALateOne(t *testing.T) {
	for _, c := range []struct {
		timeout time.Duration
		late    []int
		want    []int
	}{
		{0, []int{5}, []int{4, 5, 6}},
		{time.Second, []int{5}, []int{4, 5, 6}},
		{2500 * ms, []int{5}, []int{2, 3, 4, 5, 6}},
		{time.Second, []int{0}, []int{0, 1}},
		{time.Second, []int{9}, []int{8, 9, 10}},
		{time.Second, []int{10}, []int{9, 10}}, // after the plan
		{time.Second, []int{2, 7}, []int{1, 2, 3, 6, 7, 8}},
		{time.Second, nil, nil},
	} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		b.s.Target.Timeout = unit.Duration(c.timeout)
		j := &judge{s: b.s, snap: b.snap(), facts: b.facts}
		var got []int
		for second := range 15 {
			if j.without(c.late).leftOut(second) {
				got = append(got, second)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, late at %v: without %v, want %v", c.timeout, c.late, got, c.want)
		}
	}
}

// A storm that is metastable only where the generator was late makes a run invalid, as
// an objective does that fails only there.
func TestMetastableByTheGenerator(t *testing.T) {
	lost := as(measure.Timeout)
	lateAndLost := func(t *measure.Turn) { t.Outcome, t.Lag = measure.Timeout, time.Second }
	for _, c := range []struct {
		name    string
		late    func(s int) bool
		lost    func(s int) bool
		want    Verdict
		still   []string
		reasons []string
	}{
		{"late from the storm on", func(s int) bool { return s >= 20 }, func(s int) bool { return s >= 20 }, Invalid, nil, []string{"storm cannot be seen to fail without the 40 of 60 seconds in which the generator was late"}},
		{"late before it", func(s int) bool { return s < 5 }, func(s int) bool { return s >= 20 }, Fail, []string{"storm"}, nil},
		{"late before it, and recovered", func(s int) bool { return s < 5 }, func(int) bool { return false }, Pass, nil, nil},
	} {
		b := newBench(t, scenario.SLA{}, judged(60*time.Second))
		b.facts.Storms = []measure.Storm{storm("storm", 10, 20)}
		for s := range 60 {
			switch {
			case c.late(s) && c.lost(s):
				b.turns(s, 100, lateAndLost)
			case c.late(s):
				b.turns(s, 100, late(time.Second, 1100*ms))
			case c.lost(s):
				b.turns(s, 100, lost)
			default:
				b.turns(s, 100, nil)
			}
		}
		r := b.evaluate()
		if r.Verdict != c.want || !slices.Equal(r.Generator.FailsWithout, c.still) || !slices.Equal(says(r.Generator.Reasons), c.reasons) {
			t.Errorf("%s: %v, fails without %q, %q; want %v, %q, %q", c.name, r.Verdict, r.Generator.FailsWithout, says(r.Generator.Reasons), c.want, c.still, c.reasons)
		}
	}
}

// Conversations have turns in many seconds: one of either kind that fails cannot be
// seen to fail without those in which the generator was late.
func TestConversationsOfALateGenerator(t *testing.T) {
	for _, kind := range []scenario.ObjectiveKind{scenario.KindConversations, scenario.KindAbandoned} {
		b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "o", Kind: kind, Target: 0.99}}}, judged(60*time.Second))
		for s := range 60 {
			if s < 5 {
				b.turns(s, 100, late(time.Second, 1100*ms))
			} else {
				b.turns(s, 10, nil)
			}
		}
		for range 500 {
			b.rec.Lane(0).Ended(measure.Left, nil)
		}
		if r := b.evaluate(); r.Verdict != Invalid || r.Generator.FailsWithout != nil {
			t.Errorf("%s: %v, fails without %q", kind, r.Verdict, r.Generator.FailsWithout)
		}
	}
}
