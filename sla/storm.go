package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// How recovery is read from seconds: the trailing share over window seconds has to
// hold for hold seconds and holdTurns good turns. One bad turn in a window says
// nothing of it, and fewer than brokenLeast do not refute a recovery: of ten turns one
// is more than 1 %, and as little as there can be.
//
// Windows are as long however many turns there are, and what takes evidence counts
// good turns where it is in favour of the target and bad ones where it is against it.
// So a good turn more never makes a recovery later, nor a bad one earlier.
const (
	window      = 5
	hold        = 10
	holdTurns   = 50
	brokenLeast = 3
	// sparing is the LLM calls per turn, of those before the storm, at which the
	// server has noticed it.
	sparing = 0.2
)

// state is what a window of seconds says.
type state uint8

const (
	unknown state = iota
	holds
	doubtful // of seconds only
	broken
)

// trailing tells whether at least target of the turns of a budget were good in
// the window that ends with a second and begins no earlier than from.
func (j *judge) trailing(b, second, from int, target float64) state {
	var t tally
	for i := max(second-window+1, from); i <= second; i++ {
		t = t.plus(j.at(b, i))
	}
	switch most := max((1-target)*float64(t.n)+1e-9, 1); {
	case float64(t.bad) <= most && t.bad < t.n:
		return holds
	case t.bad >= brokenLeast:
		return broken
	}
	return unknown
}

func (t tally) plus(o tally) tally { return tally{t.n + o.n, t.bad + o.bad} }

// recovered is how a quantity came back after a storm.
type recovered struct {
	after   *time.Duration // nil: not seen
	refuted time.Duration  // no recovery was possible before this time after the end
	hidden  string         // the storm that raged on when this one ended
}

// recoveryAfter finds the smallest time after the end of a storm from which the
// trailing share holds: 0 where it does from the first second after it. Turns
// intended in the storm are not in the window. The search ends where another
// storm begins, and is none where another goes on.
func (j *judge) recoveryAfter(storm measure.Storm, budget string, target float64) (r recovered) {
	b, ok := j.budgets[budget]
	if !ok {
		return r
	}
	from := wholeSecond(edge(storm.End))
	end := j.snap.Plan.Seconds()
	for _, other := range j.storms {
		switch {
		case other == storm:
		case edge(other.Start) < edge(storm.End) && edge(other.End) > edge(storm.End):
			r.hidden = other.Name
			return r
		case edge(other.Start) >= edge(storm.End):
			end = min(end, int(edge(other.Start)/time.Second))
		}
	}
	open := from      // the first second that recovery may have begun in
	began := none     // the first second in a row that holds
	good := uint64(0) // turns since began
	for second := from; second < end; second++ {
		now := j.at(b, second)
		switch j.trailing(b, second, from, target) {
		case holds:
			if began == none {
				began, good = second, 0
			}
			good += now.n - now.bad
		case broken:
			began = none
			if open > second-hold {
				// What began since then did not last, nor did anything before.
				open = second + 1
				r.refuted = time.Duration(open)*time.Second - storm.End
			}
		case unknown, doubtful:
			began = none
		}
		if began != none && second-began+1 >= hold && good >= holdTurns {
			after := time.Duration(0)
			if began > from {
				after = time.Duration(began)*time.Second - storm.End
			}
			r.after = &after
			return r
		}
	}
	return r
}

// none is no second.
const none = -1

// excused are the stretches that `recovery` judges in the place of full quality:
// each storm that it is asked for, and then the time until recovery was measured,
// or all that is allowed where none was. What comes after a recovery is judged,
// or a relapse within the time allowed would be judged by nobody.
func (j *judge) excused() (list []Span) {
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
			list = append(list, Span{edge(s.Start), edge(s.End) + until})
		}
	}
	return list
}

// touches tells whether any part of a second lies in one of the spans.
func touches(list []Span, second int) bool {
	from := time.Duration(second) * time.Second
	for _, s := range list {
		if from+time.Second > s.Start && from < s.End {
			return true
		}
	}
	return false
}

// IsExcused tells whether recovery judges a second in the place of full quality.
func (r *Result) IsExcused(second int) bool { return touches(r.Excused, second) }

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

// detect is from the storm's start to when the server was seen to have noticed it:
// the first second in which it answered its turns with few LLM calls, measured by
// those per turn before the storm; or without a mock that tells, the end of the
// last second under 95 % answered. Nil when that did not come, when it cannot be
// told from what was before, and when turns failed to the storm's end.
func (j *judge) detect(s measure.Storm) *time.Duration {
	b, ok := j.budgets[answeredBudget]
	if !ok {
		return nil
	}
	first, end := int(edge(s.Start)/time.Second), wholeSecond(edge(s.End))
	if j.facts.LLMKnown {
		calls := j.calls()
		usual, known := j.callsPerTurnOf(calls, j.before(s))
		if !known || usual == 0 {
			return nil
		}
		for second := first; second < end; second++ {
			turns, t := j.turnsAt(second), j.at(b, second)
			if turns == 0 || 20*t.bad > t.n {
				continue
			}
			if float64(calls[second].Calls) <= sparing*usual*float64(turns) {
				d := max(time.Duration(second)*time.Second-s.Start, 0)
				return &d
			}
		}
		return nil
	}
	var before tally
	for _, second := range j.before(s) {
		before = before.plus(j.at(b, second))
	}
	if 20*before.bad > before.n {
		return nil
	}
	d := time.Duration(0)
	lastBad, last := none, none
	for second := first; second < end; second++ {
		t := j.at(b, second)
		if t.n > 0 {
			last = second
		}
		if 20*t.bad > t.n {
			lastBad = second
			d = time.Duration(second+1)*time.Second - s.Start
		}
	}
	if last == none || lastBad == last {
		return nil
	}
	return &d
}

// before are the last seconds before a storm, as many as recovery has to hold, in
// which no other one was.
func (j *judge) before(s measure.Storm) (list []int) {
	first := int(edge(s.Start) / time.Second)
	for second := max(first-hold, 0); second < first; second++ {
		if !j.stormy(second, s) {
			list = append(list, second)
		}
	}
	return list
}

// stormy tells whether a part of a second lies in a storm other than s.
func (j *judge) stormy(second int, s measure.Storm) bool {
	for _, other := range j.storms {
		if other != s && touches([]Span{{edge(other.Start), edge(other.End)}}, second) {
			return true
		}
	}
	return false
}

func (j *judge) calls() map[int]measure.CallSecond {
	calls := make(map[int]measure.CallSecond, len(j.facts.Calls))
	for _, c := range j.facts.Calls {
		calls[c.Second] = c
	}
	return calls
}

// callsInside is the LLM calls for users' turns per turn, over the seconds that lie
// in a storm whole, or of a short one in part. Probes and backflow are the server's
// own and not among them.
func (j *judge) callsInside(s measure.Storm) (float64, bool) {
	if !j.facts.LLMKnown {
		return 0, false
	}
	first, end := wholeSecond(edge(s.Start)), int(edge(s.End)/time.Second)
	if first >= end {
		first, end = int(edge(s.Start)/time.Second), wholeSecond(edge(s.End))
	}
	var inside []int
	for second := first; second < end; second++ {
		inside = append(inside, second)
	}
	return j.callsPerTurnOf(j.calls(), inside)
}

// turnsAt is how many turns a second had, of every kind; 0 of one that nobody saw.
func (j *judge) turnsAt(second int) int64 {
	if at := j.snap.At(second); at != nil {
		return at.Turns()
	}
	return 0
}

// callsPerTurnOf is the LLM calls per turn of some seconds; false when they had no turns.
func (j *judge) callsPerTurnOf(calls map[int]measure.CallSecond, list []int) (float64, bool) {
	var n, turns int64
	for _, second := range list {
		n += calls[second].Calls
		turns += j.turnsAt(second)
	}
	if turns == 0 {
		return 0, false
	}
	return float64(n) / float64(turns), true
}

// metastable tells whether goodput stayed under 95 % after a storm although the
// arrival rate was the one of the storm's start: in no trailing window it held, and
// in at least hold of them, after the time that recovery has, it was seen not to.
// Other storms and what is before their end tell nothing of this one.
func (j *judge) metastable(s measure.Storm) bool {
	b, ok := j.budgets[goodputBudget]
	if !ok {
		return false
	}
	after, before := wholeSecond(edge(s.End)), int(edge(s.Start)/time.Second)
	allowed := hold
	for _, o := range j.objectives { // the short form's are among them
		if o.Kind == scenario.KindRecoveryLatency && o.After == s.Name {
			allowed = max(allowed, wholeSecond(o.Limit.D()))
		}
	}
	rate := j.starts(before-window, before)
	seen := 0
	from := after
	for second := after; second < j.snap.Plan.Seconds() && j.snap.At(second) != nil; second++ {
		if j.stormy(second, s) {
			from = second + 1 // and this window is empty, which says nothing
		}
		now := j.starts(second-window+1, second+1)
		if j.s.Load.Open() && now < 0.9*rate {
			continue
		}
		switch j.trailing(b, second, from, goodShare) {
		case holds:
			return false
		case broken:
			if second >= after+allowed && (!j.s.Load.Open() || now <= 1.1*rate) {
				seen++
			}
		case unknown, doubtful:
		}
	}
	return seen >= hold
}

// starts is the conversations begun or refused in [first, end), a second; 0 where
// that is no time.
func (j *judge) starts(first, end int) float64 {
	first = max(first, 0)
	var n uint64
	for second := first; second < end; second++ {
		if s := j.snap.At(second); s != nil {
			n += uint64(s.Starts) + uint64(s.Outcomes[measure.DroppedTarget])
		}
	}
	return float64(n) / float64(max(end-first, 1))
}

// recovery judges how long after each storm of a name things stayed bad.
func (j *judge) recovery(r *Judged, o scenario.Objective) {
	r.Unit, r.Target = "s", o.Limit.D().Seconds()
	budget, target := goodputBudget, tightest(j.objectives).target
	if o.Kind == scenario.KindRecoveryQuality {
		budget, target = qualityBudget, j.qualityTarget()
		if code, never := j.qualityNeverTold(); never {
			j.notVerified(r, reason.New(code))
			return
		}
	}
	found := false
	for _, s := range j.storms {
		if s.Name != o.After {
			continue
		}
		found = true
		r.N++
		came := j.recoveryAfter(s, budget, target)
		back := Comeback{End: s.End, Took: came.after, Refuted: came.refuted, Told: true}
		verdict, took := Inconclusive, came.refuted
		switch {
		case came.after != nil && *came.after <= o.Limit.D():
			verdict, took = Pass, *came.after
			if o.Kind == scenario.KindRecoveryQuality && !j.toldRecovery(s, took, target) {
				verdict, back.Told = NotVerified, false
			}
		case came.refuted > o.Limit.D():
			verdict = Fail
			if came.after != nil {
				took = *came.after
			}
		}
		r.Comebacks = append(r.Comebacks, back)
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
	case v == NotVerified:
		return reason.New(reason.RecoveryUntold, o.After)
	case v == Inconclusive && came.hidden != "":
		return reason.New(reason.RecoveryHidden, came.hidden, o.After)
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
