package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// fatal is what ends a test, or an example of a property.
type fatal interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// bench is a run made by hand.
type bench struct {
	t     fatal
	s     *scenario.Scenario
	rec   *measure.Recorder
	facts *measure.Facts
	end   time.Duration
}

// newBench gives a run of one conversation of one turn, so that DEFF is 1, in
// judged stages of the given lengths.
func newBench(t fatal, sla scenario.SLA, stages ...measure.Stage) *bench {
	s := &scenario.Scenario{SLA: sla, Conversations: []scenario.Conversation{{Name: "c", Weight: 1, Turns: make([]scenario.Turn, 1)}}}
	s.Load.Stages = []scenario.Stage{{Starts: &scenario.RateRamp{}}}
	return benchOf(t, s, stages...)
}

func benchOf(t fatal, s *scenario.Scenario, stages ...measure.Stage) *bench {
	var at time.Duration
	for i := range stages {
		stages[i].Start, at = at, at+stages[i].End
		stages[i].End = at
	}
	plan := &measure.Plan{
		Stages: stages, Slots: []measure.Slot{{Conversation: "c"}, {Conversation: "c", Index: 1, Checked: true}},
		Budgets: Budgets(s.Objectives(), stages, s.SLA), Patience: Patience(s.Objectives()),
	}
	if err := plan.Check(); err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, s: s, rec: measure.NewRecorder(plan, 1), facts: &measure.Facts{}, end: at}
}

func judged(length time.Duration) measure.Stage {
	return measure.Stage{Name: "peak", End: length, Judged: true}
}

// turns records n turns intended in a second, all alike.
func (b *bench) turns(second, n int, change func(*measure.Turn)) {
	for i := range n {
		at := time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(n)
		turn := measure.Turn{Intended: at, Sent: at, Done: at + 100*ms, Tier: measure.TierLLM, Memory: measure.Verified}
		if change != nil {
			change(&turn)
		}
		b.rec.Lane(0).Started(at)
		b.rec.Lane(0).Record(&turn)
		end := measure.Complete
		if !measure.Answered.Has(turn.Outcome) {
			end = measure.Broken
		}
		b.rec.Lane(0).Ended(end, nil)
	}
}

func (b *bench) snap() *measure.Snapshot {
	s, err := b.rec.Cut(b.end)
	if err != nil {
		b.t.Fatal(err)
	}
	total := measure.NewSnapshot(b.rec.Plan())
	if err := total.Add(s); err != nil {
		b.t.Fatal(err)
	}
	return total
}

func (b *bench) evaluate() Result { return Evaluate(b.s, b.snap(), b.facts) }

func find(t fatal, r Result, name string) Judged {
	t.Helper()
	i := slices.IndexFunc(r.Objectives, func(j Judged) bool { return j.Name == name })
	if i < 0 {
		t.Fatalf("no objective %s", name)
	}
	return r.Objectives[i]
}

func as(o measure.Outcome) func(*measure.Turn) { return func(t *measure.Turn) { t.Outcome = o } }

func taking(d time.Duration) func(*measure.Turn) {
	return func(t *measure.Turn) { t.Done = t.Intended + d }
}

func BenchmarkEvaluateAnHour(b *testing.B) {
	sla := scenario.SLA{
		Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms), "p95": unit.Duration(300 * ms)}, Availability: 0.99, FullQuality: 0.95,
		Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(30 * time.Second)},
	}
	run := newBench(b, sla, judged(time.Hour))
	run.facts.Storms = []measure.Storm{{Name: "storm", Start: 1000 * time.Second, End: 1020 * time.Second}}
	for s := range 3600 {
		run.turns(s, 60, nil)
	}
	snap := run.snap()
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(run.s, snap, run.facts)
	}
}
