package sla

import (
	"math"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

const (
	// sliceTurns is how many turns a slice must have to be called good or bad.
	sliceTurns = 20
	// scaledBelow is how many judged seconds a budget of seconds is not scaled from.
	scaledBelow = 300
)

// slice is one or more seconds with at least sliceTurns turns between them.
type slice struct {
	tally
	first, last int
	seconds     int // seconds with turns
}

// bad is fewer than 95 % good, in integers.
func (s slice) bad() bool { return 20*s.tally.bad > s.n }

// timeSlices makes slices of a budget's seconds: small ones merge forward, the last one
// backward. Seconds without turns are unknown and in no slice's count.
func (j *judge) timeSlices(b int, skip func(second int) bool) []slice {
	var list []slice
	var open slice
	for second := range j.snap.Plan.Seconds() {
		t := j.at(b, second)
		if t.n == 0 || skip != nil && skip(second) {
			continue
		}
		if open.seconds == 0 {
			open.first = second
		}
		open.n += t.n
		open.tally.bad += t.bad
		open.last = second
		open.seconds++
		if open.n >= sliceTurns {
			list = append(list, open)
			open = slice{}
		}
	}
	if open.seconds > 0 && len(list) > 0 {
		last := &list[len(list)-1]
		last.n += open.n
		last.tally.bad += open.tally.bad
		last.last = open.last
		last.seconds += open.seconds
	}
	return list
}

// judgedSeconds is how many seconds lie in the stages of a budget, at least in part.
func (j *judge) judgedSeconds(b int) (n int) {
	plan := j.snap.Plan
	for second := range plan.Seconds() {
		from, to := time.Duration(second)*time.Second, time.Duration(second+1)*time.Second
		for i, s := range plan.Stages {
			if plan.Budgets[b].Stages&(1<<i) != 0 && s.Start < to && s.End > from {
				n++
				break
			}
		}
	}
	return n
}

// allowance is how many of so many seconds may be bad: rounded up to a whole
// second, after what floating point adds to (1 − target)·T.
func allowance(target float64, seconds int) int {
	return int(math.Ceil((1-target)*float64(seconds) - 1e-6))
}

// tallySeconds takes the census of a budget's seconds.
func (j *judge) tallySeconds(b int, target float64, skip func(second int) bool) (SecondsCount, []slice) {
	list := j.timeSlices(b, skip)
	c := SecondsCount{Total: j.judgedSeconds(b)}
	known := 0
	for _, s := range list {
		known += s.seconds
		if s.bad() {
			c.Bad += s.seconds
		}
	}
	c.Unknown = max(c.Total-known, 0)
	c.Budget = allowance(target, c.Total)
	c.Scaled = c.Total < scaledBelow
	return c, list
}

// census judges the share of good seconds. It counts all of them, so there is
// nothing to infer.
func (j *judge) census(r *Judged, o scenario.Objective, skip func(second int) bool) {
	r.Unit = "s"
	b, ok := j.budgets[o.Name]
	if !ok {
		j.notVerified(r, reason.New(reason.NotCounted))
		return
	}
	c, _ := j.tallySeconds(b, float64(o.Target), skip)
	r.Target = float64(c.Budget)
	r.N, r.Bad = int64(c.Total-c.Unknown), int64(c.Bad)
	r.Measured = float64(c.Bad)
	r.Lower, r.Upper = r.Measured, r.Measured
	if r.N == 0 {
		r.Verdict, r.Reason = Inconclusive, reason.Reasons{reason.New(reason.SecondsTooThin)}
		return
	}
	if c.Bad > c.Budget {
		r.Verdict = Fail
	}
	why := reason.New(reason.BadSeconds, r.Verdict.Word(), c.Bad, r.N, c.Budget)
	if c.Scaled {
		why = reason.New(reason.BadSecondsScaled, r.Verdict.Word(), c.Bad, r.N, c.Budget, allowance(float64(o.Target), 3600))
	}
	r.Reason = reason.Reasons{why}
}

// seconds sets the run's census and its outages, by the first objective of that
// kind, else by the first that asks for availability.
func (j *judge) seconds() {
	name, target := judgedBudget, 0.0
	for _, o := range j.objectives {
		if o.Kind == scenario.KindSeconds {
			name, target = o.Name, float64(o.Target)
			break
		}
		if o.Kind == scenario.KindAvailability && target == 0 {
			target = float64(o.Target)
		}
	}
	b, ok := j.budgets[name]
	if !ok {
		return
	}
	if target <= 0 {
		target = 0.99
	}
	var list []slice
	j.result.Seconds, list = j.tallySeconds(b, target, nil)
	j.outages(list)
}

// outages joins bad slices that follow one another.
func (j *judge) outages(list []slice) {
	for i := 0; i < len(list); i++ {
		if !list[i].bad() {
			continue
		}
		first := i
		for i+1 < len(list) && list[i+1].bad() {
			i++
		}
		j.result.Outages = append(j.result.Outages, Outage{
			Start:  time.Duration(list[first].first) * time.Second,
			Length: time.Duration(list[i].last-list[first].first+1) * time.Second,
			Cause:  j.cause(list[first].first, list[i].last),
		})
	}
}

// cause is the most frequent outcome that was not an answer, from first to last,
// or "degraded" where there was none and answers were bad by their tier.
func (j *judge) cause(first, last int) string {
	var seen [measure.Outcomes]uint64
	for second := first; second <= last; second++ {
		if s := j.snap.At(second); s != nil {
			for o, n := range s.Outcomes {
				seen[o] += uint64(n)
			}
		}
	}
	worst := measure.DroppedGenerator
	for o := range measure.DroppedGenerator {
		if !measure.Answered.Has(o) && seen[o] > 0 && (worst == measure.DroppedGenerator || seen[o] > seen[worst]) {
			worst = o
		}
	}
	if worst == measure.DroppedGenerator {
		worst = measure.Degraded
	}
	return worst.String()
}
