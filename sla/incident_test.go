package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// judgedWith judges a minute of 100 turns a second, changed from a second on,
// and what happened to it.
func judgedWith(t *testing.T, from int, change func(*measure.Turn), incidents ...measure.Incident) Result {
	t.Helper()
	b := newBench(t, scenario.SLA{Latency: map[string]unit.Duration{"p90": unit.Duration(time.Second)}, Availability: 0.9}, judged(time.Minute))
	for second := range 60 {
		if second >= from {
			b.turns(second, 100, change)
		} else {
			b.turns(second, 100, nil)
		}
	}
	b.facts.Generator.Cores = 2
	b.facts.Incidents = incidents
	return b.evaluate()
}

// hasCode tells whether reasons have one of a code.
func hasCode(list reason.Reasons, code reason.Code) bool {
	return slices.ContainsFunc(list, func(r reason.Reason) bool { return r.Code == code })
}

func lostTurn(turn *measure.Turn) { turn.Outcome = measure.TransportError }

func TestSleepIsNotTheTargetsFailure(t *testing.T) {
	if got := judgedWith(t, 50, lostTurn); got.Verdict != Fail || len(got.Generator.Tainted) != 0 {
		t.Fatalf("without a sleep: %s %v, want fail", got.Verdict, got.Reasons)
	}
	sleep := func(second int) measure.Incident {
		return measure.Incident{Kind: measure.Suspended, At: time.Duration(second) * time.Second, By: time.Minute, What: reason.New(reason.MachineSlept, time.Minute, second+1)}
	}
	got := judgedWith(t, 50, lostTurn, sleep(20), sleep(9), sleep(20))
	if got.Verdict != Invalid || got.Reasons[0].Code != reason.MachineSlept || !slices.Equal(got.Generator.Tainted, []int{9, 20}) || !hasCode(got.Generator.Reasons, reason.MachineSlept) {
		t.Errorf("with a sleep: %s %v, tainted %v", got.Verdict, got.Reasons, got.Generator.Tainted)
	}
	if good := judgedWith(t, 60, nil, sleep(20)); good.Verdict != Pass || !hasCode(good.Warnings, reason.MachineSlept) {
		t.Errorf("a run that passes all the same: %s %v", good.Verdict, good.Warnings)
	}
	// What was leaked was leaked, asleep or not.
	leaked := func(turn *measure.Turn) { turn.Outcome = measure.Integrity }
	if got := judgedWith(t, 50, leaked, sleep(20)); got.Verdict != Fail {
		t.Errorf("foreign content and a sleep: %s", got.Verdict)
	}
}

func TestClockStepIsAWarning(t *testing.T) {
	plain := judgedWith(t, 60, nil)
	got := judgedWith(t, 60, nil, measure.Incident{Kind: measure.ClockStep, At: time.Second, By: time.Hour, What: reason.New(reason.ClockSet, time.Hour, 2)})
	if got.Verdict != Pass || len(got.Warnings) != len(plain.Warnings)+1 || !hasCode(got.Warnings, reason.ClockSet) || len(got.Reasons) != 0 {
		t.Errorf("%s, warnings %q, reasons %q", got.Verdict, got.Warnings, got.Reasons)
	}
	if len(got.Generator.Tainted) != 0 {
		t.Errorf("tainted %v", got.Generator.Tainted)
	}
}

func TestAnswersOfAnotherServerAreNoEvidence(t *testing.T) {
	other := measure.Incident{Kind: measure.OtherTarget, At: 5 * time.Second, What: reason.New(reason.OtherTarget, 6, "b", "a")}
	got := judgedWith(t, 60, nil, other)
	if got.Verdict != Inconclusive || !hasCode(got.Reasons, reason.OtherTarget) || !hasCode(got.Warnings, reason.OtherTarget) {
		t.Errorf("%s, reasons %q, warnings %q", got.Verdict, got.Reasons, got.Warnings)
	}
	if got := judgedWith(t, 30, lostTurn, other); got.Verdict != Fail || got.Reasons[len(got.Reasons)-1].Code != reason.OtherTarget {
		t.Errorf("one that failed: %s %q", got.Verdict, got.Reasons)
	}
}

// What the short form asks for judges as the same objectives written out do.
func TestBothFormsOfTheSLAJudgeAlike(t *testing.T) {
	limits := map[string]unit.Duration{"p90": unit.Duration(500 * ms)}
	short := scenario.SLA{
		Latency: limits, Availability: 0.9,
		Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(25 * time.Second)},
	}
	long := scenario.SLA{Objectives: []scenario.Objective{
		{Name: "latency-p90", Kind: scenario.KindLatency, Target: 0.9, Limit: unit.Duration(500 * ms)},
		{Name: "availability", Kind: scenario.KindAvailability, Target: 0.9},
		{Name: "availability-seconds", Kind: scenario.KindSeconds, Target: 0.9},
		{Name: "recovery-latency", Kind: scenario.KindRecoveryLatency, Limit: unit.Duration(25 * time.Second), After: "storm"},
	}}
	judgedBy := func(sla scenario.SLA, badUntil int) Result {
		b := newBench(t, sla, judged(time.Minute))
		for second := range 60 {
			if second >= 10 && second < badUntil {
				b.turns(second, 100, taking(time.Second))
			} else {
				b.turns(second, 100, nil)
			}
		}
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		return b.evaluate()
	}
	for badUntil, metastable := range map[int]bool{20: false, 50: false, 54: false, 60: true} {
		a, b := judgedBy(short, badUntil), judgedBy(long, badUntil)
		if a.Storms[0].Metastable != metastable || b.Storms[0].Metastable != metastable {
			t.Errorf("bad until %d s: metastable %v by the short form, %v by the long, want %v", badUntil, a.Storms[0].Metastable, b.Storms[0].Metastable, metastable)
		}
		if a.Verdict != b.Verdict || a.Seconds != b.Seconds || !slices.Equal(a.Outages, b.Outages) {
			t.Errorf("bad until %d s: %s %+v by the short form, %s %+v by the long", badUntil, a.Verdict, a.Seconds, b.Verdict, b.Seconds)
		}
	}
}
