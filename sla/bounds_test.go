package sla

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// unsent are turns of a second that a missing shard would have sent, each a
// conversation, and of each budget alike but for the one that counts turns.
func (b *bench) unsent(second int, n, counted uint32) {
	u := measure.UnsentSecond{Second: second, Starts: n}
	for _, budget := range b.rec.Plan().Budgets {
		if budget.Name == answeredBudget {
			u.Budgets = append(u.Budgets, counted)
		} else {
			u.Budgets = append(u.Budgets, n)
		}
	}
	b.facts.Unsent = append(b.facts.Unsent, u)
}

// bounded is a run of two shards of three, whose answers tell nobody's content.
func bounded(t *testing.T, sla scenario.SLA, good, bad int) *bench {
	b := newBench(t, sla, judged(10*time.Second))
	unseen := func(outcome measure.Outcome) func(*measure.Turn) {
		return func(t *measure.Turn) { t.Outcome, t.Memory = outcome, measure.NotVerified }
	}
	b.turns(0, good, unseen(measure.OK))
	b.turns(0, bad, unseen(measure.Timeout))
	b.facts.Missing = []string{"2/3"}
	return b
}

// What a missing shard would have sent is counted as good and as bad: the verdict
// stands where both give it. 4 of 1,004 bad pass at 99 %, 5 of 1,005 decide nothing
// (the bands of TestExactBands), and 30 of 1,100 are 2.7 %, which fails.
func TestUnsentTurnsBoundTheVerdict(t *testing.T) {
	const missing = "shard 2/3 is missing"
	for _, c := range []struct {
		name              string
		good, bad         int
		unsent            uint32
		want              Verdict
		reasons, warnings []string
	}{
		{"nothing is known of them", 1000, 0, 0, Incomplete, []string{missing}, nil},
		{"it passes at worst", 1000, 0, 4, Pass, nil, []string{missing, "it passes even if all of the about 7 turns that are missing had been bad"}},
		{"they decide", 1000, 0, 5, Incomplete, []string{missing, "latency-p99: pass if the about 7 turns that are missing had been good, inconclusive if bad"}, nil},
		{"it fails at best", 970, 30, 100, Fail, []string{missing, "it fails even if all of the about 7 turns that are missing had been good"}, nil},
		// 16 of 1,000 fail, of 1,100 they decide nothing.
		{"it fails, but not at best", 984, 16, 100, Incomplete, []string{missing, "latency-p99: inconclusive if the about 7 turns that are missing had been good, fail if bad"}, nil},
		{"nothing is known of a failure", 970, 30, 0, Incomplete, []string{missing}, nil},
	} {
		b := bounded(t, p99, c.good, c.bad)
		if c.unsent > 0 {
			b.unsent(0, c.unsent, 3)
			b.unsent(5, 0, 4)
		}
		r := b.evaluate()
		told := slices.DeleteFunc(says(r.Reasons), func(s string) bool { return len(s) > 120 }) // the objectives' own
		if r.Verdict != c.want || !slices.Equal(told, c.reasons) {
			t.Errorf("%s: %v %q; want %v %q", c.name, r.Verdict, told, c.want, c.reasons)
		}
		for _, w := range c.warnings {
			if !slices.Contains(says(r.Warnings), w) {
				t.Errorf("%s: warnings %q; want %q", c.name, says(r.Warnings), w)
			}
		}
	}
}

// Every objective is bounded by what it counts: conversations, turns an LLM call is
// shared by, answers with foreign content or a planted value, of which one is enough.
func TestUnsentTurnsOfEveryObjective(t *testing.T) {
	dialogs := scenario.Objective{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.99}
	calls := scenario.Objective{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 1.05}
	for _, c := range []struct {
		name      string
		objective string
		sla       scenario.SLA
		change    func(*bench)
		unsent    uint32
		decides   [2]string // at best and at worst
	}{
		{"conversations, few", "dialogs", scenario.SLA{Objectives: []scenario.Objective{dialogs}}, nil, 4, [2]string{}},
		{"conversations", "dialogs", scenario.SLA{Objectives: []scenario.Objective{dialogs}}, nil, 5, [2]string{"pass", "inconclusive"}},
		{"conversations that fail, but not at best", "dialogs", scenario.SLA{Objectives: []scenario.Objective{dialogs}}, func(b *bench) {
			b.turns(1, 20, func(t *measure.Turn) { t.Outcome, t.Memory = measure.Shed, measure.NotVerified })
		}, 500, [2]string{"inconclusive", "fail"}},
		// 1,100 calls of 1,000 turns are too many, of 1,100 they are not.
		{"calls", "calls", scenario.SLA{Objectives: []scenario.Objective{calls}}, func(b *bench) { b.facts.LLMKnown, b.facts.LLMCalls = true, 1100 }, 100, [2]string{"pass", "fail"}},
		{"content that can be told", "integrity", scenario.SLA{}, func(b *bench) { b.turns(1, 1, nil) }, 1, [2]string{"pass", "fail"}},
		{"content that cannot", "integrity", scenario.SLA{}, nil, 1, [2]string{}},
		{"turns to refuse", "refused", scenario.SLA{}, func(b *bench) {
			b.s.Conversations[0].Turns[0].Expect = &scenario.Expect{Refused: []int{401}}
			b.turns(1, 1, func(t *measure.Turn) { t.Outcome, t.Memory = measure.Refused, measure.NotVerified })
		}, 1, [2]string{"pass", "fail"}},
		{"planted values", "planted", scenario.SLA{}, func(b *bench) { b.s.Checks.Planted = []string{"x"} }, 1, [2]string{"pass", "fail"}},
	} {
		b := bounded(t, c.sla, 1000, 0)
		if c.change != nil {
			c.change(b)
		}
		b.unsent(0, c.unsent, c.unsent)
		var want []reason.Reason
		if c.decides[0] != "" {
			want = append(want, reason.New(reason.UnsentDecides, c.objective, reason.Word(c.decides[0]), int64(c.unsent), reason.Word(c.decides[1])))
		}
		var got []reason.Reason
		for _, why := range b.evaluate().Reasons {
			if why.Code == reason.UnsentDecides {
				got = append(got, why)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", c.name, got, want)
		}
	}
}

// Seconds out of the plan, and counts of fewer budgets than it has, are of no turn
// that is judged. What is judged is not changed by it.
func TestUnsentTurnsOutOfThePlan(t *testing.T) {
	b := bounded(t, p99, 1000, 0)
	for _, second := range []int{-1, 11, 1 << 20} {
		b.unsent(second, 500, 0)
	}
	answered := slices.IndexFunc(b.rec.Plan().Budgets, func(x measure.Budget) bool { return x.Name == answeredBudget })
	b.facts.Unsent = append(b.facts.Unsent, measure.UnsentSecond{Second: 3, Budgets: make([]uint32, answered)})
	snap := b.snap()
	before := snap.Clone()
	if r := Evaluate(b.s, snap, b.facts); r.Verdict != Pass || !slices.Contains(says(r.Warnings), "it passes even if all of the about 0 turns that are missing had been bad") {
		t.Errorf("%v %q, warnings %q", r.Verdict, says(r.Reasons), says(r.Warnings))
	}
	b.unsent(0, 4, 4)
	if r := Evaluate(b.s, snap, b.facts); r.Verdict != Pass {
		t.Errorf("%v %q", r.Verdict, says(r.Reasons))
	}
	if !reflect.DeepEqual(snap.Seconds, before.Seconds) || snap.Counts != before.Counts || snap.Conversations != before.Conversations {
		t.Error("the snapshot was changed")
	}
}

// A generator that was at fault decides nothing, whatever a missing shard would
// have sent: a run that is invalid by itself is incomplete with one missing.
func TestUnsentTurnsOfAGeneratorAtFault(t *testing.T) {
	for planned, want := range map[int64]Verdict{1000: Pass, 1010: Pass, 1100: Incomplete} {
		b := bounded(t, p99, 1000, 0)
		b.unsent(0, 4, 4)
		b.facts.Generator = measure.Generator{Cores: 2, Planned: planned}
		r := b.evaluate()
		fault := "only 1,000 of 1,100 planned starts were issued, through the generator's own fault"
		if r.Verdict != want || slices.Contains(says(r.Reasons), fault) != (want == Incomplete) {
			t.Errorf("%d planned: %v %q, want %v", planned, r.Verdict, says(r.Reasons), want)
		}
	}
	// What a shard that was cut off had planned is not known: its schedule says nothing.
	b := bounded(t, p99, 1000, 0)
	b.unsent(0, 4, 4)
	b.facts.Missing, b.facts.Cut = nil, []measure.Cut{{Shard: "2/3", After: 5 * time.Second}}
	b.facts.Generator = measure.Generator{Cores: 2, Planned: 3000}
	if r := b.evaluate(); r.Verdict != Pass {
		t.Errorf("cut off: %v %q", r.Verdict, says(r.Reasons))
	}
}
