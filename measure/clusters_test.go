package measure

import (
	"math"
	"testing"
	"time"
)

// Each conversation's turns are paired as its budgets judge them, whatever lanes
// they were recorded in; starts that were refused are conversations of bad turns.
func TestClusters(t *testing.T) {
	plan := testPlan()
	r := NewRecorder(plan, 2)
	talk := func(lane int, outcomes ...Outcome) {
		var d Dialog
		for i, o := range outcomes {
			at := 3*time.Second + time.Duration(i)*100*ms
			took := 100 * ms
			if o == Unexpected { // stands for one that was late
				took = 700 * ms
			}
			r.Lane(lane + i).Record(&Turn{Intended: at, Sent: at, Done: at + took, Outcome: o, Tier: TierLLM, Dialog: &d})
		}
		r.Lane(lane).Ended(Complete, &d)
	}
	talk(0, OK, OK, OK)
	talk(1, OK, Timeout, Timeout, Unexpected)
	talk(0, Timeout)
	r.Lane(0).Dropped(3*time.Second, 3, DroppedTarget)
	r.Lane(1).Dropped(3*time.Second, 3, DroppedGenerator) // judged by nobody
	r.Lane(0).Ended(Abandoned, nil)
	s, err := r.Cut(4 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// Conversations of 3, 4, 1 and 3 turns: 0, 2, 1 and 3 of them were not answered.
	for budget, want := range map[int]Clusters{
		0: {Turns: 11, Pairs: 6 + 12 + 0 + 6, BadFirst: 0 + 2*3 + 0 + 3*2, BadBoth: 0 + 2*1 + 0 + 3*2},
		1: {Turns: 11, Pairs: 6 + 12 + 0 + 6, BadFirst: 0 + 3*3 + 0 + 3*2, BadBoth: 0 + 3*2 + 0 + 3*2},
		4: {},
	} {
		if got, ok := s.Together(budget); !ok || got != want {
			t.Errorf("%s: %+v, %t; want %+v", plan.Budgets[budget].Name, got, ok, want)
		}
	}
	if got, ok := s.Together(2); ok || got != (Clusters{}) {
		t.Errorf("of a budget that is not asked for it: %+v", got)
	}
}

// Of more budgets than fit the first are kept, and a turn may have no conversation.
func TestClustersAreBounded(t *testing.T) {
	plan := &Plan{Stages: []Stage{{End: time.Second, Judged: true}}}
	for range MaxTogether + 2 {
		plan.Budgets = append(plan.Budgets, Budget{Stages: 1, Valid: 1, Good: 1, Together: true})
	}
	r := NewRecorder(plan, 1)
	var d Dialog
	for range math.MaxUint16 + 10 {
		r.Lane(0).Record(&Turn{Done: ms, Dialog: &d})
	}
	r.Lane(0).Record(&Turn{Done: ms})
	r.Lane(0).Ended(Complete, &d)
	s, _ := r.Cut(time.Second)
	for b := range plan.Budgets {
		if got, ok := s.Together(b); ok != (b < MaxTogether) || ok && got.Turns != math.MaxUint16 {
			t.Errorf("budget %d: %+v, %t", b, got, ok)
		}
	}
	if s.Counts[OK] != math.MaxUint16+11 {
		t.Errorf("%d turns", s.Counts[OK])
	}
	full := Clusters{Pairs: math.MaxInt64 - 1}
	if full.add(Clusters{Pairs: 7}); full.Pairs != math.MaxInt64 {
		t.Errorf("a sum that does not fit is %d", full.Pairs)
	}
}

// Sums that no conversations have are damage.
func TestDamagedClusters(t *testing.T) {
	plan := testPlan()
	s := NewSnapshot(plan)
	for _, c := range []Clusters{{Turns: 2, Pairs: 2, BadFirst: 3}, {Turns: 2, Pairs: 2, BadFirst: 1, BadBoth: 2}} {
		s.Clusters[1] = c
		if _, err := decodeSnapshot(appendSnapshot(nil, s), plan); err == nil {
			t.Errorf("%+v is read", c)
		}
	}
	s.Clusters[1] = Clusters{Turns: 2, Pairs: 2, BadFirst: 2, BadBoth: 2}
	if back, err := decodeSnapshot(appendSnapshot(nil, s), plan); err != nil || back.Clusters != s.Clusters {
		t.Errorf("%v, %+v", err, back)
	}
}
