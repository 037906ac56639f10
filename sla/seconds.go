package sla

import (
	"bytes"
	"math"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// scaledBelow is how many judged seconds a budget of seconds is not scaled from.
const scaledBelow = 300

// second tells whether one second of a budget was good, or bad for fewer than 95 %
// of its turns were good. It is doubtful when one of fewer than 20 turns was bad
// beside good ones: one failure then makes less than 95 %, however good the target,
// and says no more than the share of answers does. It is unknown when no turn was
// judged in it and none was waited for.
//
// One more good turn never makes a second worse, one more bad turn never better.
func (j *judge) second(b, second int) state {
	t := j.at(b, second)
	switch {
	case !j.leftOut(second) && j.silent[second] || 20*t.bad > t.n && (t.bad > 1 || t.n == 1):
		return broken
	case 20*t.bad > t.n:
		return doubtful
	case t.n > 0:
		return holds
	}
	return unknown
}

// silences tells of each second of a plan whether turns were waited for all through
// it, in vain or longer than they should be, and nothing was answered since the last
// of these were sent. Without it users who wait, and so do not ask, would make an
// outage look like a time in which nobody wanted anything.
func silences(s *measure.Snapshot) []bool {
	silent := make([]bool, s.Plan.Seconds())
	patience := int(s.Plan.Patience / time.Second)
	lost := int64(0) // turns waited for in vain
	lostAt, lateAt, answered := none, none, none
	for second := range silent {
		var f measure.Flow
		if at := s.At(second); at != nil {
			f = at.Flow
		}
		if f.Answers > 0 {
			answered = second
		}
		lost -= int64(f.LostEnd)
		// Where all that was late has come, it was answered after the last of it was sent.
		silent[second] = lost > 0 && answered <= lostAt || lateAt != none && answered <= lateAt-patience
		lost += int64(f.Lost)
		if f.Lost > 0 {
			lostAt = second
		}
		if f.Late > 0 {
			lateAt = second
		}
	}
	return silent
}

// inStages tells whether a second lies in the stages of a budget, at least in part.
func (j *judge) inStages(b, second int) bool {
	from, to := time.Duration(second)*time.Second, time.Duration(second+1)*time.Second
	for i, s := range j.snap.Plan.Stages {
		if j.snap.Plan.Budgets[b].Stages&(1<<i) != 0 && s.Start < to && s.End > from {
			return true
		}
	}
	return false
}

// allowance is how many whole seconds of so many may be bad, and the next whole
// number above what is allowed, which differs where that is a fraction. Floating
// point adds something to (1 − target)·T.
func allowance(target float64, seconds int) (whole, above int) {
	allowed := (1 - target) * float64(seconds)
	return int(math.Floor(allowed + 1e-6)), int(math.Ceil(allowed - 1e-6))
}

// tallySeconds takes the census of a budget's seconds. Of a load that ended early
// they are those that it came to.
func (j *judge) tallySeconds(b int, target float64) (c Census) {
	c.Target = target
	states := bytes.Repeat([]byte{'-'}, j.snap.Plan.Seconds())
	ended := len(j.facts.Aborted)+len(j.facts.Interrupted) > 0 || j.s.Load.Conversations > 0
	for second := range j.snap.Plan.Seconds() {
		if !j.inStages(b, second) || ended && time.Duration(second)*time.Second >= j.snap.Elapsed {
			continue
		}
		c.Total++
		state := j.second(b, second)
		states[second] = "ugdb"[state]
		switch state {
		case broken:
			c.Bad++
		case doubtful:
			c.Doubtful++
		case unknown:
			c.Unknown++
		case holds:
		}
	}
	c.Budget, _ = allowance(target, c.Total)
	c.PerHour = (1 - target) * 3600
	c.Scaled = c.Total < scaledBelow
	c.States = string(states)
	return c
}

// census judges the share of good seconds. It counts them, so there is nothing to
// infer, but what nobody saw: as many as half must have been seen to be good, a
// pass is by the seconds that were seen, and a fail by all. Where the allowance is
// no whole number, the whole one above it decides nothing: in a run of 30 s one
// bad second is more than 1 %, and as little as there can be.
func (j *judge) census(r *Judged, o scenario.Objective) {
	r.Unit = "s"
	b, ok := j.budgets[o.Name]
	if !ok {
		j.notVerified(r, reason.New(reason.NotCounted))
		return
	}
	target := float64(o.Target)
	c := j.tallySeconds(b, target)
	r.Census = &c
	known := c.Total - c.Unknown
	_, most := allowance(target, c.Total)
	least, _ := allowance(target, known)
	r.Target = float64(c.Budget)
	r.N, r.Bad = int64(known), int64(c.Bad)
	r.Measured = float64(c.Bad)
	r.Lower, r.Upper = r.Measured, r.Measured
	good := known - c.Bad - c.Doubtful
	why := reason.SecondsUnknown
	switch {
	case known == 0:
		r.Verdict, r.Reason = Inconclusive, reason.Reasons{reason.New(reason.SecondsTooThin)}
		return
	case c.Bad > most:
		r.Verdict = Fail
	case known-good <= least && 2*good >= c.Total:
	case c.Bad > c.Budget:
		r.Verdict, why = Inconclusive, reason.SecondsBetween
	case known-good > least && c.Doubtful > 0:
		r.Verdict, why = Inconclusive, reason.SecondsDoubtful
	default:
		r.Verdict = Inconclusive
	}
	switch {
	case r.Verdict != Inconclusive && c.Scaled:
		hourly, _ := allowance(target, 3600)
		r.Reason = reason.Reasons{reason.New(reason.BadSecondsScaled, r.Verdict.Word(), c.Bad, r.N, c.Budget, hourly)}
	case r.Verdict != Inconclusive:
		r.Reason = reason.Reasons{reason.New(reason.BadSeconds, r.Verdict.Word(), c.Bad, r.N, c.Budget)}
	case why == reason.SecondsDoubtful:
		r.Reason = reason.Reasons{reason.New(why, c.Bad, r.N, c.Doubtful, c.Budget)}
	case why == reason.SecondsBetween:
		r.Reason = reason.Reasons{reason.New(why, c.Bad, r.N, unit.Share(1-target), oneAllowedFrom(target))}
	default:
		r.Reason = reason.Reasons{reason.New(why, c.Bad, r.N, c.Unknown, c.Total)}
	}
}

// oneAllowedFrom is from how many seconds on one of them may be bad.
func oneAllowedFrom(target float64) int { return int(math.Ceil(1/(1-target) - 1e-6)) }

// seconds sets the run's census, by the first objective of that kind that asks no
// more than an answer, else by the first; without one there is none. Outages are
// told of all the same.
func (j *judge) seconds() {
	name := ""
	var target float64
	plain := false
	for _, o := range j.objectives {
		anyTier := o.TierAtMost == "" || o.TierAtMost == scenario.TierStatic
		if o.Kind == scenario.KindSeconds && (name == "" || anyTier && !plain) {
			name, target, plain = o.Name, float64(o.Target), anyTier
		}
	}
	if b, ok := j.budgets[name]; ok {
		j.result.Seconds = j.tallySeconds(b, target).SecondsCount
	}
	if name == "" {
		name = judgedBudget
	}
	if b, ok := j.budgets[name]; ok {
		j.outages(b)
	}
}

// outages joins bad seconds of judged stages that follow one another.
func (j *judge) outages(b int) {
	list, next := &j.result.Outages, none // and the second after the last of them
	for second := range j.snap.Plan.Seconds() {
		if !j.inStages(b, second) || j.second(b, second) != broken {
			continue
		}
		if second != next {
			*list = append(*list, Outage{Start: time.Duration(second) * time.Second})
		}
		(*list)[len(*list)-1].Length += time.Second
		next = second + 1
	}
	for i := range *list {
		o := &(*list)[i]
		o.Cause = j.cause(int(o.Start/time.Second), int((o.Start+o.Length)/time.Second))
	}
}

// lateCause is the cause of an outage in which all was answered, but too late.
const lateCause = "late"

// cause is the most frequent outcome that was not an answer, of seconds in [first,
// end) and of the turns that were waited for at first; late answers where those were
// more. Where there was neither, answers were bad by their tier.
func (j *judge) cause(first, end int) string {
	for silent := j.silent[first]; silent; {
		first--
		at := j.snap.At(first)
		silent = at != nil && at.Flow.Lost == 0 && at.Flow.Late == 0
	}
	var seen [measure.Outcomes]uint64
	late := uint64(0)
	for i := range j.snap.Seconds {
		if second := j.snap.First + i; second >= first && second < end {
			s := &j.snap.Seconds[i]
			late += uint64(s.Flow.Late)
			for o, n := range s.Outcomes {
				seen[o] += uint64(n)
			}
		}
	}
	worst := measure.DroppedGenerator
	for o := range measure.DroppedGenerator {
		if !measure.Answered.Has(o) && !measure.ToRefuse.Has(o) && seen[o] > 0 && (worst == measure.DroppedGenerator || seen[o] > seen[worst]) {
			worst = o
		}
	}
	switch {
	case worst == measure.DroppedGenerator && late == 0:
		return measure.Degraded.String()
	case worst == measure.DroppedGenerator || late > seen[worst]:
		return lateCause
	}
	return worst.String()
}
