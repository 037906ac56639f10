package result

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// twoOfAKind judges a sale by tier first, with two budgets of seconds.
func twoOfAKind(t *testing.T) *Document {
	t.Helper()
	s, about, _ := saleRun(t, 1, 1)
	s.SLA.Objectives = []scenario.Objective{
		{Name: "by-the-model", Kind: scenario.KindAvailability, Target: 0.5, TierAtMost: scenario.TierLLM},
		{Name: "availability", Kind: scenario.KindAvailability, Target: 0.99},
		{Name: "loose", Kind: scenario.KindSeconds, Target: 0.5, TierAtMost: scenario.TierLLM},
	}
	s.SLA.Availability = 0.99
	return Build(s, about, rerecorded(t, s))
}

// rerecorded is a second of answers, half of them by the model and one a failure,
// with the budgets of a scenario.
func rerecorded(t *testing.T, s *scenario.Scenario) Recording {
	t.Helper()
	plan := planOf(s)
	rec := measure.NewRecorder(plan, 1)
	for i := range 200 {
		at := 30*time.Second + time.Duration(i)*time.Millisecond
		turn := measure.Turn{Intended: at, Sent: at, Done: at + time.Millisecond, Tier: measure.TierLLM}
		switch {
		case i == 0:
			turn.Outcome, turn.Tier = measure.ServerError, measure.TierUnknown
		case i%2 == 0:
			turn.Outcome, turn.Tier = measure.Degraded, measure.TierFAQ
		}
		rec.Lane(0).Record(&turn)
	}
	part, err := rec.Cut(40 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	sum := measure.NewSnapshot(plan)
	if err := sum.Add(part); err != nil {
		t.Fatal(err)
	}
	return Recording{Snapshot: sum}
}

// Availability is what users got, by whomever; what the first objective of the
// kind asks beside that is its own.
func TestAvailabilityIsOfAllAnswers(t *testing.T) {
	d := twoOfAKind(t)
	if a := d.Availability; a.Answers == nil || *a.Answers != 0.995 || a.Seconds.BudgetPerHourS != 36 {
		t.Errorf("%v answered, %v s an hour; want 0.995 and 36", *a.Answers, a.Seconds.BudgetPerHourS)
	}
}

// What a second program needs is there, and agrees with the rest.
func TestJudgingSuffices(t *testing.T) {
	d := twoOfAKind(t)
	j := d.Judging
	if j.Gate != "inference" || j.Confidence != 0.95 || j.OnInconclusive != "fail" || j.Load != "open" || j.Memory != "on" || j.TurnsTogether != 3 || j.Users != 0 || j.TimeoutS != 3 {
		t.Errorf("%+v", j)
	}
	for _, o := range d.Objectives {
		i := slices.IndexFunc(d.Burn, func(b Burn) bool { return b.Objective == o.Name })
		if i >= 0 && (d.Burn[i].N[len(d.Burn[i].N)-1] != o.N || d.Burn[i].Bad[len(d.Burn[i].Bad)-1] != o.Bad) {
			t.Errorf("%s: %d of %d, by second %+v", o.Name, o.Bad, o.N, d.Burn[i])
		}
		if o.Kind == scenario.KindSeconds {
			if c := o.Census; c.TotalS != strings.Count(c.States, "g")+c.BadS+c.DoubtfulS+c.UnknownS || len(c.States) != 110 || strings.Count(c.States, "u") != c.UnknownS {
				t.Errorf("%s: %+v", o.Name, c)
			}
		}
	}
	if o := d.Objectives[slices.IndexFunc(d.Objectives, func(o Objective) bool { return o.Name == "by-the-model" })]; o.TierAtMost != "llm" || o.Bad != 100 {
		t.Errorf("%+v", o)
	}
	if s := d.Series[30]; s.Turns != 200 || s.Valid != 200 || s.Answered != 199 || s.Goodput != 199 || s.FullQuality != 100 {
		t.Errorf("%+v", s)
	}
}
