package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// How recovery is read from seconds: a trailing share over window seconds with
// at least windowTurns turns has to hold for hold seconds.
const (
	window      = 5
	windowTurns = 50
	hold        = 10
	// sparing is the LLM calls per turn at which the server has noticed a storm.
	sparing = 0.2
)

// state is what a window of seconds says.
type state uint8

const (
	unknown state = iota
	holds
	broken
)

// trailing tells whether at least target of the turns of a budget were good in
// the window that ends with a second and does not begin before from.
func (j *judge) trailing(b, second, from int, target float64) state {
	var t tally
	for i := max(second-window+1, from); i <= second; i++ {
		t = t.plus(j.at(b, i))
	}
	switch {
	case t.n < windowTurns:
		return unknown
	case float64(t.bad) <= (1-target)*float64(t.n)+1e-9:
		return holds
	}
	return broken
}

func (t tally) plus(o tally) tally { return tally{t.n + o.n, t.bad + o.bad} }

// recovered is how a quantity came back after a storm.
type recovered struct {
	after   *time.Duration // nil: not seen
	refuted time.Duration  // no recovery was possible before this time after the end
}

// recoveryAfter finds the smallest time after the end of a storm from which the
// trailing share holds. Turns intended in the storm are not in the window, and
// the search ends where the next storm begins.
func (j *judge) recoveryAfter(storm measure.Storm, budget string, target float64) (r recovered) {
	b, ok := j.budgets[budget]
	if !ok {
		return r
	}
	from := wholeSecond(edge(storm.End))
	end := j.snap.Plan.Seconds()
	for _, next := range j.storms {
		if next.Start >= storm.End && next.Start > storm.Start {
			end = min(end, int(next.Start/time.Second))
		}
	}
	open := from // the first second that recovery may have begun in
	run := 0     // seconds in a row that hold, up to the one looked at
	for second := from; second < end; second++ {
		switch j.trailing(b, second, from, target) {
		case holds:
			run++
		case broken:
			run = 0
			if open > second-hold {
				// What began in the last seconds did not last, nor did anything before.
				open = second + 1
				r.refuted = time.Duration(open)*time.Second - storm.End
			}
		default:
			run = 0
		}
		if run == hold {
			after := max(time.Duration(second-hold+1)*time.Second-storm.End, 0)
			r.after = &after
			return r
		}
	}
	return r
}

// excused are the stretches that `recovery` judges in the place of full quality:
// each storm that it is asked for, and then the time until recovery was measured,
// or all that is allowed where none was. What comes after a recovery is judged,
// or a relapse within the time allowed would be judged by nobody.
func (j *judge) excused() (list []span) {
	for _, o := range j.objectives {
		if o.Kind != scenario.KindRecoveryQuality {
			continue
		}
		for _, s := range j.storms {
			if s.Name != o.After {
				continue
			}
			until := o.Limit.D()
			if came := j.recoveryAfter(s, qualityBudget, j.qualityTarget()); came.after != nil {
				until = min(until, *came.after)
			}
			list = append(list, span{edge(s.Start), edge(s.End) + until})
		}
	}
	return list
}

// span is a stretch of the load, [start, end).
type span struct{ start, end time.Duration }

// touches tells whether any part of a second lies in one of the spans.
func touches(list []span, second int) bool {
	from := time.Duration(second) * time.Second
	for _, s := range list {
		if from+time.Second > s.start && from < s.end {
			return true
		}
	}
	return false
}

// edge is where a storm begins or ends, to the millisecond: one that ends 0.2 ms
// into a second does not own it.
func edge(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// judgeStorms sets what each storm did.
func (j *judge) judgeStorms() {
	tight, quality := tightest(j.objectives), j.qualityTarget()
	for _, s := range j.storms {
		if s.Start > j.snap.Elapsed {
			continue
		}
		r := StormResult{Name: s.Name, Start: s.Start, End: s.End}
		r.Detect = j.detect(s)
		r.Latency = j.recoveryAfter(s, goodputBudget, tight.target).after
		r.Quality = j.recoveryAfter(s, qualityBudget, quality).after
		r.CallsPerTurn, r.CallsKnown = j.callsInside(s)
		r.Metastable = j.metastable(s)
		j.result.Storms = append(j.result.Storms, r)
	}
}

// qualityTarget is the share of full quality that recovery means.
func (j *judge) qualityTarget() float64 {
	for _, o := range j.objectives {
		if o.Kind == scenario.KindFullQuality && o.Target > 0 {
			return float64(o.Target)
		}
	}
	return goodShare
}

// detect is from the storm's start to the first second of few LLM calls per
// turn, or without a mock that tells to the end of the last second under 95 %
// answered. Nil when that did not come.
func (j *judge) detect(s measure.Storm) *time.Duration {
	first, last := int(s.Start/time.Second), wholeSecond(s.End)
	if j.facts.LLMKnown {
		calls := j.calls()
		for second := first; second < last; second++ {
			turns := int64(0)
			if at := j.snap.At(second); at != nil {
				turns = at.Turns()
			}
			if turns > 0 && float64(calls[second].Calls) <= sparing*float64(turns) {
				d := max(time.Duration(second)*time.Second-s.Start, 0)
				return &d
			}
		}
		return nil
	}
	b, ok := j.budgets[answeredBudget]
	if !ok {
		return nil
	}
	var d time.Duration
	seen := false
	for second := first; second < last; second++ {
		t := j.at(b, second)
		seen = seen || t.n > 0
		if 20*t.bad > t.n {
			d = time.Duration(second+1)*time.Second - s.Start
		}
	}
	if !seen {
		return nil
	}
	return &d
}

func (j *judge) calls() map[int]measure.CallSecond {
	calls := make(map[int]measure.CallSecond, len(j.facts.Calls))
	for _, c := range j.facts.Calls {
		calls[c.Second] = c
	}
	return calls
}

// callsInside is the LLM calls for users' turns per turn, over the seconds of a
// storm. Probes and backflow are the server's own and not among them.
func (j *judge) callsInside(s measure.Storm) (float64, bool) {
	if !j.facts.LLMKnown {
		return 0, false
	}
	calls := j.calls()
	var n, turns int64
	for second := int(s.Start / time.Second); second < wholeSecond(s.End); second++ {
		n += calls[second].Calls
		if at := j.snap.At(second); at != nil {
			turns += at.Turns()
		}
	}
	if turns == 0 {
		return 0, false
	}
	return float64(n) / float64(turns), true
}

// metastable tells whether goodput stayed under 95 % after a storm although the
// arrival rate was the one of the storm's start: in every trailing window with
// enough turns, and in at least hold of them after the time that recovery has.
func (j *judge) metastable(s measure.Storm) bool {
	b, ok := j.budgets[goodputBudget]
	if !ok {
		return false
	}
	from, before := wholeSecond(s.End), int(s.Start/time.Second)
	allowed := hold
	for _, o := range j.objectives { // the short form's are among them
		if o.Kind == scenario.KindRecoveryLatency && o.After == s.Name {
			allowed = max(allowed, wholeSecond(o.Limit.D()))
		}
	}
	rate := j.starts(before-window, before)
	seen := 0
	for second := from; second < j.snap.Plan.Seconds() && j.snap.At(second) != nil; second++ {
		now := j.starts(second-window+1, second+1)
		if j.s.Load.Open() && now < 0.9*rate {
			continue
		}
		switch j.trailing(b, second, from, goodShare) {
		case holds:
			return false
		case broken:
			if second >= from+allowed && (!j.s.Load.Open() || now <= 1.1*rate) {
				seen++
			}
		}
	}
	return seen >= hold
}

// starts is the conversations begun or refused in [first, end), a second.
func (j *judge) starts(first, end int) float64 {
	first = max(first, 0)
	if end <= first {
		return 0
	}
	var n uint64
	for second := first; second < end; second++ {
		if s := j.snap.At(second); s != nil {
			n += uint64(s.Starts) + uint64(s.Outcomes[measure.DroppedTarget])
		}
	}
	return float64(n) / float64(end-first)
}

// recovery judges how long after each storm of a name things stayed bad.
func (j *judge) recovery(r *Judged, o scenario.Objective) {
	r.Unit, r.Target = "s", o.Limit.D().Seconds()
	budget, target := goodputBudget, tightest(j.objectives).target
	if o.Kind == scenario.KindRecoveryQuality {
		budget, target = qualityBudget, j.qualityTarget()
	}
	found := false
	for _, s := range j.storms {
		if s.Name != o.After {
			continue
		}
		found = true
		r.N++
		came := j.recoveryAfter(s, budget, target)
		verdict, took := Inconclusive, came.refuted
		switch {
		case came.after != nil && *came.after <= o.Limit.D():
			verdict, took = Pass, *came.after
		case came.refuted > o.Limit.D():
			verdict = Fail
			if came.after != nil {
				took = *came.after
			}
		}
		if verdict != Pass {
			r.Bad++
		}
		if r.N == 1 || verdict > r.Verdict || verdict == r.Verdict && took.Seconds() > r.Measured {
			r.Verdict, r.Measured = verdict, took.Seconds()
			r.Reason = reason.Reasons{recoveryReason(verdict, came, took, o)}
		}
	}
	r.Lower, r.Upper = r.Measured, r.Measured
	if !found {
		j.notVerified(r, reason.New(reason.StormDidNotHappen, o.After))
	}
}

func recoveryReason(v Verdict, came recovered, took time.Duration, o scenario.Objective) reason.Reason {
	switch {
	case v == Inconclusive:
		return reason.New(reason.RecoveryUnseen, o.After, hold*time.Second)
	case came.after == nil:
		return reason.New(reason.NotRecovered, v.Word(), took, o.After, o.Limit.D())
	}
	code := reason.Recovered
	if v == Fail {
		code = reason.RecoveredLate
	}
	return reason.New(code, v.Word(), took, o.After, o.Limit.D())
}
