package measure

import (
	"testing"
	"time"
)

// groupPlan is testPlan with two groups, and a budget of the second.
func groupPlan() *Plan {
	p := testPlan()
	p.Groups = []string{"base", "gray"}
	p.Budgets = append(p.Budgets, Budget{Name: "gray", Stages: 2, Valid: SetOf(OK, Degraded, ServerError, Timeout), Good: SetOf(OK), Group: 2})
	return p
}

// What became of a group's turns survives the journal's form, and adds up.
func TestGroupsAreToldApart(t *testing.T) {
	plan := groupPlan()
	r := NewRecorder(plan, 2)
	for i, turn := range []Turn{
		{Group: 1, Done: 100 * ms},
		{Group: 1, Done: 200 * ms, Outcome: Degraded},
		{Group: 2, Done: 300 * ms, Outcome: Timeout},
		{Group: 0, Done: 400 * ms},
		{Group: -1, Done: 500 * ms},
		{Group: 3, Done: 600 * ms},
	} {
		r.Lane(i % 2).Record(&turn)
	}
	s, err := r.Cut(time.Second)
	if err != nil {
		t.Fatal(err)
	}
	back, err := decodeSnapshot(appendSnapshot(nil, s), plan)
	if err != nil {
		t.Fatal(err)
	}
	sum := NewSnapshot(plan)
	for range 2 {
		if err := sum.Add(back); err != nil {
			t.Fatal(err)
		}
	}
	base, gray := &sum.Groups[0], &sum.Groups[1]
	if base.Outcomes[OK] != 2 || base.Outcomes[Degraded] != 2 || base.Response.N() != 4 {
		t.Errorf("base: %v, %d answered, want 2 ok, 2 degraded", base.Outcomes, base.Response.N())
	}
	if gray.Outcomes[Timeout] != 2 || gray.Response.N() != 0 {
		t.Errorf("gray: %v, %d answered, want 2 that timed out", gray.Outcomes, gray.Response.N())
	}
	other := groupPlan()
	other.Groups = []string{"base", "treatment"}
	if err := sum.Add(NewSnapshot(other)); err == nil {
		t.Error("snapshots of other groups add up")
	}
}
