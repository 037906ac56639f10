package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func TestBudgetsCompiled(t *testing.T) {
	s := &scenario.Scenario{SLA: scenario.SLA{
		Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms), "p95": unit.Duration(300 * ms)}, Availability: 0.99, FullQuality: 0.95,
		Recovery: &scenario.Recovery{After: "storm", Latency: 1, Quality: 1},
		Objectives: []scenario.Objective{
			{Name: "calls", Kind: scenario.KindCallsPerTurn},
			{Name: "dialogs", Kind: scenario.KindConversations},
			{Name: "late", Kind: scenario.KindAvailability, Stages: []string{"after", "warmup"}},
			{Name: "few", Kind: scenario.KindFullQuality, Group: "gray"},
		},
		Groups: []string{"base", "gray"},
	}}
	s.Checks.Memory, s.Checks.Planted = scenario.On, []string{"x"}
	stages := []measure.Stage{{Name: "warmup"}, {Name: "peak", Judged: true}, {Name: "after", Judged: true}}
	list := Budgets(s.Objectives(), stages, s.SLA)
	var names []string
	for _, b := range list {
		names = append(names, b.Name)
	}
	want := []string{"latency-p95", "latency-p99", "availability", "availability-seconds", "full-quality", "context", "late", "few", ".answered", ".judged", ".goodput", ".quality", ".told", ".lag"}
	if !slices.Equal(names, want) {
		t.Fatalf("%q, want %q", names, want)
	}
	by := func(name string) measure.Budget { return list[slices.Index(names, name)] }
	if b := by("latency-p99"); b.Stages != 0b110 || b.Limit != 500*ms || b.Of != measure.Response {
		t.Errorf("%+v", b)
	}
	if by("late").Stages != 0b101 || by(".answered").Stages != 0b111 || by(".judged").Stages != 0b110 {
		t.Error("stages are others")
	}
	if by("few").Group != 2 || by("late").Group != 0 || by(".answered").Group != 0 {
		t.Error("groups are others")
	}
	if b := by(".goodput"); b.Limit != 500*ms {
		t.Errorf("goodput is within %v, want the limit of the highest percentile", b.Limit)
	}
	if b := by(".lag"); b.Limit != 10*ms || b.Of != measure.Lag || b.Good != sent || b.Valid.Has(measure.DroppedTarget) {
		t.Errorf("%+v", b)
	}
}

func TestTightest(t *testing.T) {
	o := func(target, limit float64) scenario.Objective {
		return scenario.Objective{Kind: scenario.KindLatency, Target: unit.Share(target), Limit: unit.Duration(limit * float64(ms))}
	}
	for _, c := range []struct {
		list []scenario.Objective
		want tail
	}{
		{nil, tail{0, 0.95}},
		{[]scenario.Objective{o(0.5, 100)}, tail{100 * ms, 0.5}},
		{[]scenario.Objective{o(0.99, 500), o(0.95, 300)}, tail{500 * ms, 0.99}},
		{[]scenario.Objective{o(0.95, 300), o(0.99, 500)}, tail{500 * ms, 0.99}},
		{[]scenario.Objective{o(0.99, 500), o(0.99, 400)}, tail{400 * ms, 0.99}},
		{[]scenario.Objective{o(0.99, 400), o(0.99, 500)}, tail{400 * ms, 0.99}},
		{[]scenario.Objective{{Kind: scenario.KindFirstToken, Target: 1, Limit: 1}}, tail{0, 0.95}},
	} {
		if got := tightest(c.list); got != c.want {
			t.Errorf("%v: %v, want %v", c.list, got, c.want)
		}
	}
}

// Full quality without a storm has nothing left out, and says nothing of it.
func TestFullQualityReason(t *testing.T) {
	b := newBench(t, scenario.SLA{FullQuality: 0.5}, judged(10*time.Second))
	b.turns(1, 90, nil)
	b.turns(1, 10, degraded)
	want := "pass: 10 of 100 turns not answered in full quality; this run: 10 % ≤ 50 %, met; inference: pass, at 95 % confidence if failures are independent"
	if o := find(t, b.evaluate(), "full-quality"); o.Reason.String() != want {
		t.Errorf("%q, want %q", o.Reason, want)
	}
}

// Recovery of quality is to the share that full quality asks for.
func TestRecoveryToTheTarget(t *testing.T) {
	for share, want := range map[float64]float64{0.8: 0, 0.95: -1, 0: -1} {
		b := stormy(t, func(*bench, int) {})
		b.s.SLA.FullQuality = unit.Share(share)
		b = benchOf(t, b.s, judged(60*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := range 60 {
			b.turns(s, 85, nil)
			b.turns(s, 15, degraded)
		}
		if got := seconds(b.evaluate().Storms[0].Quality); got != want {
			t.Errorf("full quality %v: recovered after %v s, want %v", share, got, want)
		}
	}
}

// What is not counted by the second cannot be excused by seconds.
func TestTaintedSecondsExcuseNoCalls(t *testing.T) {
	b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 1}}}, judged(60*time.Second))
	for s := range 60 {
		b.turns(s, 100, late(50*ms, 100*ms))
	}
	b.facts.LLMKnown, b.facts.LLMCalls = true, 7000
	if r := b.evaluate(); r.Verdict != Fail || len(r.Generator.Tainted) != 60 {
		t.Errorf("%v %q", r.Verdict, r.Reasons)
	}
}

func TestOutageByTier(t *testing.T) {
	sla := scenario.SLA{Objectives: []scenario.Objective{{Name: "s", Kind: scenario.KindSeconds, Target: 0.9, TierAtMost: "llm"}}}
	b := newBench(t, sla, judged(10*time.Second))
	b.turns(1, 100, nil)
	b.turns(2, 100, degraded)
	r := b.evaluate()
	if want := []Outage{{2 * time.Second, time.Second, "degraded"}}; !slices.Equal(r.Outages, want) || r.Seconds.Bad != 1 {
		t.Errorf("%v, want %v", r.Outages, want)
	}
}

func TestNothingExpectedIsNotVerified(t *testing.T) {
	s := &scenario.Scenario{
		SLA:           scenario.SLA{Objectives: []scenario.Objective{{Name: "e", Kind: scenario.KindExpected, Target: 0.5}}},
		Conversations: []scenario.Conversation{{Weight: 1, Turns: make([]scenario.Turn, 1)}},
	}
	b := benchOf(t, s, judged(10*time.Second))
	b.turns(1, 100, nil)
	if o := find(t, b.evaluate(), "e"); o.Verdict != NotVerified {
		t.Errorf("no checked turn was sent, but %v", o.Verdict)
	}
}

func TestVerdictNames(t *testing.T) {
	var names []string
	for v := Pass; v <= Incomplete+1; v++ {
		names = append(names, v.String())
	}
	if want := []string{"pass", "not_verified", "inconclusive", "fail", "invalid", "incomplete", "unknown"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	names = nil
	for c := CannotTell; c <= Equivalent+1; c++ {
		names = append(names, c.String())
	}
	if want := []string{"cannot_tell", "better", "worse", "equivalent", "unknown"}; !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
}

// No confidence in the scenario is 95 %; other levels are used.
func TestConfidence(t *testing.T) {
	for confidence, want := range map[float64]Verdict{0: Pass, 1: Pass, 0.95: Pass, 0.99: Inconclusive, 0.5: Pass} {
		sla := p99
		sla.Confidence = unit.Share(confidence)
		b := newBench(t, sla, judged(10*time.Second))
		b.turns(1, 299, nil)
		if o := find(t, b.evaluate(), "latency-p99"); o.Verdict != want {
			t.Errorf("confidence %v: %v, want %v", confidence, o.Verdict, want)
		}
	}
}

// Ten bad seconds after those recovery has are metastable, nine are not.
func TestMetastableTakesTenSeconds(t *testing.T) {
	for length, want := range map[int]bool{39: false, 40: true} {
		b := newBench(t, p99, judged(time.Duration(length)*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := range length {
			b.turns(s, 100, taking(time.Second))
		}
		b.turns(length+5, 100, taking(time.Second)) // in the drain: no second of its own
		if got := b.evaluate().Storms[0].Metastable; got != want {
			t.Errorf("bad for %d s after the storm: metastable %v", length-20, got)
		}
	}
	// With 15 s to recover in, it takes until 45 s.
	for length, want := range map[int]bool{44: false, 45: true} {
		sla := p99
		sla.Recovery = &scenario.Recovery{After: "storm", Latency: unit.Duration(15 * time.Second)}
		b := newBench(t, sla, judged(time.Duration(length)*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := range length {
			b.turns(s, 100, taking(time.Second))
		}
		if got := b.evaluate().Storms[0].Metastable; got != want {
			t.Errorf("15 s to recover, bad for %d s after the storm: metastable %v", length-20, got)
		}
	}
}

// Few calls after the storm are no detection of it.
func TestDetectionEndsWithTheStorm(t *testing.T) {
	for second, want := range map[int]float64{9: -1, 10: 0, 19: 9, 20: -1} {
		b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
		b.facts.LLMKnown = true
		for s := range 60 {
			c := measure.CallSecond{Second: s, Calls: 100}
			if s == second {
				c.Calls = 20
			}
			b.facts.Calls = append(b.facts.Calls, c)
		}
		if got := seconds(b.evaluate().Storms[0].Detect); got != want {
			t.Errorf("few calls at %d s: detected after %v s, want %v", second, got, want)
		}
	}
}

// Of storms with the same verdict the slower recovery is shown.
func TestTheSlowerRecoveryIsShown(t *testing.T) {
	for slow := range 2 {
		b := stormy(t, func(b *bench, s int) {
			if s >= 20 && s < 21 && slow == 0 || s >= 40 && s < 41 && slow == 1 {
				b.turns(s, 100, taking(time.Second))
				return
			}
			b.turns(s, 100, nil)
		})
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}, {Name: "storm", Start: 35 * time.Second, End: 40 * time.Second}}
		if o := find(t, b.evaluate(), "recovery-latency"); o.Verdict != Pass || o.Measured != 5 || o.N != 2 || o.Bad != 0 {
			t.Errorf("slow after storm %d: %+v", slow, o)
		}
	}
}

// Recovery at the very limit is still possible when the seconds before it are refuted.
func TestRecoveryAtTheLimitIsOpen(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		switch {
		case s == 20:
			b.turns(s, 100, taking(time.Second)) // in every window up to 24 s
		case s < 25:
			b.turns(s, 100, nil)
		}
	})
	if o := find(t, b.evaluate(), "recovery-latency"); o.Verdict != Inconclusive || o.Bad != 1 || o.Measured != 5 {
		t.Errorf("%+v", o)
	}
}

// A dip of the arrival rate does not end the search for goodput.
func TestMetastableAcrossADip(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		switch {
		case s >= 22 && s < 27:
			b.turns(s, 10, nil)
		case s >= 20:
			b.turns(s, 100, taking(time.Second))
		default:
			b.turns(s, 100, nil)
		}
	})
	if !b.evaluate().Storms[0].Metastable {
		t.Error("goodput never came back at the rate of the storm's start")
	}
}

// Full quality without the tainted seconds leaves the storm out too.
func TestTaintedSecondsOfFullQuality(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		switch {
		case s < 5:
			b.turns(s, 100, func(t *measure.Turn) { degraded(t); t.Lag = time.Second })
		case s >= 10 && s < 20:
			b.turns(s, 100, degraded)
		default:
			b.turns(s, 100, nil)
		}
	})
	r := b.evaluate()
	want := "full-quality cannot be seen to fail without the 5 of 60 seconds in which the generator was late"
	if r.Verdict != Invalid || !slices.Contains(says(r.Generator.Reasons), want) {
		t.Errorf("%v %q", r.Verdict, r.Generator.Reasons)
	}
}
