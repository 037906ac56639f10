package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// The census tells what each second of the plan was, and the objective how many were bad.
func TestCensusOfASecondsObjective(t *testing.T) {
	b := newBench(t, seconds99, judged(8*time.Second))
	b.fill([2]int{20, 0}, [2]int{0, 20}, [2]int{10, 1}, [2]int{0, 0}, [2]int{19, 1}, [2]int{10, 9}, [2]int{1, 0}, [2]int{0, 1})
	o := find(t, b.evaluate(), "availability-seconds")
	if o.Census == nil || o.Census.States != "gbdugbgb" || o.Census.Target != 0.99 || o.Census.Bad != 3 || o.Census.Doubtful != 1 || o.Census.Unknown != 1 || o.Census.Total != 8 {
		t.Errorf("%+v", o.Census)
	}
	if o.Measured != 3 || o.Lower != 3 || o.Upper != 3 || o.Bad != 3 || o.N != 7 || o.Target != 0 {
		t.Errorf("%v in [%v, %v], %d bad of %d", o.Measured, o.Lower, o.Upper, o.Bad, o.N)
	}
}

// Of a load that goes on all seconds of its plan are counted, of one that ended those
// that it came to.
func TestCensusSoFar(t *testing.T) {
	for _, c := range []struct {
		end     time.Duration
		stopped bool
		asked   int64 // conversations in all
		want    int
	}{{13200 * ms, false, 0, 100}, {13200 * ms, true, 0, 14}, {13 * time.Second, true, 0, 13}, {13*time.Second + 1, true, 0, 14}, {13200 * ms, false, 1, 14}} {
		b := newBench(t, seconds99, judged(100*time.Second))
		b.turns(0, 20, nil)
		b.end, b.s.Load.Conversations = c.end, unit.Count(c.asked)
		if c.stopped {
			b.facts.Aborted = saying("stopped")
		}
		r := b.evaluate()
		if states := find(t, r, "availability-seconds").Census.States; r.Seconds.Total != c.want || strings.Count(states, "u") != c.want-1 || len(states) != 100 {
			t.Errorf("%v, stopped %v: %d seconds, %q; want %d", c.end, c.stopped, r.Seconds.Total, states, c.want)
		}
	}
}

// Why seconds decide nothing: too few were seen, one of a fraction is bad, or too
// many are doubtful.
func TestWhySecondsDecideNothing(t *testing.T) {
	for _, c := range []struct {
		name                         string
		length, bad, doubtful, blank int // the others are good
		want                         reason.Code
	}{
		{"a bad one, and one not seen", 100, 1, 0, 1, reason.SecondsUnknown},
		{"half not seen", 100, 0, 0, 51, reason.SecondsUnknown},
		{"half not seen, and as many doubtful as may be bad", 300, 0, 1, 160, reason.SecondsUnknown},
		{"half not seen, one doubtful, and none may be bad", 100, 0, 1, 60, reason.SecondsDoubtful},
		{"one doubtful beside a bad one", 100, 1, 1, 0, reason.SecondsDoubtful},
		{"one bad of fewer than a hundred", 99, 1, 0, 0, reason.SecondsBetween},
		{"none seen", 100, 0, 0, 100, reason.SecondsTooThin},
	} {
		b := newBench(t, seconds99, judged(time.Duration(c.length)*time.Second))
		list := slices.Concat(slices.Repeat([][2]int{{0, 20}}, c.bad), slices.Repeat([][2]int{{10, 1}}, c.doubtful), slices.Repeat([][2]int{{0, 0}}, c.blank))
		b.fill(list...)
		for second := len(list); second < c.length; second++ {
			b.turns(second, 20, nil)
		}
		if o := find(t, b.evaluate(), "availability-seconds"); o.Verdict != Inconclusive || o.Reason[0].Code != c.want {
			t.Errorf("%s: %v %q, want %s", c.name, o.Verdict, o.Reason, c.want)
		}
	}
}

// An hour has 3,600 seconds: of one in 3,600.5 none of them may be bad.
func TestBadSecondsAnHour(t *testing.T) {
	b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "s", Kind: scenario.KindSeconds, Target: 1 - 1/3600.5}}}, judged(5*time.Second))
	b.fill(slices.Repeat([][2]int{{20, 0}}, 5)...)
	want := "pass: 0 of 5 s under 95 % answered, 0 allowed (scaled; 0 per hour)"
	if o := find(t, b.evaluate(), "s"); o.Reason.String() != want {
		t.Errorf("%q, want %q", o.Reason, want)
	}
}

// The run's census is by the first objective about seconds that any answer does for,
// else by the first.
func TestWhoseCensus(t *testing.T) {
	of := func(target float64, tier scenario.Tier) scenario.Objective {
		return scenario.Objective{Name: "s" + string(tier) + unit.Share(target).String(), Kind: scenario.KindSeconds, Target: unit.Share(target), TierAtMost: tier}
	}
	latency := scenario.Objective{Name: "l", Kind: scenario.KindLatency, Target: 0.5, Limit: 1}
	for _, c := range []struct {
		name string
		list []scenario.Objective
		want float64 // bad seconds an hour
	}{
		{"none", []scenario.Objective{latency}, 0},
		{"one", []scenario.Objective{latency, of(0.75, scenario.TierLLM)}, 900},
		{"two of a tier", []scenario.Objective{of(0.75, scenario.TierLLM), of(0.5, scenario.TierFAQ)}, 900},
		{"any answer after one of a tier", []scenario.Objective{of(0.75, scenario.TierLLM), of(0.5, ""), of(0.25, "")}, 1800},
		{"a fixed text is any answer", []scenario.Objective{of(0.75, scenario.TierLLM), of(0.5, scenario.TierStatic), of(0.25, "")}, 1800},
		{"any answer first", []scenario.Objective{of(0.5, ""), of(0.75, scenario.TierLLM)}, 1800},
		{"a fixed text first", []scenario.Objective{of(0.5, scenario.TierStatic), of(0.75, ""), latency}, 1800},
	} {
		b := newBench(t, scenario.SLA{Objectives: c.list}, judged(10*time.Second))
		b.turns(1, 10, nil)
		if got := b.evaluate().Seconds.PerHour; got != c.want {
			t.Errorf("%s: %v bad seconds an hour, want %v", c.name, got, c.want)
		}
	}
}
