package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// A turn that cstest cut is neither good nor bad: a pass has to stand if all of
// them were bad, a fail if all were good.
func TestCutTurnsBoundTheVerdict(t *testing.T) {
	for _, gate := range []scenario.Gate{scenario.GateInference, scenario.GateMeasured} {
		for _, c := range []struct {
			good, bad, cut int
			inferred       Verdict
			measured       Verdict
		}{
			{1000, 0, 0, Pass, Pass},
			{1000, 0, 4, Pass, Pass},
			{1000, 0, 5, Inconclusive, Pass},
			{1000, 0, 11, Inconclusive, Inconclusive},
			{1000, 0, 560, Inconclusive, Inconclusive},
			{980, 20, 0, Fail, Fail},
			{980, 20, 100, Fail, Fail},
			{980, 20, 2000, Inconclusive, Inconclusive},
			{0, 0, 100, Inconclusive, Inconclusive},
		} {
			b := newBench(t, scenario.SLA{Availability: 0.99, Gate: gate}, judged(10*time.Second))
			b.turns(1, c.good, nil)
			b.turns(2, c.bad, as(measure.ServerError))
			b.turns(3, c.cut, as(measure.Censored))
			r := b.evaluate()
			o, want := find(t, r, "availability"), c.inferred
			if gate == scenario.GateMeasured {
				want = c.measured
			}
			if o.Verdict != want || o.Bad != int64(c.bad) || o.N != int64(c.good+c.bad) {
				t.Errorf("%s: %d good, %d bad, %d cut: %v, %d bad of %d; want %v", gate, c.good, c.bad, c.cut, o.Verdict, o.Bad, o.N, want)
			}
			if said := strings.Contains(o.Reason.String(), "cut off by cstest itself"); said != (c.cut > 0 && o.N > 0) {
				t.Errorf("%d cut: the reason is %q", c.cut, o.Reason)
			}
			if warned := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.Contains(w, "when cstest ended the load") }); warned != (c.cut > 0) {
				t.Errorf("%d cut: warnings %q", c.cut, r.Warnings)
			}
		}
	}
}

// Stages that an objective leaves out, and seconds out of a storm, bring no doubt to it.
func TestCutTurnsOfOtherStages(t *testing.T) {
	b := newBench(t, scenario.SLA{Availability: 0.99}, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(5*time.Second))
	b.turns(1, 500, as(measure.Censored))
	b.turns(7, 1000, nil)
	if o := find(t, b.evaluate(), "availability"); o.Verdict != Pass {
		t.Errorf("%v: %q", o.Verdict, o.Reason)
	}
}

func tiered() *scenario.Scenario {
	return &scenario.Scenario{
		SLA:    scenario.SLA{FullQuality: 0.95, Availability: 0.9},
		Target: scenario.Target{Response: &scenario.Response{Tier: &scenario.TierPath{From: "tier"}}},
	}
}

// An answer that does not say its tier, where the scenario says that it does, is
// full quality only as far as nothing hangs on it.
func TestTierThatIsNotSaid(t *testing.T) {
	for _, c := range []struct {
		told, untold, degraded int
		want                   Verdict
	}{
		{1000, 0, 0, Pass}, {980, 20, 0, Pass}, {900, 100, 0, NotVerified}, {0, 1000, 0, NotVerified}, {0, 500, 500, Fail}, {800, 0, 200, Fail},
	} {
		b := benchOf(t, tiered(), judged(10*time.Second))
		b.turns(1, c.told, tier(measure.TierLLM))
		b.turns(2, c.untold, tier(measure.TierUnknown))
		b.turns(3, c.degraded, func(turn *measure.Turn) { turn.Outcome, turn.Tier = measure.Degraded, measure.TierFAQ })
		r := b.evaluate()
		if o := find(t, r, "full-quality"); o.Verdict != c.want {
			t.Errorf("%d told, %d not, %d degraded: %v %q; want %v", c.told, c.untold, c.degraded, o.Verdict, o.Reason, c.want)
		}
		if o := find(t, r, "availability"); o.Verdict != Pass {
			t.Errorf("availability is %v: an answer without a tier is one", o.Verdict)
		}
		if c.want == NotVerified && r.Verdict != Inconclusive {
			t.Errorf("%d told, %d not: the run is %v", c.told, c.untold, r.Verdict)
		}
		if warned := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.Contains(w, "do not say their tier") }); warned != (c.untold > 0) {
			t.Errorf("%d untold: warnings %q", c.untold, r.Warnings)
		}
		// Where the scenario names no tier, none is missed.
		b = benchOf(t, &scenario.Scenario{SLA: tiered().SLA}, judged(10*time.Second))
		b.turns(1, 1000, tier(measure.TierUnknown))
		if o := find(t, b.evaluate(), "full-quality"); o.Verdict != Pass {
			t.Errorf("without a tier to be found: %v", o.Verdict)
		}
	}
}

// A word nobody mapped is told with its share, and is not full quality.
func TestTierThatNobodyMapped(t *testing.T) {
	b := benchOf(t, tiered(), judged(10*time.Second))
	b.turns(1, 700, tier(measure.TierLLM))
	b.turns(2, 300, func(turn *measure.Turn) { turn.Outcome, turn.Tier = measure.Degraded, measure.TierUnknown })
	for range 300 {
		b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.Degraded, Message: measure.UnmappedTier + " turbo"})
	}
	r := b.evaluate()
	if o := find(t, r, "full-quality"); o.Verdict != Fail || o.Bad != 300 {
		t.Errorf("%v, %d bad", o.Verdict, o.Bad)
	}
	warnings := strings.Join(says(r.Warnings), "\n")
	if !strings.Contains(warnings, `tier "turbo"`) || !strings.Contains(warnings, "30 % of the answers") || strings.Contains(warnings, "do not say their tier") {
		t.Errorf("warnings %q", warnings)
	}
}

func tier(of measure.Tier) func(*measure.Turn) { return func(turn *measure.Turn) { turn.Tier = of } }
