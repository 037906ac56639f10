package sla

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// atMost is the chance of at most k of n, each with chance q, term by term.
func atMost(k, n int64, q float64) (sum float64) {
	for i := int64(0); i <= k; i++ {
		sum += math.Exp(logChoose(n, i) + float64(i)*math.Log(q) + float64(n-i)*math.Log1p(-q))
	}
	return sum
}

// The bounds of an objective hold whatever became of turns that were cut: below is
// where all of them are bad, above where all are good.
func TestBoundsHoldCutTurns(t *testing.T) {
	b := newBench(t, scenario.SLA{Availability: 0.99}, judged(10*time.Second))
	b.turns(1, 990, nil)
	b.turns(2, 10, as(measure.Shed))
	b.turns(3, 7, as(measure.Censored))
	o := find(t, b.evaluate(), "availability")
	if o.Cut != 7 || o.Untold != 0 || o.N != 1000 || o.Bad != 10 {
		t.Errorf("%d cut, %d untold, %d of %d bad", o.Cut, o.Untold, o.Bad, o.N)
	}
	// At the lower bound 17 or fewer of 1,007 are bad with 5 %, at the upper 10 or more.
	if low, high := atMost(17, 1007, 1-o.Lower), 1-atMost(9, 1007, 1-o.Upper); !near(low, 0.05) || !near(high, 0.05) {
		t.Errorf("[%v, %v]: %v and %v beyond, want 5 %% each", o.Lower, o.Upper, low, high)
	}
}

// By what was measured 10 bad of 1,000 keep 99 %, and 11 do not; what is not known
// may be one of them. Cut turns come to the turns there are, untold ones are among them.
func TestUnknownTurnsAtTheTarget(t *testing.T) {
	for _, c := range []struct {
		name                   string
		good, bad, cut, untold int
		want                   Verdict
	}{
		{"more than the target of each kind", 980, 8, 2, 10, NotVerified},
		{"ten bad at most", 990, 9, 0, 1, Pass},
		{"ten bad, one untold", 989, 10, 0, 1, NotVerified},
		{"ten bad, one cut", 990, 10, 1, 0, Inconclusive},
		{"ten cut", 990, 0, 10, 0, Pass},
		{"eleven cut", 989, 0, 11, 0, Inconclusive},
		{"one cut and one untold", 998, 0, 1, 1, Pass},
		{"as many cut as untold", 980, 0, 10, 10, NotVerified},
	} {
		sla := scenario.SLA{Gate: scenario.GateMeasured, Objectives: []scenario.Objective{{Name: "full", Kind: scenario.KindFullQuality, Target: 0.99}}}
		s := tiered()
		s.SLA = sla
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, c.good, nil)
		b.turns(2, c.bad, as(measure.Shed))
		b.turns(3, c.cut, as(measure.Censored))
		b.turns(4, c.untold, tier(measure.TierUnknown))
		if o := find(t, b.evaluate(), "full"); o.Verdict != c.want || o.Cut != int64(c.cut) || o.Untold != int64(c.untold) {
			t.Errorf("%s: %v, %d cut, %d untold, %q; want %v", c.name, o.Verdict, o.Cut, o.Untold, o.Reason, c.want)
		}
	}
}

// What is not known is said of the answers judged, most grave first, and counted no
// more than the good ones there are.
func TestReasonsOfUnknownTurns(t *testing.T) {
	all := func(b *bench) { b.turns(4, 150, func(turn *measure.Turn) { untold(turn) }) }
	repeats := func(n int64) func(*bench) {
		return func(b *bench) {
			b.facts.Repeats = &measure.Repeats{Asked: []int64{50, 50, 50}, Answers: []measure.Repeated{{Text: "嗯", N: n, Questions: []uint64{7}}}}
		}
	}
	for _, c := range []struct {
		name   string
		good   int
		change []func(*bench)
		untold int64
		want   string
	}{
		{"nothing", 200, nil, 0, "not_verified"},
		{"no tier, nor whether degraded", 850, []func(*bench){all}, 300, "not verified: 15 % of the answers judged do not say their tier (target.response.tier.from found nothing); not verified: 15 % of the answers judged do not say whether they are degraded (target.response.degraded found nothing); "},
		{"the same to many", 800, []func(*bench){repeats(200)}, 200, "not verified: 25 % of the answers judged are one that many different questions got"},
		{"more than there are", 800, []func(*bench){repeats(2000)}, 800, "not verified: 100 % of the answers judged are one that many different questions got"},
		{"one that is good", 1, []func(*bench){repeats(2000)}, 1, "not verified: 100 % of the answers judged are one that many different questions got"},
		{"three cut", 800, []func(*bench){repeats(200), func(b *bench) { b.turns(3, 3, as(measure.Censored)) }}, 200, "not verified: 3 more were cut off by cstest itself: good or bad, nobody knows; not verified: 25 % of the answers judged are one"},
	} {
		s := tiered()
		s.SLA = scenario.SLA{FullQuality: 0.9, Gate: scenario.GateMeasured}
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, c.good, nil)
		for _, change := range c.change {
			change(b)
		}
		o := find(t, b.evaluate(), "full-quality")
		if o.Untold != c.untold || !strings.HasPrefix(o.Reason.String(), c.want) && c.untold > 0 || c.untold == 0 && o.Verdict != Pass {
			t.Errorf("%s: %d untold, %q; want %d, %q", c.name, o.Untold, o.Reason, c.untold, c.want)
		}
	}
}

// Each is told of alone, and of a single answer too.
func TestReasonsOfOneUnknownAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*measure.Turn)
		want   string
	}{
		{"tier", tier(measure.TierUnknown), "pass: 0.5 % of the answers judged do not say their tier"},
		{"degraded", func(t *measure.Turn) { t.Untold = true }, "pass: 0.5 % of the answers judged do not say whether they are degraded"},
		{"cut", as(measure.Censored), "pass: 1 more were cut off by cstest itself"},
	} {
		s := tiered()
		s.SLA = scenario.SLA{FullQuality: 0.9}
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, 199, nil)
		b.turns(2, 1, c.change)
		if o := find(t, b.evaluate(), "full-quality"); !strings.HasPrefix(o.Reason.String(), c.want) || strings.Count(o.Reason.String(), "pass: ") != 2 {
			t.Errorf("%s: %q, want %q", c.name, o.Reason, c.want)
		}
	}
}

// Turns are unknown to the objectives that count them, in the seconds of their
// stages: a second belongs to the stage its middle lies in.
func TestWhomUnknownTurnsConcern(t *testing.T) {
	s := tiered()
	s.SLA = scenario.SLA{Objectives: []scenario.Objective{
		{Name: "any", Kind: scenario.KindAvailability, Target: 0.5},
		{Name: "early", Kind: scenario.KindAvailability, Target: 0.5, Stages: []string{"early"}},
		{Name: "model", Kind: scenario.KindAvailability, Target: 0.5, TierAtMost: scenario.TierLLM},
		{Name: "static", Kind: scenario.KindAvailability, Target: 0.5, TierAtMost: scenario.TierStatic},
		{Name: "full", Kind: scenario.KindFullQuality, Target: 0.5},
		{Name: "gap", Kind: scenario.KindChunkGap, Target: 0.5, Limit: 1},
		{Name: "expected", Kind: scenario.KindExpected, Target: 0.5},
		{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.5},
	}}
	b := benchOf(t, s, measure.Stage{Name: "early", End: 2500*ms + 1}, measure.Stage{Name: "late", End: 2500 * ms, Judged: true})
	for second := range 6 { // what comes after the plan is of its last stage
		b.turns(second, 20, func(turn *measure.Turn) { turn.Slot, turn.Gaps = 1, []time.Duration{0} })
		b.turns(second, 1<<second, as(measure.Censored))
		b.turns(second, 1, tier(measure.TierUnknown))
	}
	for range 9 {
		b.rec.Lane(0).Ended(measure.Abandoned, nil)
	}
	r := b.evaluate()
	const early, late = 1 + 2 + 4, 8 + 16 + 32
	for name, want := range map[string][2]int64{
		"any": {late, 0}, "early": {early, 0}, "model": {late, 3}, "static": {late, 0}, "full": {late, 3}, "gap": {0, 0}, "expected": {0, 0}, "dialogs": {9, 0},
	} {
		if o := find(t, r, name); o.Cut != want[0] || o.Untold != want[1] {
			t.Errorf("%s: %d cut and %d untold, want %v", name, o.Cut, o.Untold, want)
		}
	}
}

// Where there is nothing to judge, what was cut is told all the same.
func TestCutWithNothingToJudge(t *testing.T) {
	sla := scenario.SLA{Objectives: []scenario.Objective{{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.5}, {Name: "turns", Kind: scenario.KindAvailability, Target: 0.5}}}
	b := newBench(t, sla, judged(10*time.Second))
	for range 4 {
		b.rec.Lane(0).Ended(measure.Abandoned, nil)
	}
	for range 3 {
		at := time.Second
		b.rec.Lane(0).Record(&measure.Turn{Intended: at, Sent: at, Done: at, Outcome: measure.Censored})
	}
	r := b.evaluate()
	for name, cut := range map[string]int64{"dialogs": 4, "turns": 3} {
		if o := find(t, r, name); o.Cut != cut || o.Verdict != Inconclusive || o.Upper != 1 || o.Lower != 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// Seconds that are left out bring no doubt: those that recovery judges, and those
// in which the generator was late, without which the target is seen to fail.
func TestUnknownTurnsOfSecondsLeftOut(t *testing.T) {
	b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.s.Target.Response = tiered().Target.Response
	b.turns(9, 3, tier(measure.TierUnknown))
	b.turns(12, 50, tier(measure.TierUnknown))
	b.turns(13, 40, as(measure.Censored))
	if o := find(t, b.evaluate(), "full-quality"); o.Untold != 3 || o.Cut != 0 {
		t.Errorf("%d untold and %d cut out of a storm, want 3 and 0", o.Untold, o.Cut)
	}
	// 610 of 12,000 bad at best with them; 110 of 5,500 without, which 6,000 that were cut would excuse.
	b = newBench(t, scenario.SLA{Availability: 0.99}, judged(60*time.Second))
	for s := range 60 {
		if s < 5 {
			b.turns(s, 100, func(t *measure.Turn) { t.Outcome, t.Lag = measure.Timeout, time.Second })
			b.turns(s, 1200, func(t *measure.Turn) { t.Outcome, t.Lag = measure.Censored, time.Second })
			continue
		}
		b.turns(s, 98, nil)
		b.turns(s, 2, as(measure.Shed))
	}
	r := b.evaluate()
	if r.Verdict != Fail || !slices.Contains(r.Generator.FailsWithout, "availability") {
		t.Errorf("%v, fails without late seconds: %q", r.Verdict, r.Generator.FailsWithout)
	}
}

// A second that was recorded without the budget that counts them tells of none.
func TestUntoldOfASecond(t *testing.T) {
	s := tiered()
	b := benchOf(t, s, judged(10*time.Second))
	b.turns(1, 4, tier(measure.TierUnknown))
	b.turns(1, 3, func(t *measure.Turn) { t.Untold = true })
	snap := b.snap()
	second := &snap.Seconds[1]
	if tier, degraded := UntoldOf(s, snap.Plan, second); tier != 4 || degraded != 3 {
		t.Errorf("%d without a tier, %d that do not say whether degraded; want 4 and 3", tier, degraded)
	}
	second.Budgets = second.Budgets[:slices.IndexFunc(snap.Plan.Budgets, func(b measure.Budget) bool { return b.Name == toldBudget })]
	if tier, degraded := UntoldOf(s, snap.Plan, second); tier != 4 || degraded != 0 {
		t.Errorf("%d without a tier, %d that do not say whether degraded; want 4 and 0", tier, degraded)
	}
}
