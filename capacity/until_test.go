package capacity

import (
	"testing"

	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// seen is a run with a verdict of its context and one of its latency.
func seen(verdict, context, latency string, lost int64) *result.Document {
	d := &result.Document{Verdict: verdict, Objectives: []result.Objective{
		{Name: "context", Kind: scenario.KindContext, Verdict: context, N: 200, Bad: lost},
		{Name: "latency-p99", Kind: scenario.KindLatency, Verdict: latency, N: 200},
	}}
	return d
}

func TestProbeUntil(t *testing.T) {
	for _, tt := range []struct {
		doc            *result.Document
		until          scenario.ObjectiveKind
		outcome, other Outcome
		wrong          float64 // −1: null
	}{
		{seen("pass", "pass", "pass", 0), "", Held, "", -1},
		{seen("pass", "pass", "pass", 0), scenario.KindContext, Held, Held, 0},
		{seen("fail", "fail", "pass", 5), scenario.KindContext, Broke, Held, 0.025},
		{seen("fail", "pass", "fail", 0), scenario.KindContext, Held, Broke, 0},
		{seen("inconclusive", "inconclusive", "pass", 0), scenario.KindContext, Unsure, Held, 0},
		{seen("inconclusive", "not_verified", "inconclusive", 0), scenario.KindContext, Unsure, Unsure, 0},
		{seen("invalid", "pass", "fail", 0), scenario.KindContext, Invalid, "", -1},
	} {
		p := ProbeOf(Step{Rate: 1, Lengths: 1}, tt.doc, "", tt.until)
		if p.Outcome != tt.outcome || p.Others != tt.other || (p.Wrong == nil) != (tt.wrong < 0) || p.Wrong != nil && *p.Wrong != tt.wrong {
			t.Errorf("%s, %s, until %q: %s beside %s, wrong %v", tt.doc.Verdict, tt.doc.Objectives[0].Verdict, tt.until, p.Outcome, p.Others, p.Wrong)
		}
	}
}

// Answers go wrong at 300/s, and latency breaks at 800/s, or the other way round.
func TestConcludeUntil(t *testing.T) {
	for _, tt := range []struct{ answers, latency float64 }{{300, 800}, {800, 300}} {
		var probes []Probe
		for {
			step, more := usual.Next(probes)
			if !more {
				break
			}
			p := probeOf(step, Held)
			p.Others = Held
			if step.Rate > tt.answers {
				p.Outcome, p.Limits = Broke, []string{"context"}
			}
			if step.Rate > tt.latency {
				p.Others, p.Limits = Broke, append(p.Limits, "latency-p99")
			}
			probes = append(probes, p)
		}
		r := Conclude(usual, probes, Asked{Until: scenario.KindContext})
		if r.Until != scenario.KindContext || r.Beside == nil || r.Holds.Starts > tt.answers || r.Breaks.Starts <= tt.answers || !r.Sure {
			t.Fatalf("%+v: %+v", tt, r)
		}
		b := r.Beside
		if b.Holds == nil || b.Holds.Starts > tt.latency || (b.Holds.Starts >= r.Breaks.Starts) != (tt.answers < tt.latency) {
			t.Errorf("%+v: others hold %+v, answers break %+v", tt, b.Holds, r.Breaks)
		}
		if tt.latency < tt.answers && (b.Breaks == nil || b.Breaks.Starts <= tt.latency || b.Breaks.Starts > r.Holds.Starts || b.Limits[0] != "latency-p99") {
			t.Errorf("%+v: others break %+v", tt, b.Breaks)
		}
	}
}
