package sla

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// What is told of a run beside its verdict: turns of judged stages alone, and the
// stretches that recovery judges.
func TestFiguresOfARun(t *testing.T) {
	b := newBench(t, p99, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(5*time.Second))
	b.turns(1, 7, as(measure.Shed))
	b.turns(6, 10, nil)
	b.turns(7, 3, as(measure.Timeout))
	if r := b.evaluate(); r.Answered != (Counted{13, 3}) || r.Excused != nil {
		t.Errorf("answered %+v, excused %v", r.Answered, r.Excused)
	}
	b = stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	r := b.evaluate()
	if want := []Span{{10 * time.Second, 20 * time.Second}}; !slices.Equal(r.Excused, want) {
		t.Errorf("excused %v, want %v", r.Excused, want)
	}
	for second, want := range map[int]bool{9: false, 10: true, 19: true, 20: false} {
		if r.IsExcused(second) != want {
			t.Errorf("second %d is excused: %v", second, !want)
		}
	}
	// One recorded without budgets tells of none.
	b.rec = measure.NewRecorder(&measure.Plan{Stages: b.rec.Plan().Stages, Slots: b.rec.Plan().Slots}, 1)
	b.turns(1, 7, as(measure.Shed))
	if r := b.evaluate(); r.Answered != (Counted{}) {
		t.Errorf("answered %+v without a budget that counts", r.Answered)
	}
}

// A count is told as it is, whatever share the objective names, and so are calls.
func TestFiguresOfCounts(t *testing.T) {
	sla := scenario.SLA{Objectives: []scenario.Objective{
		{Name: "foreign", Kind: scenario.KindIntegrity, Target: 0.5},
		{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 1.25},
	}}
	b := newBench(t, sla, judged(10*time.Second))
	b.turns(1, 5, nil)
	b.turns(2, 3, func(t *measure.Turn) { t.Outcome, t.Memory = measure.Integrity, measure.NotVerified })
	b.facts.LLMKnown, b.facts.LLMCalls = true, 10
	r := b.evaluate()
	for name, want := range map[string]Judged{
		"foreign": {Unit: "count", Target: 0, Measured: 3, Lower: 3, Upper: 3, N: 8, Bad: 3, Verdict: Fail},
		"calls":   {Unit: "count", Target: 1.25, Measured: 1.25, Lower: 1.25, Upper: 1.25, N: 8, Verdict: Pass},
	} {
		o := find(t, r, name)
		got := Judged{Unit: o.Unit, Target: o.Target, Measured: o.Measured, Lower: o.Lower, Upper: o.Upper, N: o.N, Bad: o.Bad, Verdict: o.Verdict}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// What nothing bears on, and need not be verified, is a warning.
func TestUnverifiedIntegrityIsAWarning(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 5, func(t *measure.Turn) { t.Memory = measure.NotVerified })
	r := b.evaluate()
	if r.Verdict != Pass || !slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.HasPrefix(w, "integrity: not verified") }) {
		t.Errorf("%v, warnings %q", r.Verdict, says(r.Warnings))
	}
}

// One is enough to be told of, and two that are of different kinds do not cancel out.
func TestOneOfEach(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*bench)
		want   Verdict
		code   reason.Code // whether it is told
		told   bool
	}{
		{"sent and dropped", func(b *bench) { b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedTarget) }, Fail, reason.NothingSent, false},
		{"missing and cut off", func(b *bench) { b.facts.Missing, b.facts.Cut = []string{"1/3"}, []measure.Cut{{Shard: "2/3"}} }, Incomplete, reason.ShardCut, true},
		{"cut by cstest", func(b *bench) { b.turns(1, 1, as(measure.Censored)) }, Inconclusive, reason.TurnsCut, true},
		{"a conversation too few, of one core", func(b *bench) { b.rec.Lane(0).Started(0); b.facts.Generator.Cores = 1 }, Inconclusive, reason.NotConserved, true},
		{"not known of how many cores", func(b *bench) { b.rec.Lane(0).Started(0) }, Inconclusive, reason.NotConserved, false},
		{"interrupted and cut off", func(b *bench) {
			b.rec.Lane(0).Started(0)
			b.facts.Generator.Cores, b.facts.Interrupted, b.facts.Cut = 1, saying("stopped"), []measure.Cut{{Shard: "2/3"}}
		}, Incomplete, reason.NotConserved, false},
	} {
		b := newBench(t, scenario.SLA{Latency: map[string]unit.Duration{"p99": unit.Duration(time.Second)}}, judged(10*time.Second))
		b.turns(1, 1, nil)
		c.change(b)
		r := b.evaluate()
		if told := hasCode(r.Reasons, c.code) || hasCode(r.Warnings, c.code); r.Verdict != c.want || told != c.told {
			t.Errorf("%s: %v, %s is told: %v; reasons %q, warnings %q", c.name, r.Verdict, c.code, told, says(r.Reasons), says(r.Warnings))
		}
	}
}
