package sla

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// A conversation is one whatever it holds, where turns hang together in it.
func TestDesignEffectOfConversations(t *testing.T) {
	s := dialogs(map[int]float64{3: 1})
	s.SLA = scenario.SLA{Objectives: []scenario.Objective{{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.99}, {Name: "turns", Kind: scenario.KindAvailability, Target: 0.99}}}
	b := benchOf(t, s, judged(10*time.Second))
	b.turns(1, 299, nil)
	r := b.evaluate()
	if o := find(t, r, "dialogs"); o.DEFF != 1 || o.Verdict != Pass {
		t.Errorf("conversations: effect %v, %v", o.DEFF, o.Verdict)
	}
	if o := find(t, r, "turns"); o.DEFF != 3 || o.Verdict != Inconclusive {
		t.Errorf("turns: effect %v, %v", o.DEFF, o.Verdict)
	}
}

// With nothing to judge it is said how many good ones would pass; of gaps, reasoning
// and checks, that there were none.
func TestNothingToJudge(t *testing.T) {
	within := unit.Duration(200 * ms)
	sla := scenario.SLA{Objectives: []scenario.Objective{
		{Name: "turns", Kind: scenario.KindAvailability, Target: 0.99},
		{Name: "gap", Kind: scenario.KindChunkGap, Target: 0.5, Limit: within},
		{Name: "expected", Kind: scenario.KindExpected, Target: 0.5},
		{Name: "reasoning", Kind: scenario.KindFirstReasoning, Target: 0.5, Limit: within},
		{Name: "token", Kind: scenario.KindFirstToken, Target: 0.5, Limit: within},
	}}
	r := newBench(t, sla, judged(10*time.Second)).evaluate()
	for name, want := range map[string]reason.Reason{
		"turns": reason.New(reason.NothingToJudge, int64(299)), "gap": reason.New(reason.NoChunkGap), "expected": reason.New(reason.NoCheckedAnswer),
		"reasoning": reason.New(reason.NoReasoning), "token": reason.New(reason.NothingToJudge, int64(5)),
	} {
		if o := find(t, r, name); !reflect.DeepEqual(o.Reason, reason.Reasons{want}) {
			t.Errorf("%s: %q, want %q", name, o.Reason, want)
		}
	}
}

// First tokens and reasoning are judged where one of the answers had some, or where
// nothing was answered; one turn is enough.
func TestFirstTokensThatNobodySent(t *testing.T) {
	streams := func(turn *measure.Turn) {
		turn.FirstToken, turn.FirstReasoning = turn.Intended+10*ms, turn.Intended+10*ms
	}
	for _, c := range []struct {
		name                     string
		answers, streams, failed int
		told                     bool
	}{
		{"none of one", 1, 0, 0, false},
		{"none of ten", 10, 0, 0, false},
		{"one of ten", 9, 1, 0, true},
		{"one of one", 0, 1, 0, true},
		{"two of ten", 8, 2, 0, true},
		{"nothing was answered", 0, 0, 1, true},
		{"none of what was", 1, 0, 5, false},
	} {
		within := unit.Duration(200 * ms)
		b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{
			{Name: "token", Kind: scenario.KindFirstToken, Target: 0.5, Limit: within},
			{Name: "reasoning", Kind: scenario.KindFirstReasoning, Target: 0.5, Limit: within},
		}}, judged(10*time.Second))
		b.turns(1, c.answers, nil)
		b.turns(2, c.streams, streams)
		b.turns(3, c.failed, as(measure.Timeout))
		r := b.evaluate()
		for name, code := range map[string]reason.Code{"token": reason.NoStream, "reasoning": reason.NoReasoning} {
			o := find(t, r, name)
			if told := o.Verdict != NotVerified; told != c.told || told == (o.Reason[0].Code == code) {
				t.Errorf("%s: %s is %v %q, want it judged: %v", c.name, name, o.Verdict, o.Reason, c.told)
			}
		}
	}
}

// A single checked answer is one to judge.
func TestOneCheckedAnswer(t *testing.T) {
	b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "e", Kind: scenario.KindExpected, Target: 0.5}}}, judged(10*time.Second))
	b.turns(1, 1, func(t *measure.Turn) { t.Slot = 1 })
	if o := find(t, b.evaluate(), "e"); o.Verdict != Inconclusive || o.N != 1 {
		t.Errorf("%v, %d", o.Verdict, o.N)
	}
}

// The users of a closed load limit what its turns tell from where there are as many
// turns of each as hang together in a dialog.
func TestWhereUsersLimit(t *testing.T) {
	for _, c := range []struct {
		users  float64
		n      int64
		deff   float64
		limits bool
	}{{0, 1000, 3, false}, {1, 2, 3, false}, {1, 30, 30, true}, {10, 20, 3, false}, {10, 29, 3, false}, {10, 30, 3, true}, {10, 31, 3.1, true}, {7, 1000, 1000.0 / 7, true}} {
		j := &judge{users: c.users}
		deff := j.deffOf(float64(c.n), 3)
		if limits := j.byUsers(c.n, deff); limits != c.limits || deff != c.deff {
			t.Errorf("%d turns of %v users: effect %v, they limit: %v; want %v, %v", c.n, c.users, deff, limits, c.deff, c.limits)
		}
	}
}

// The tolerance of printed shares belongs to what is allowed.
func TestWithin(t *testing.T) {
	for _, c := range []struct {
		bad, n, p float64
		want      bool
	}{{10, 1000, 0.01, true}, {11, 1000, 0.01, false}, {10, 1000, 1 - 0.99, true}, {1, 1, 1 - 1e-9, true}, {1, 1, 1 - 2e-9, false}, {0, 0, 0, true}} {
		if got := within(c.bad, c.n, c.p); got != c.want {
			t.Errorf("%v of %v within %v: %v", c.bad, c.n, c.p, got)
		}
	}
}

// What this run measured is said by the gate that it is, or beside what is inferred.
func TestReasonsOfWhatWasMeasured(t *testing.T) {
	for _, c := range []struct {
		gate scenario.Gate
		bad  int
		want reason.Code
	}{
		{scenario.GateMeasured, 10, reason.GateMet},
		{scenario.GateMeasured, 11, reason.GateNotMet},
		{scenario.GateInference, 10, reason.ThisRunMet},
		{scenario.GateInference, 11, reason.ThisRunNotMet},
	} {
		b := newBench(t, scenario.SLA{Availability: 0.99, Gate: c.gate}, judged(10*time.Second))
		b.turns(1, 1000-c.bad, nil)
		b.turns(2, c.bad, as(measure.Shed))
		if o := find(t, b.evaluate(), "availability"); !hasCode(o.Reason, c.want) {
			t.Errorf("%s, %d bad: %q, want %s", c.gate, c.bad, o.Reason, c.want)
		}
	}
}

// What would decide is said in turns, or where users limit them in users, as long as
// it is no more than anybody waits for.
func TestInference(t *testing.T) {
	for _, c := range []struct {
		name  string
		users float64
		r     Judged
		want  reason.Reason
	}{
		{"decided", 0, Judged{Verdict: Fail, N: 10, DEFF: 1}, reason.New(reason.Inferred, reason.Word("fail"), unit.Share(0.95))},
		{"one turn", 0, Judged{N: 10, DEFF: 1, Needs: 1}, reason.New(reason.NotInferredNeeds, unit.Share(0.95), int64(1))},
		{"ten million", 0, Judged{N: 10, DEFF: 1, Needs: undecidable}, reason.New(reason.NotInferredNeeds, unit.Share(0.95), int64(undecidable))},
		{"more", 0, Judged{N: 10, DEFF: 1, Needs: undecidable + 1}, reason.New(reason.NotInferredOnBudget, unit.Share(0.95))},
		{"not known", 0, Judged{N: 10, DEFF: 1}, reason.New(reason.NotInferred, unit.Share(0.95))},
		{"users, of more turns than hang together", 100, Judged{N: 1000, DEFF: 10, Target: 0.99}, reason.New(reason.NotInferredUsers, unit.Share(0.95), int64(100), int64(299))},
		{"users, half a share bad", 100, Judged{N: 1000, Bad: 5, DEFF: 10, Target: 0.99}, reason.New(reason.NotInferredUsers, unit.Share(0.95), int64(100), powered(0.005, 1-0.99, 0.95, 1, 100))},
		{"users, at the target", 100, Judged{N: 1000, Bad: 10, DEFF: 10, Target: 0.99}, reason.New(reason.NotInferred, unit.Share(0.95))},
		{"users, next to the target", 1000, Judged{N: 100_000, Bad: 999, DEFF: 100, Target: 0.99}, reason.New(reason.NotInferred, unit.Share(0.95))},
		{"one user", 0.9, Judged{N: 9, DEFF: 10, Target: 0.05}, reason.New(reason.NotInferredUsers, unit.Share(0.95), int64(1), int64(1))},
		{"ten million users", undecidable, Judged{N: undecidable, DEFF: 1, Target: 0.5}, reason.New(reason.NotInferredUsers, unit.Share(0.95), int64(undecidable), int64(undecidable))},
		{"users, but too few turns of each", 100, Judged{N: 100, DEFF: 3, Needs: 7}, reason.New(reason.NotInferredNeeds, unit.Share(0.95), int64(7))},
	} {
		if c.r.Verdict != Fail {
			c.r.Verdict = Inconclusive
		}
		j := &judge{confidence: 0.95, users: c.users}
		if got := j.inference(&c.r); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Of one answer there is no percentile to tell.
func TestPercentileOfOneAnswer(t *testing.T) {
	b := newBench(t, p99, judged(10*time.Second))
	b.turns(1, 1, nil)
	if o := find(t, b.evaluate(), "latency-p99"); !strings.Contains(o.Reason.String(), "P99 of 1 answers n/a (needs 368)") {
		t.Errorf("%q", o.Reason)
	}
}

// The response times of a stage are those of the seconds whose middle is in it.
func TestResponsesInAStage(t *testing.T) {
	b := newBench(t, p99, measure.Stage{Name: "early", End: 2500*ms + 1}, judged(2500*ms-1))
	for s := range 5 {
		b.turns(s, 1<<s, nil)
	}
	snap := b.snap()
	for stages, want := range map[uint64]int64{0: 0, 1: 1 + 2 + 4, 2: 8 + 16, 3: 31} {
		sum := ResponsesIn(snap, stages)
		if got := sum.N(); got != want {
			t.Errorf("stages %b: %d response times, want %d", stages, got, want)
		}
	}
}

// A latency objective's twin judges the same turns by whether they were answered alone.
func TestAnsweredTwin(t *testing.T) {
	o := measure.Budget{Name: "latency", Stages: 2, Valid: sent, Good: measure.Answered, Limit: time.Second}
	twin := o
	twin.Name, twin.Limit = "twin", 0
	like := func(name string, change func(*measure.Budget)) measure.Budget {
		b := twin
		b.Name = name
		change(&b)
		return b
	}
	decoys := []measure.Budget{
		like("stages", func(b *measure.Budget) { b.Stages = 3 }),
		like("valid", func(b *measure.Budget) { b.Valid |= measure.SetOf(measure.DroppedTarget) }),
		like("good", func(b *measure.Budget) { b.Good = measure.SetOf(measure.OK) }),
		like("limit", func(b *measure.Budget) { b.Limit = time.Hour }),
		like("of", func(b *measure.Budget) { b.Of = measure.Service }),
		like("tier", func(b *measure.Budget) { b.TierAtMost = measure.TierLLM }),
		like("checked", func(b *measure.Budget) { b.Checked = true }),
		like("verified", func(b *measure.Budget) { b.Verified = true }),
	}
	plan := &measure.Plan{Budgets: slices.Concat([]measure.Budget{o}, decoys, []measure.Budget{twin})}
	j := &judge{budgets: map[string]int{}, snap: &measure.Snapshot{Plan: plan, Seconds: make([]measure.Second, 1)}}
	for i, b := range plan.Budgets {
		j.budgets[b.Name] = i
		j.snap.Seconds[0].Budgets = append(j.snap.Seconds[0].Budgets, measure.BudgetCount{N: 1, Bad: uint32(i)})
	}
	if got, ok := j.answeredTwin("latency"); !ok || got != (tally{1, uint64(len(decoys) + 1)}) {
		t.Errorf("%+v %v, want that of the last budget", got, ok)
	}
	plan.Budgets = plan.Budgets[:len(plan.Budgets)-1]
	if got, ok := j.answeredTwin("latency"); ok {
		t.Errorf("none, but %+v", got)
	}
}

// Full quality outside of storms is told beside the share of the whole run, one
// second left out or all but one.
func TestFullQualityOfTheWholeRun(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		if s == 12 {
			b.turns(s, 1, degraded)
		}
		if s == 40 {
			b.turns(s, 3, nil)
		}
	})
	want := "0 of 3 turns not answered in full quality outside storms and recovery (whole run 25 %)"
	if o := find(t, b.evaluate(), "full-quality"); !strings.Contains(o.Reason.String(), want) {
		t.Errorf("%q, want %q in it", o.Reason, want)
	}
}

// Of 299 good turns the share is 0.05^(1/299) at least, and may be all.
func TestInferSetsBounds(t *testing.T) {
	r := Judged{N: 299, Target: 0.99}
	(&judge{confidence: 0.95}).infer(&r, 1)
	if want := math.Pow(0.05, 1.0/299); !near(r.Lower, want) || r.Upper != 1 || r.Measured != 1 || r.Verdict != Pass {
		t.Errorf("%v in [%v, %v], want [%v, 1]", r.Measured, r.Lower, r.Upper, want)
	}
	r.Bad = 299
	(&judge{confidence: 0.95}).infer(&r, 1)
	if want := 1 - math.Pow(0.05, 1.0/299); !near(r.Upper, want) || r.Lower != 0 || r.Measured != 0 || r.Verdict != Fail {
		t.Errorf("%v in [%v, %v], want [0, %v]", r.Measured, r.Lower, r.Upper, want)
	}
}

// Conversations that customers left are bad in either kind, those that broke or were
// answered by others than the model in their own; what cstest gave up nobody knows.
func TestKindsOfConversations(t *testing.T) {
	s := dialogs(map[int]float64{3: 1})
	s.SLA = scenario.SLA{Objectives: []scenario.Objective{
		{Name: "left", Kind: scenario.KindAbandoned, Target: 0.99},
		{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.99},
		{Name: "model", Kind: scenario.KindConversations, Target: 0.99, TierAtMost: scenario.TierLLM},
	}}
	b := benchOf(t, s, judged(10*time.Second))
	for end, n := range map[measure.ConversationEnd]int{measure.Complete: 900, measure.Left: 1, measure.Broken: 20, measure.CompleteDegraded: 300, measure.Abandoned: 4} {
		for range n {
			b.rec.Lane(0).Ended(end, nil)
		}
	}
	r := b.evaluate()
	for name, bad := range map[string]int64{"left": 1, "dialogs": 21, "model": 321} {
		if o := find(t, r, name); o.N != 1221 || o.Bad != bad || o.Cut != 4 || o.DEFF != 1 {
			t.Errorf("%s: %d bad of %d, %d cut, effect %v; want %d of 1,221, 4, 1", name, o.Bad, o.N, o.Cut, o.DEFF, bad)
		}
	}
}
