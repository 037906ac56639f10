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

// An answer stands in where it came ten times, to three questions, and to two thirds
// of those that as many answers at random would have met: of six asked alike, all.
func TestWhereAnAnswerStandsIn(t *testing.T) {
	often := int64(1_000_000) // (5/6)ⁿ is none
	for _, c := range []struct {
		name      string
		asked     []int64
		n         int64
		questions []uint64
		want      bool
	}{
		{"nine times", []int64{10, 10, 10}, 9, []uint64{0b111}, false},
		{"ten times", []int64{10, 10, 10}, 10, []uint64{0b111}, true},
		{"to two of two", []int64{10, 10}, 10, []uint64{0b11}, false},
		{"to three, as bits of two words", []int64{10, 10, 10}, 10, []uint64{0b11, 1 << 63}, true},
		{"to two thirds", []int64{7, 7, 7, 7, 7, 7}, often, []uint64{0b1111}, true},
		{"to half", []int64{7, 7, 7, 7, 7, 7}, often, []uint64{0b111}, false},
		// Ten answers at random meet 5 · (1 − 0.8¹⁰) = 4.46 of five questions, two thirds are 2.98.
		{"to three of five", []int64{4, 4, 4, 4, 4}, 10, []uint64{0b111}, true},
		// Eleven meet 4.57, two thirds are 3.05.
		{"once more to three of five", []int64{4, 4, 4, 4, 4}, 11, []uint64{0b111}, false},
		{"to three that are hardly asked", []int64{1_000_000, 1, 1, 1, 1}, 10, []uint64{0b11100}, true},
	} {
		j := &judge{facts: &measure.Facts{Repeats: &measure.Repeats{Asked: c.asked, Answers: []measure.Repeated{{N: c.n, Questions: c.questions}}}}}
		if got := len(j.standIns()) == 1; got != c.want {
			t.Errorf("%s: stands in %v", c.name, got)
		}
	}
	if list := (&judge{facts: &measure.Facts{}}).standIns(); list != nil {
		t.Errorf("nothing told: %v", list)
	}
}

// Five of such answers are listed, each with its share of the answers.
func TestRepeatedAnswersListed(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 200, nil)
	r := &measure.Repeats{Asked: []int64{70, 70, 60}}
	for i := range 7 {
		r.Answers = append(r.Answers, measure.Repeated{Text: "嗯", N: int64(50 * (7 - i)), Questions: []uint64{7}})
	}
	b.facts.Repeats = r
	var told []string
	for _, w := range says(b.evaluate().Warnings) {
		if strings.Contains(w, "different questions") {
			told = append(told, w)
		}
	}
	if len(told) != 5 || !strings.Contains(told[0], "100 %") || !strings.Contains(told[3], "100 %") || !strings.Contains(told[4], "75 %") || !strings.Contains(told[4], "3 different questions") {
		t.Errorf("%d: %q", len(told), told)
	}
	if j := (&judge{s: b.s, facts: b.facts}); j.repeated() != 50*(1+2+3+4+5+6+7) {
		t.Errorf("%d repeated", j.repeated())
	}
}
