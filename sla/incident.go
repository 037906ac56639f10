package sla

import (
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// judgeIncidents says what the run's incidents do to its verdict:
//
//   - answers of another server are no evidence for this one: what would pass is
//     inconclusive, and the reasons say so;
//   - seconds in which the machine slept are tainted, and a target cannot fail for
//     them: what would fail is invalid, unless foreign content was answered;
//   - a step of the wall clock is a warning, for nothing is measured with it, and so
//     is what became of the target's sessions.
func (j *judge) judgeIncidents() {
	r := &j.result
	for _, i := range j.facts.Incidents {
		switch i.Kind {
		case measure.OtherTarget:
			if r.Verdict == Pass {
				r.Verdict = Inconclusive
			}
			r.Reasons = append(r.Reasons, i.What)
		case measure.Suspended:
			second := int(i.At / time.Second)
			if at, known := slices.BinarySearch(r.Generator.Tainted, second); !known {
				r.Generator.Tainted = slices.Insert(r.Generator.Tainted, at, second)
			}
			if r.Verdict == Fail && !j.grave() {
				r.Verdict = Invalid
				r.Generator.Reasons = append(r.Generator.Reasons, i.What)
				r.Reasons = append(reason.Reasons{i.What}, r.Reasons...)
			}
		case measure.ClockStep, measure.Sessions:
		}
		r.Warnings = append(r.Warnings, i.What)
	}
}
