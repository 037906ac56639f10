package sla

import (
	"math"
	"math/bits"
	"slices"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// An answer stands in for others when it came at least so often, to so many
// different questions, and to this share of those that as many answers at random
// would have met: thanks are answered alike, and so may be all that is asked of one
// thing, but not most of what is asked at all.
const (
	repeatTimes     = 10
	repeatQuestions = 3
	repeatSpread    = 2.0 / 3
)

// standIns are the answers that many different questions got.
func (j *judge) standIns() (list []measure.Repeated) {
	r := j.facts.Repeats
	if r == nil {
		return nil
	}
	total := int64(0)
	for _, n := range r.Asked {
		total += n
	}
	for _, a := range r.Answers {
		if a.Exempt || a.N < repeatTimes {
			continue
		}
		questions, expected := spread(a.Questions), 0.0
		for _, n := range r.Asked {
			expected += 1 - math.Pow(1-float64(n)/float64(total), float64(a.N))
		}
		if questions >= repeatQuestions && float64(questions) >= repeatSpread*expected {
			list = append(list, a)
		}
	}
	return list
}

// spread is how many questions the bits stand for.
func spread(questions []uint64) (n int) {
	for _, w := range questions {
		n += bits.OnesCount64(w)
	}
	return n
}

// cannedIsOpen tells whether the scenario leaves open which lines stand in for an
// answer: it has no patterns of its own.
func (j *judge) cannedIsOpen() bool {
	return j.s.Checks.Canned == nil || slices.Equal(j.s.Checks.Canned, scenario.CannedLines())
}

// repeated is how many answers of the run may be no answers, for all that is known.
func (j *judge) repeated() (n int64) {
	if !j.cannedIsOpen() {
		return 0
	}
	for _, a := range j.standIns() {
		n += a.N
	}
	return n
}

// warnRepeats lists the answers that many questions got.
func (j *judge) warnRepeats(warn func(code reason.Code, args ...any)) {
	const mostListed = 5
	answered := float64(j.snap.Answered())
	for i, a := range j.standIns() {
		if i == mostListed {
			return
		}
		warn(reason.AnswerRepeated, spread(a.Questions), unit.Share(min(float64(a.N)/answered, 1)), a.Text)
	}
}
