package sla

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// No answer that says what recovery is judged by says nothing; one that does is enough.
func TestQualityThatIsNeverTold(t *testing.T) {
	const never = "not verified: no answer says "
	for _, c := range []struct {
		name     string
		response *scenario.Response
		all      func(*measure.Turn)
		one      func(*measure.Turn) // of 100 a second
		want     string
	}{
		{"no tier", tiered().Target.Response, tier(measure.TierUnknown), nil, never + "its tier"},
		{"one tier", tiered().Target.Response, tier(measure.TierUnknown), tier(measure.TierLLM), "not verified: "},
		{"no tier is to be told", &scenario.Response{}, tier(measure.TierUnknown), nil, "pass"},
		{"all tiers", tiered().Target.Response, nil, nil, "pass"},
		{"not whether degraded", &scenario.Response{Degraded: "d"}, untold, nil, never + "whether it is degraded"},
		{"one says whether", &scenario.Response{Degraded: "d"}, untold, func(*measure.Turn) {}, "not verified: "},
		{"nothing was answered", tiered().Target.Response, as(measure.Timeout), nil, "fail"},
	} {
		b := stormy(t, func(b *bench, s int) {
			b.turns(s, 99, c.all)
			if c.one != nil {
				b.turns(s, 1, c.one)
			} else {
				b.turns(s, 1, c.all)
			}
		})
		b.s.Target.Response = c.response
		o := find(t, b.evaluate(), "recovery-quality")
		if got := o.Reason.String(); !strings.HasPrefix(got, c.want) || c.want == "not verified: " && strings.HasPrefix(got, never) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// What is told counts over the ten seconds that recovery holds, from where it began.
func TestUntoldWhileRecoveryHolds(t *testing.T) {
	for _, c := range []struct {
		name string
		at   int // second in which answers say nothing; recovery began at 26 s
		want Verdict
	}{{"before", 25, Pass}, {"in the first", 26, NotVerified}, {"in the last", 35, NotVerified}, {"after", 36, Pass}} {
		b := stormy(t, func(b *bench, s int) {
			if s >= 20 && s < 22 {
				b.turns(s, 100, degraded) // out of every window of five seconds from 26 s on
				return
			}
			b.turns(s, 100, nil)
		})
		b.s.Target.Response = &scenario.Response{Degraded: "d"}
		b.turns(c.at, 100, untold) // 100 of 1,100 are more than 5 %
		if o := find(t, b.evaluate(), "recovery-quality"); o.Verdict != c.want || o.Measured != 6 {
			t.Errorf("%s: %v after %v s, want %v after 6 s", c.name, o.Verdict, o.Measured, c.want)
		}
	}
}

// Where all answers say it, recovery is as it was seen: one bad turn in each window
// of few is no relapse, though they are more than a share of 5 % over ten seconds.
func TestToldRecoveryOfFewTurns(t *testing.T) {
	for n, want := range []Verdict{Pass, NotVerified} {
		b := newBench(t, scenario.SLA{FullQuality: 0.95, Recovery: &scenario.Recovery{After: "storm", Quality: unit.Duration(15 * time.Second)}}, judged(100*time.Second))
		b.s.Target.Response = &scenario.Response{Degraded: "d"}
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := range 100 {
			b.turns(s, 2, nil)
			if s%5 == 4 {
				b.turns(s, 1, degraded)
			}
		}
		b.turns(22, n, untold)
		if o := find(t, b.evaluate(), "recovery-quality"); o.Verdict != want || o.Measured != 0 {
			t.Errorf("%d untold: %v after %v s, want %v", n, o.Verdict, o.Measured, want)
		}
	}
}

// One answer in all that says nothing is every answer.
func TestOneAnswerThatSaysNothing(t *testing.T) {
	for want, c := range map[string]struct {
		response *scenario.Response
		change   func(*measure.Turn)
	}{
		"not verified: no answer says its tier":               {tiered().Target.Response, tier(measure.TierUnknown)},
		"not verified: no answer says whether it is degraded": {&scenario.Response{Degraded: "d"}, untold},
	} {
		b := stormy(t, func(*bench, int) {})
		b.s.Target.Response = c.response
		b.turns(30, 1, c.change)
		r := b.evaluate()
		if o := find(t, r, "recovery-quality"); !strings.HasPrefix(o.Reason.String(), want) {
			t.Errorf("%q, want %q", o.Reason, want)
		}
		if told := strings.Join(says(r.Warnings), "; "); !strings.Contains(told, "100 % of the answers do not say ") {
			t.Errorf("warnings %q", told)
		}
	}
}

// The warnings name each word that nobody mapped with its share of the answers, and
// tell of the tiers that are missing only what is beyond them.
func TestWarningsOfTiers(t *testing.T) {
	s := tiered()
	b := benchOf(t, s, judged(10*time.Second))
	b.turns(1, 150, nil)
	b.turns(2, 30, as(measure.Timeout)) // no answers
	b.turns(3, 7, tier(measure.TierUnknown))
	b.turns(4, 1, untold)
	for word, n := range map[string]int{"turbo": 40, "": 2} {
		b.turns(5, n, func(turn *measure.Turn) { turn.Outcome, turn.Tier = measure.Degraded, measure.TierUnknown })
		for range n {
			b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.Degraded, Message: measure.UnmappedTier + " " + word})
		}
	}
	for range 30 {
		b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.Timeout, Message: measure.UnmappedTier + " turbo"})
	}
	warnings := strings.Join(says(b.evaluate().Warnings), "\n")
	for _, want := range []string{
		`tier "turbo", which target.response.tier.map does not have, in 20 % of the answers: not full quality`,
		`tier "", which target.response.tier.map does not have, in 1 % of the answers: not full quality`,
		"4 % of the answers do not say their tier: target.response.tier.from found nothing in them", // 8 of 200
		"0.5 % of the answers do not say whether they are degraded: target.response.degraded found nothing in them",
	} {
		if !strings.Contains(warnings, want) {
			t.Errorf("no %q in\n%s", want, warnings)
		}
	}
	if n := strings.Count(warnings, "tier.map"); n != 2 {
		t.Errorf("%d words that nobody mapped:\n%s", n, warnings)
	}
	// All tiers that are missing were told, as words that nobody mapped; or nothing was answered at all.
	for _, change := range []func(*bench){
		func(b *bench) {
			b.turns(1, 5, func(turn *measure.Turn) { turn.Outcome, turn.Tier = measure.Degraded, measure.TierUnknown })
			for range 5 {
				b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.Degraded, Message: measure.UnmappedTier + " x"})
			}
		},
		func(b *bench) { b.turns(1, 5, as(measure.Timeout)) },
	} {
		b := benchOf(t, s, judged(10*time.Second))
		change(b)
		if warnings := strings.Join(says(b.evaluate().Warnings), "\n"); strings.Contains(warnings, "do not say") {
			t.Errorf("%q", warnings)
		}
	}
}
