package measure

import (
	"math"
	"testing"
	"time"
)

// at gives what one turn alone did to a budget.
func budgetAfter(t *testing.T, name string, second int, record func(*Lane)) BudgetCount {
	t.Helper()
	plan := groupPlan()
	plan.Budgets = append(plan.Budgets, Budget{
		Name: "first_reasoning", Stages: 2, Valid: SetOf(OK, Unexpected, Degraded, ServerError, Timeout, Censored, DroppedTarget), Good: Answered, Of: FirstReasoning, Limit: 100 * ms,
	}, Budget{Name: "told", Stages: 2, Valid: SetOf(OK, Unexpected), Good: Answered, Told: true})
	r := NewRecorder(plan, 1)
	record(r.Lane(0))
	s, err := r.Cut(0)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range plan.Budgets {
		if b.Name == name {
			if at := s.At(second); at != nil && at.Budgets != nil {
				return at.Budgets[i]
			}
			return BudgetCount{}
		}
	}
	t.Fatalf("no budget %s", name)
	return BudgetCount{}
}

func TestBudgets(t *testing.T) {
	good := Turn{Intended: 3 * time.Second, Sent: 3 * time.Second, Done: 3400 * ms, FirstToken: 3050 * ms, Tier: TierLLM, Memory: Verified}
	with := func(change func(*Turn)) Turn { t := good; change(&t); return t }
	for _, c := range []struct {
		what   string
		budget string
		second int
		turn   Turn
		want   BudgetCount
	}{
		{"an answer", "availability", 3, good, BudgetCount{1, 0}},
		{"another second", "availability", 2, good, BudgetCount{0, 0}},
		{"an unjudged stage", "availability", 1, with(func(t *Turn) { t.Intended = 1999 * ms }), BudgetCount{0, 0}},
		{"the first instant of a stage", "availability", 2, with(func(t *Turn) { t.Intended = 2 * time.Second }), BudgetCount{1, 0}},
		{"the drain belongs to the last stage", "availability", 6, with(func(t *Turn) { t.Intended = 5500 * ms }), BudgetCount{1, 0}},
		{"the last instant of the plan", "availability", 5, with(func(t *Turn) { t.Intended = 5499 * ms }), BudgetCount{1, 0}},
		{"of the group", "gray", 3, with(func(t *Turn) { t.Group = 2 }), BudgetCount{1, 0}},
		{"degraded, of the group", "gray", 3, with(func(t *Turn) { t.Group, t.Outcome = 2, Degraded }), BudgetCount{1, 1}},
		{"failed, of the group", "gray", 3, with(func(t *Turn) { t.Group, t.Outcome = 2, ServerError }), BudgetCount{1, 1}},
		{"of another group", "gray", 3, with(func(t *Turn) { t.Group, t.Outcome = 1, ServerError }), BudgetCount{0, 0}},
		{"answered without saying its group", "gray", 3, with(func(t *Turn) { t.Outcome = Degraded }), BudgetCount{0, 0}},
		{"not answered, so that nobody knows its group", "gray", 3, with(func(t *Turn) { t.Outcome = Timeout }), BudgetCount{1, 1}},
		{"a group that there is not", "gray", 3, with(func(t *Turn) { t.Group, t.Outcome = 3, Degraded }), BudgetCount{0, 0}},
		{"of the group, judged with all others", "availability", 3, with(func(t *Turn) { t.Group = 2 }), BudgetCount{1, 0}},
		{"a failure", "availability", 3, with(func(t *Turn) { t.Outcome = ServerError }), BudgetCount{1, 1}},
		{"censored", "availability", 3, with(func(t *Turn) { t.Outcome = Censored }), BudgetCount{0, 0}},
		{"censored within the limit", "p99", 3, with(func(t *Turn) { t.Outcome, t.Done = Censored, t.Intended+500*ms }), BudgetCount{0, 0}},
		{"censored beyond the limit", "p99", 3, with(func(t *Turn) { t.Outcome, t.Done = Censored, t.Intended+500*ms+1 }), BudgetCount{1, 1}},
		{"censored in service", "service", 3, with(func(t *Turn) { t.Outcome, t.Done = Censored, t.Sent+500*ms+1 }), BudgetCount{1, 1}},
		{"censored, the first token in time", "first_token", 3, with(func(t *Turn) { t.Outcome = Censored }), BudgetCount{0, 0}},
		{"censored, the first token late", "first_token", 3, with(func(t *Turn) { t.Outcome, t.FirstToken = Censored, t.Intended+100*ms+1 }), BudgetCount{1, 1}},
		{"censored before the first token", "first_token", 3, with(func(t *Turn) { t.Outcome, t.FirstToken, t.Done = Censored, 0, t.Intended+100*ms }), BudgetCount{0, 0}},
		{"censored after the first token was due", "first_token", 3, with(func(t *Turn) { t.Outcome, t.FirstToken, t.Done = Censored, 0, t.Intended+100*ms+1 }), BudgetCount{1, 1}},
		{"excluded", "availability", 3, with(func(t *Turn) { t.Outcome, t.Excluded = RateLimited, true }), BudgetCount{0, 0}},
		{"sent again", "availability", 3, with(func(t *Turn) { t.Outcome, t.Again = ServerError, true }), BudgetCount{0, 0}},
		{"sent again, gaps", "chunk_gap", 3, with(func(t *Turn) { t.Gaps, t.Again = []time.Duration{51 * ms}, true }), BudgetCount{0, 0}},
		{"degraded", "availability", 3, with(func(t *Turn) { t.Outcome, t.Tier = Degraded, TierStatic }), BudgetCount{1, 0}},
		{"at the limit", "p99", 3, with(func(t *Turn) { t.Done = t.Intended + 500*ms }), BudgetCount{1, 0}},
		{"at the wider limit", "p95", 3, with(func(t *Turn) { t.Done = t.Intended + 500*ms }), BudgetCount{1, 1}},
		{"at the tighter limit", "p95", 3, with(func(t *Turn) { t.Done = t.Intended + 300*ms }), BudgetCount{1, 0}},
		{"over the tighter limit", "p99", 3, with(func(t *Turn) { t.Done = t.Intended + 300*ms + 1 }), BudgetCount{1, 0}},
		{"over the limit", "p99", 3, with(func(t *Turn) { t.Done = t.Intended + 500*ms + 1 }), BudgetCount{1, 1}},
		{"a fast failure", "p99", 3, with(func(t *Turn) { t.Outcome, t.Done = Shed, t.Intended+ms }), BudgetCount{1, 1}},
		{"service from sent", "service", 3, with(func(t *Turn) { t.Sent = t.Intended + ms; t.Done = t.Sent + 500*ms }), BudgetCount{1, 0}},
		{"service over", "service", 3, with(func(t *Turn) { t.Done = t.Sent + 500*ms + 1 }), BudgetCount{1, 1}},
		{"first token", "first_token", 3, good, BudgetCount{1, 0}},
		{"first token late", "first_token", 3, with(func(t *Turn) { t.FirstToken = t.Intended + 100*ms + 1 }), BudgetCount{1, 1}},
		{"an answer without reasoning", "first_reasoning", 3, good, BudgetCount{0, 0}},
		{"reasoning", "first_reasoning", 3, with(func(t *Turn) { t.FirstReasoning = t.Intended + 100*ms }), BudgetCount{1, 0}},
		{"reasoning late", "first_reasoning", 3, with(func(t *Turn) { t.FirstReasoning = t.Intended + 100*ms + 1 }), BudgetCount{1, 1}},
		{"reasoning, and no answer", "first_reasoning", 3, with(func(t *Turn) { t.Outcome, t.FirstReasoning = ServerError, t.Intended+ms }), BudgetCount{1, 1}},
		{"neither", "first_reasoning", 3, with(func(t *Turn) { t.Outcome = Timeout }), BudgetCount{1, 1}},
		{"cut before the reasoning was due", "first_reasoning", 3, with(func(t *Turn) { t.Outcome, t.Done = Censored, t.Intended+100*ms }), BudgetCount{0, 0}},
		{"cut after it was due", "first_reasoning", 3, with(func(t *Turn) { t.Outcome, t.Done = Censored, t.Intended+100*ms+1 }), BudgetCount{1, 1}},
		{"no first token", "first_token", 3, with(func(t *Turn) { t.FirstToken = 0 }), BudgetCount{1, 1}},
		{"the model's tier", "faq", 3, good, BudgetCount{1, 0}},
		{"a tier at most", "faq", 3, with(func(t *Turn) { t.Outcome, t.Tier = Degraded, TierFAQ }), BudgetCount{1, 0}},
		{"a tier below", "faq", 3, with(func(t *Turn) { t.Outcome, t.Tier = Degraded, TierHandoff }), BudgetCount{1, 1}},
		{"an unknown tier", "faq", 3, with(func(t *Turn) { t.Tier = TierUnknown }), BudgetCount{1, 0}},
		{"degraded, tier unknown", "faq", 3, with(func(t *Turn) { t.Outcome, t.Tier = Degraded, TierUnknown }), BudgetCount{1, 1}},
		{"no expectation", "expected", 3, good, BudgetCount{0, 0}},
		{"an expectation met", "expected", 3, with(func(t *Turn) { t.Slot = 1 }), BudgetCount{1, 0}},
		{"an expectation not met", "expected", 3, with(func(t *Turn) { t.Slot, t.Outcome = 1, Unexpected }), BudgetCount{1, 1}},
		{"degraded is not checked", "expected", 3, with(func(t *Turn) { t.Slot, t.Outcome = 1, Degraded }), BudgetCount{0, 0}},
		{"canaries came back", "context", 3, good, BudgetCount{1, 0}},
		{"no canary", "context", 3, with(func(t *Turn) { t.Memory = NotVerified }), BudgetCount{0, 0}},
		{"context lost", "context", 3, with(func(t *Turn) { t.Memory, t.Outcome = NotVerified, ContextLost }), BudgetCount{1, 1}},
		{"foreign content", "context", 3, with(func(t *Turn) { t.Memory, t.Outcome = NotVerified, Integrity }), BudgetCount{1, 0}},
		{"sent in time", "lag", 3, with(func(t *Turn) { t.Lag = 10 * ms }), BudgetCount{1, 0}},
		{"sent late", "lag", 3, with(func(t *Turn) { t.Lag = 10*ms + 1 }), BudgetCount{1, 1}},
		{"gaps", "chunk_gap", 3, with(func(t *Turn) { t.Gaps = []time.Duration{50 * ms, 51 * ms, ms} }), BudgetCount{1, 1}},
		{"gaps at the limit", "chunk_gap", 3, with(func(t *Turn) { t.Gaps = []time.Duration{50 * ms, ms} }), BudgetCount{1, 0}},
		{"gaps of a failure", "chunk_gap", 3, with(func(t *Turn) { t.Outcome, t.Gaps = Timeout, []time.Duration{51 * ms} }), BudgetCount{0, 0}},
		{"gaps of another stage", "warm_gap", 1, with(func(t *Turn) { t.Intended, t.Gaps = time.Second, []time.Duration{50 * ms, 51 * ms} }), BudgetCount{1, 1}},
		{"no gaps", "chunk_gap", 3, good, BudgetCount{0, 0}},
		{"an answer that says who gave it", "told", 3, good, BudgetCount{1, 0}},
		{"an answer that does not", "told", 3, with(func(t *Turn) { t.Untold = true }), BudgetCount{1, 1}},
		{"for others it is one", "faq", 3, with(func(t *Turn) { t.Untold = true }), BudgetCount{1, 0}},
		{"outcome out of range", "availability", 3, with(func(t *Turn) { t.Outcome = 200 }), BudgetCount{1, 1}},
		{"tier out of range", "faq", 3, with(func(t *Turn) { t.Tier = 200 }), BudgetCount{1, 0}},
	} {
		if got := budgetAfter(t, c.budget, c.second, func(l *Lane) { l.Record(&c.turn) }); got != c.want {
			t.Errorf("%s: %s counts %v, want %v", c.what, c.budget, got, c.want)
		}
	}
	drop := func(o Outcome) func(*Lane) { return func(l *Lane) { l.Dropped(3*time.Second, 1, o) } }
	if got := budgetAfter(t, "availability", 3, drop(DroppedTarget)); got != (BudgetCount{1, 1}) {
		t.Errorf("dropped by the target: %v", got)
	}
	if got := budgetAfter(t, "p99", 3, drop(DroppedTarget)); got != (BudgetCount{1, 1}) {
		t.Errorf("dropped by the target, latency: %v", got)
	}
	if got := budgetAfter(t, "context", 3, drop(DroppedTarget)); got != (BudgetCount{0, 0}) {
		t.Errorf("dropped by the target, context: %v", got)
	}
	if got := budgetAfter(t, "availability", 3, drop(DroppedGenerator)); got != (BudgetCount{0, 0}) {
		t.Errorf("dropped by the generator: %v", got)
	}
	five := func(l *Lane) { l.Dropped(3*time.Second, 5, DroppedTarget) }
	if got := budgetAfter(t, "availability", 3, five); got != (BudgetCount{5, 5}) {
		t.Errorf("a conversation of five turns dropped by the target: %v", got)
	}
	if got := budgetAfter(t, "availability", 3, func(l *Lane) { l.Dropped(3*time.Second, 0, DroppedTarget) }); got != (BudgetCount{1, 1}) {
		t.Errorf("a start of no turns dropped by the target: %v", got)
	}
}

// Seconds tell when answers came and how long turns waited that were not answered
// in Patience: from their start where they never were, else from when it was over.
func TestWaits(t *testing.T) {
	for _, c := range []struct {
		what           string
		intended, done time.Duration
		change         func(*Turn)
		want           map[int]Flow
	}{
		{"answered in its second", 2100 * ms, 2900 * ms, nil, map[int]Flow{2: {Answers: 1}}},
		{"answered in the next, in time", 2900 * ms, 3400 * ms, nil, map[int]Flow{3: {Answers: 1}}},
		{"late within one second", 3000 * ms, 3999 * ms, nil, map[int]Flow{3: {Answers: 1}}},
		{"late, to the second", 3000 * ms, 4000 * ms, nil, map[int]Flow{3: {Late: 1}, 4: {Answers: 1, LateEnd: 1}}},
		{"the wait begins when patience ends", 2600 * ms, 5000 * ms, nil, map[int]Flow{3: {Late: 1}, 5: {Answers: 1, LateEnd: 1}}},
		{"patience is not over", 2600 * ms, 3100 * ms, nil, map[int]Flow{3: {Answers: 1}}},
		{"never answered", 2600 * ms, 5000 * ms, func(t *Turn) { t.Outcome = Timeout }, map[int]Flow{2: {Lost: 1}, 5: {LostEnd: 1}}},
		{"failed at once", 2600 * ms, 2700 * ms, func(t *Turn) { t.Outcome = Shed }, map[int]Flow{}},
		{"censored after the end", 4600 * ms, 40 * time.Second, func(t *Turn) { t.Outcome = Censored }, map[int]Flow{4: {Lost: 1}, 6: {LostEnd: 1}}},
		{"excluded", 2600 * ms, 5000 * ms, func(t *Turn) { t.Outcome, t.Excluded = RateLimited, true }, map[int]Flow{}},
	} {
		plan := testPlan()
		plan.Patience = 500 * ms
		r := NewRecorder(plan, 1)
		turn := Turn{Intended: c.intended, Sent: c.intended, Done: c.done, Tier: TierLLM}
		if c.change != nil {
			c.change(&turn)
		}
		r.Lane(0).Record(&turn)
		s, err := r.Cut(0)
		if err != nil {
			t.Fatal(err)
		}
		for second := range plan.Seconds() + 1 {
			var got Flow
			if at := s.At(second); at != nil {
				got = at.Flow
			}
			if got != c.want[second] {
				t.Errorf("%s: second %d has %+v, want %+v", c.what, second, got, c.want[second])
			}
		}
		if again, err := r.Cut(0); err != nil || len(again.Seconds) != 0 {
			t.Errorf("%s: the next interval has %+v, %v", c.what, again.Seconds, err)
		}
	}
	r := NewRecorder(testPlan(), 1) // no patience: an answer is never too late
	r.Lane(0).Record(&Turn{Intended: 2100 * ms, Done: 5200 * ms})
	if s, _ := r.Cut(0); s.At(5).Flow != (Flow{Answers: 1}) || s.At(2).Flow != (Flow{}) {
		t.Errorf("without patience: %+v", s.Seconds)
	}
}

func TestPlanCheck(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"stages":    func(p *Plan) { p.Stages = make([]Stage, MaxStages+1) },
		"budgets":   func(p *Plan) { p.Budgets = make([]Budget, MaxBudgets+1) },
		"slots":     func(p *Plan) { p.Slots = make([]Slot, MaxSlots+1) },
		"long":      func(p *Plan) { p.Stages[1].End = MaxLength + 1 },
		"overlap":   func(p *Plan) { p.Stages[1].Start-- },
		"backwards": func(p *Plan) { p.Stages[1].End = p.Stages[1].Start - 1 },
		"timing":    func(p *Plan) { p.Budgets[0].Of = Timing(Timings) },
		"tier":      func(p *Plan) { p.Budgets[0].TierAtMost = Tier(Tiers) },
		"limit":     func(p *Plan) { p.Budgets[0].Limit = -1 },
		"patience":  func(p *Plan) { p.Patience = -1 },
	} {
		p := testPlan()
		change(p)
		if p.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := testPlan().Check(); err != nil {
		t.Error(err)
	}
	var none *Plan
	if none.End() != 0 || (&Plan{}).Seconds() != 0 || (&Plan{}).StageAt(0) != -1 {
		t.Error("a plan without stages has seconds")
	}
	p := testPlan()
	if p.Seconds() != 6 || p.SecondAt(5499*ms) != 5 || p.SecondAt(5500*ms) != 6 || p.SecondAt(-1) != 0 || p.SecondAt(math.MaxInt64) != 6 {
		t.Error("seconds are elsewhere")
	}
}
