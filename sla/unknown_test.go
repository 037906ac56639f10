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

func says429(policy scenario.RateLimited) *scenario.Scenario {
	return &scenario.Scenario{SLA: scenario.SLA{Availability: 0.9, RateLimited: policy}}
}

// What is left out by policy is not called beyond a contract that there is none of.
func TestExcludedTurnsAreNamedByTheirPolicy(t *testing.T) {
	for _, c := range []struct {
		policy scenario.RateLimited
		want   string
	}{
		{scenario.RateLimited{Policy: scenario.PolicyExclude}, "5 turns were answered 429, which sla.rate_limited: exclude leaves out: they are judged by no objective"},
		{scenario.RateLimited{Contract: 50}, "5 turns were refused beyond the contract and are judged by no objective"},
	} {
		b := benchOf(t, says429(c.policy), judged(10*time.Second))
		b.turns(1, 100, nil)
		b.turns(2, 5, func(turn *measure.Turn) { turn.Outcome, turn.Excluded = measure.RateLimited, true })
		if warnings := says(b.evaluate().Warnings); !slices.Contains(warnings, c.want) {
			t.Errorf("%+v: %q", c.policy, warnings)
		}
	}
}

func untold(turn *measure.Turn) { turn.Tier, turn.Untold = measure.TierUnknown, true }

// An answer that does not say whether it is degraded, where the scenario says that
// it does, is full quality only as far as nothing hangs on it; so it is for
// whatever asks for a tier.
func TestDegradedThatIsNotSaid(t *testing.T) {
	for _, c := range []struct {
		told, untold, degraded int
		want                   Verdict
	}{
		{1000, 0, 0, Pass}, {980, 20, 0, Pass}, {900, 100, 0, NotVerified}, {0, 1000, 0, NotVerified}, {0, 500, 500, Fail}, {800, 0, 200, Fail},
	} {
		s := &scenario.Scenario{SLA: scenario.SLA{FullQuality: 0.95, Availability: 0.9, Objectives: []scenario.Objective{
			{Name: "by-the-model", Kind: scenario.KindAvailability, Target: 0.95, TierAtMost: scenario.TierLLM},
			{Name: "by-anyone", Kind: scenario.KindAvailability, Target: 0.95, TierAtMost: scenario.TierStatic},
		}}}
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, c.told, tier(measure.TierUnknown))
		b.turns(2, c.untold, untold)
		b.turns(3, c.degraded, func(turn *measure.Turn) { turn.Outcome, turn.Tier = measure.Degraded, measure.TierFAQ })
		r := b.evaluate()
		for _, name := range []string{"full-quality", "by-the-model"} {
			if o := find(t, r, name); o.Verdict != c.want || o.Untold != int64(c.untold) {
				t.Errorf("%d told, %d not, %d degraded: %s is %v, %d untold, %q; want %v", c.told, c.untold, c.degraded, name, o.Verdict, o.Untold, o.Reason, c.want)
			}
		}
		for _, name := range []string{"availability", "by-anyone"} {
			if o := find(t, r, name); o.Verdict != Pass || o.Untold != 0 {
				t.Errorf("%s is %v, %d untold: an answer is one all the same", name, o.Verdict, o.Untold)
			}
		}
		if c.want == NotVerified && r.Verdict != Inconclusive {
			t.Errorf("%d told, %d not: the run is %v", c.told, c.untold, r.Verdict)
		}
		if warned := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.Contains(w, "do not say whether they are degraded") }); warned != (c.untold > 0) {
			t.Errorf("%d untold: warnings %q", c.untold, r.Warnings)
		}
	}
}

// Quality is not back for answers that do not say so, unless as many may be bad.
func TestRecoveryThatIsNotSaid(t *testing.T) {
	for _, c := range []struct {
		name     string
		response *scenario.Response
		change   func(*measure.Turn)
		every    int // that does not say, of 100
		want     Verdict
	}{
		{"all say", &scenario.Response{Degraded: "d"}, untold, 0, Pass},
		{"as many as may be bad do not", &scenario.Response{Degraded: "d"}, untold, 5, Pass},
		{"more do not", &scenario.Response{Degraded: "d"}, untold, 6, NotVerified},
		{"none does", &scenario.Response{Degraded: "d"}, untold, 100, NotVerified},
		{"more do not say their tier", tiered().Target.Response, tier(measure.TierUnknown), 6, NotVerified},
		{"no tier is to be said", &scenario.Response{}, tier(measure.TierUnknown), 100, Pass},
	} {
		b := stormy(t, func(b *bench, s int) {
			b.turns(s, 100-c.every, nil)
			b.turns(s, c.every, c.change)
		})
		b.s.Target.Response = c.response
		if o := find(t, b.evaluate(), "recovery-quality"); o.Verdict != c.want {
			t.Errorf("%s: %v %q, want %v", c.name, o.Verdict, o.Reason, c.want)
		}
	}
}
