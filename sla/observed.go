package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// seenLeast is the share of the judged seconds so far that must have been seen.
const seenLeast = 0.5

// observed judges a figure of somebody's system, a second each: those in which it was
// seen are a census, from which nothing is inferred.
func (j *judge) observed(r *Judged, o scenario.Objective) {
	if r.Target == 0 {
		r.Target = 1
	}
	figure := j.facts.ObservedAs(o.Observe)
	seconds := 0
	for _, st := range j.judgedStages(o.Stages) {
		until := min(st.End, j.snap.Elapsed)
		for at := wholeSecond(st.Start); time.Duration(at+1)*time.Second <= until; at++ {
			seconds++
			v, seen := figure.At(at)
			if !seen {
				continue
			}
			r.N++
			if o.Max > 0 && v > o.Max || o.Min != 0 && v < o.Min {
				r.Bad++
			}
		}
	}
	if r.N == 0 || float64(r.N) < seenLeast*float64(seconds) {
		j.notVerified(r, reason.New(reason.NotObserved, o.Observe, r.N, seconds))
		return
	}
	r.Measured = 1 - float64(r.Bad)/float64(r.N)
	r.Lower, r.Upper = r.Measured, r.Measured
	if !met(r) {
		r.Verdict = Fail
	}
	r.Reason = reason.Reasons{reason.New(reason.Observed, r.Verdict.Word(), o.Observe, r.Bad, r.N)}
}

// judgedStages are those named, or all that are judged.
func (j *judge) judgedStages(names []string) (list []measure.Stage) {
	mask := stageMask(j.snap.Plan.Stages, names)
	for i, st := range j.snap.Plan.Stages {
		if st.Judged && (len(names) == 0 || mask&(1<<i) != 0) {
			list = append(list, st)
		}
	}
	return list
}
