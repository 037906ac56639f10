package sla

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// What the budget of every kind judges, and what of it is good.
func TestBudgetOfEveryKind(t *testing.T) {
	answers := measure.SetOf(measure.OK, measure.Degraded, measure.Unexpected)
	checked := measure.SetOf(measure.OK, measure.Unexpected)
	all := asked | measure.SetOf(measure.DroppedTarget)
	const limit = 300 * time.Millisecond
	for kind, want := range map[scenario.ObjectiveKind]measure.Budget{
		scenario.KindLatency:        {Valid: all, Good: answers, Limit: limit, TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindAvailability:   {Valid: all, Good: answers, TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindSeconds:        {Valid: all, Good: answers, TierAtMost: measure.TierFAQ},
		scenario.KindFullQuality:    {Valid: all, Good: measure.SetOf(measure.OK), TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindExpected:       {Valid: checked, Good: measure.SetOf(measure.OK), Checked: true, TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindContext:        {Valid: asked, Good: asked &^ measure.SetOf(measure.ContextLost), Verified: true},
		scenario.KindFirstToken:     {Valid: all, Good: answers, Of: measure.FirstToken, Limit: limit, TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindFirstReasoning: {Valid: all, Good: answers, Of: measure.FirstReasoning, Limit: limit, TierAtMost: measure.TierFAQ, Together: true},
		scenario.KindChunkGap:       {Valid: asked, Good: answers, Of: measure.ChunkGap, Limit: limit, TierAtMost: measure.TierFAQ, Together: true},
	} {
		o := scenario.Objective{Name: "o", Kind: kind, Limit: unit.Duration(limit), TierAtMost: scenario.TierFAQ, Stages: []string{"b"}}
		want.Name, want.Stages = "o", 2
		got := Budgets([]scenario.Objective{o}, []measure.Stage{{Name: "a", Judged: true}, {Name: "b"}}, scenario.SLA{})[0]
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", kind, got, want)
		}
	}
	// What was answered 429 is left out by policy.
	for policy, valid := range map[scenario.Policy]bool{scenario.PolicyBad: true, scenario.PolicyExclude: false} {
		for _, b := range Budgets(nil, []measure.Stage{judged(time.Second)}, scenario.SLA{RateLimited: scenario.RateLimited{Policy: policy}})[:4] {
			if b.Valid.Has(measure.RateLimited) != valid {
				t.Errorf("%s: %s judges what was answered 429: %v", policy, b.Name, !valid)
			}
		}
	}
}

// Shares are read of the budgets a second has, whatever others it has.
func TestSharesOfASecond(t *testing.T) {
	p := &measure.Plan{Budgets: []measure.Budget{{Name: "mine"}, {Name: answeredBudget}, {Name: goodputBudget}, {Name: qualityBudget}}}
	counts := []measure.BudgetCount{{N: 99, Bad: 98}, {N: 50, Bad: 1}, {N: 50, Bad: 4}, {N: 50, Bad: 10}}
	for n, want := range []Shares{{}, {}, {Valid: 50, Answered: 49}, {Valid: 50, Answered: 49, Goodput: 46}, {Valid: 50, Answered: 49, Goodput: 46, FullQuality: 40}} {
		if got := SharesOf(p, &measure.Second{Budgets: counts[:n]}); got != want {
			t.Errorf("%d budgets: %+v, want %+v", n, got, want)
		}
	}
}

// Patience is the tail's limit, where one is set for 95 % or more; the generator may
// be 10 ms late, or 2 % of the shortest limit.
func TestPatienceAndLag(t *testing.T) {
	o := func(target float64, limit time.Duration) scenario.Objective {
		return scenario.Objective{Kind: scenario.KindLatency, Target: unit.Share(target), Limit: unit.Duration(limit)}
	}
	token := o(0.99, time.Hour)
	token.Kind = scenario.KindFirstToken
	for _, c := range []struct {
		name          string
		list          []scenario.Objective
		patience, lag time.Duration
	}{
		{"none", nil, 10 * time.Second, 10 * ms},
		{"of tokens", []scenario.Objective{token}, 10 * time.Second, 10 * ms},
		{"of 90 %", []scenario.Objective{o(0.9, time.Second)}, 10 * time.Second, 20 * ms},
		{"of 95 %", []scenario.Objective{o(0.95, time.Second)}, time.Second, 20 * ms},
		{"short", []scenario.Objective{o(0.99, 1)}, 1, 10 * ms},
		{"of 500 ms", []scenario.Objective{o(0.99, 500*ms)}, 500 * ms, 10 * ms},
		{"of 501 ms", []scenario.Objective{o(0.99, 501*ms)}, 501 * ms, 10020 * time.Microsecond},
		{"of two", []scenario.Objective{o(0.99, 5*time.Second), o(0.95, 2*time.Second), token}, 5 * time.Second, 40 * ms},
		{"of two, the other way", []scenario.Objective{o(0.95, 2*time.Second), o(0.99, 5*time.Second)}, 5 * time.Second, 40 * ms},
	} {
		if patience, lag := Patience(c.list), lagLimit(c.list); patience != c.patience || lag != c.lag {
			t.Errorf("%s: %v and %v, want %v and %v", c.name, patience, lag, c.patience, c.lag)
		}
	}
}

// Stages are found by their names, each of them.
func TestStageMask(t *testing.T) {
	stages := []measure.Stage{{Name: "a"}, {Name: "b"}, {Name: "a"}}
	for _, c := range []struct {
		names []string
		want  uint64
	}{{nil, 0}, {[]string{"a"}, 0b101}, {[]string{"b"}, 0b010}, {[]string{"c", "b", "a"}, 0b111}, {[]string{"c"}, 0}} {
		if got := stageMask(stages, c.names); got != c.want {
			t.Errorf("%q: %b, want %b", c.names, got, c.want)
		}
	}
	if !slices.ContainsFunc(Budgets(nil, stages, scenario.SLA{}), func(b measure.Budget) bool { return b.Name == judgedBudget && b.Stages == 0 }) {
		t.Error("stages that are not judged are")
	}
}
