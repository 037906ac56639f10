package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// An answer that many different questions got is told, and full quality stands
// only where it would without it, until the scenario says which lines are canned.
func TestAnswersThatManyQuestionsGot(t *testing.T) {
	evenly := func(questions int, each int64) (asked []int64) {
		for range questions {
			asked = append(asked, each)
		}
		return asked
	}
	first := func(n int) []uint64 { return []uint64{1<<n - 1, 0} }
	for name, c := range map[string]struct {
		asked   []int64
		answer  measure.Repeated
		own     []string
		want    Verdict
		silent  bool
		reasons bool
	}{
		"a third, to all":                {evenly(6, 50), measure.Repeated{N: 100, Questions: first(6)}, nil, NotVerified, false, true},
		"a third, to all, by other name": {evenly(6, 50), measure.Repeated{N: 100, Questions: first(6)}, []string{"^busy$"}, Pass, false, false},
		"a third, to all, none canned":   {evenly(6, 50), measure.Repeated{N: 100, Questions: first(6)}, []string{}, Pass, false, false},
		"all of three":                   {evenly(3, 100), measure.Repeated{N: 300, Questions: first(3)}, nil, NotVerified, false, true},
		"few, which nothing hangs on":    {evenly(30, 10), measure.Repeated{N: 10, Questions: first(9)}, nil, Pass, false, true},
		"the greeting":                   {evenly(6, 50), measure.Repeated{N: 50, Questions: first(1)}, nil, Pass, true, false},
		"both of two questions":          {evenly(2, 150), measure.Repeated{N: 300, Questions: first(2)}, nil, Pass, true, false},
		"thanks, in a third of turns":    {evenly(9, 33), measure.Repeated{N: 99, Questions: first(3)}, nil, Pass, true, false},
		"half of the questions, a FAQ":   {evenly(20, 15), measure.Repeated{N: 150, Questions: first(10)}, nil, Pass, true, false},
		"nine times":                     {evenly(9, 33), measure.Repeated{N: 9, Questions: first(9)}, nil, Pass, true, false},
		"the mock's own":                 {evenly(6, 50), measure.Repeated{N: 100, Questions: first(6), Exempt: true}, nil, Pass, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := benchOf(t, &scenario.Scenario{SLA: scenario.SLA{FullQuality: 0.9, Availability: 0.9, Gate: scenario.GateMeasured}, Checks: scenario.Checks{Canned: c.own}}, judged(10*time.Second))
			b.turns(2, 300, nil)
			c.answer.Text = "这边为您记录了"
			b.facts.Repeats = &measure.Repeats{Asked: c.asked, Answers: []measure.Repeated{c.answer}}
			r := b.evaluate()
			o := find(t, r, "full-quality")
			if o.Verdict != c.want || strings.Contains(o.Reason.String(), "checks.canned") != c.reasons {
				t.Errorf("%v: %s; want %v", o.Verdict, o.Reason, c.want)
			}
			told := slices.ContainsFunc(says(r.Warnings), func(w string) bool {
				return strings.Contains(w, "different questions") && strings.Contains(w, c.answer.Text)
			})
			if told == c.silent {
				t.Errorf("warnings %q", says(r.Warnings))
			}
			if a := find(t, r, "availability"); a.Verdict != Pass {
				t.Errorf("availability is %v", a.Verdict)
			}
		})
	}
}
