package sla

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// goodShare is the share of good turns below which a second is bad and goodput
// has not returned.
const goodShare = 0.95

// Little's law is off when it is by more than this share, and told of where there
// are as many turns in flight on average: with fewer, how they fall within the
// seconds makes a difference.
const (
	littlesLawOff   = 0.05
	littlesLawLeast = 1
)

// judge is one evaluation.
type judge struct {
	s          *scenario.Scenario
	snap       *measure.Snapshot
	facts      *measure.Facts
	objectives []scenario.Objective
	budgets    map[string]int
	confidence float64
	deff       float64 // of dialogs, see deffOf
	users      float64 // that a closed load is worth; 0 in an open one
	measured   bool    // the gate is what was measured, not what can be inferred
	storms     []measure.Storm
	silent     []bool // by second, see silences
	strained   []bool // seconds that are left out, see without; nil is none
	result     Result
}

// Evaluate judges a run, or a run so far. It is a pure function of its
// arguments, changes none of them, and cheap enough to be called every second.
// The snapshot must have been recorded with the budgets that Budgets compiles
// from the scenario. Nil facts are none.
func Evaluate(s *scenario.Scenario, snap *measure.Snapshot, facts *measure.Facts) Result {
	if facts == nil {
		facts = &measure.Facts{}
	}
	j := &judge{
		s: s, snap: snap, facts: facts, objectives: s.Objectives(), budgets: map[string]int{},
		confidence: float64(s.SLA.Confidence), deff: s.TurnsTogether(), users: s.UsersTold(), measured: s.SLA.Gate == scenario.GateMeasured,
	}
	if j.confidence <= 0 || j.confidence >= 1 {
		j.confidence = 0.95
	}
	for i, b := range snap.Plan.Budgets {
		j.budgets[b.Name] = i
	}
	j.storms, j.silent = stormsOf(s, snap.Plan, facts), silences(snap)
	j.result.DEFF = j.deffOf(float64(snap.Turns()), j.deff)
	j.judgeStorms()
	j.result.Client = j.clientFindings()
	for _, o := range j.objectives {
		j.result.Objectives = append(j.result.Objectives, j.objective(o))
	}
	answered, _ := j.total(judgedBudget, nil)
	j.result.Answered = Counted{int64(answered.n), int64(answered.bad)}
	j.result.Excused = j.excused()
	j.seconds()
	j.generator()
	j.littlesLaw()
	j.conclude()
	j.judgeIncidents()
	return j.result
}

// objective judges one.
func (j *judge) objective(o scenario.Objective) Judged {
	r := Judged{Name: o.Name, Kind: o.Kind, Unit: "share", Target: float64(o.Target), Limit: o.Limit.D()}
	switch o.Kind {
	case scenario.KindSeconds:
		j.census(&r, o)
	case scenario.KindRecoveryLatency, scenario.KindRecoveryQuality:
		j.recovery(&r, o)
	case scenario.KindCallsPerTurn:
		j.callsPerTurn(&r, o)
	case scenario.KindObserved:
		j.observed(&r, o)
	case scenario.KindClient:
		j.client(&r, o)
	case scenario.KindIntegrity, scenario.KindPlanted, scenario.KindContext, scenario.KindRefused:
		j.count(&r, o)
	default:
		j.share(&r, o)
	}
	return r
}

// count judges what must not happen once.
func (j *judge) count(r *Judged, o scenario.Objective) {
	r.Unit, r.Target = "count", 0
	var what reason.Code
	switch o.Kind {
	case scenario.KindIntegrity:
		r.Bad, what = j.snap.Counts[measure.Integrity], reason.ForeignAnswers
		r.N = j.snap.Verified + r.Bad // of the others nothing tells whose content they hold
		if r.N == 0 {
			j.notVerified(r, reason.New(reason.NoCanaryContent))
			return
		}
	case scenario.KindPlanted:
		r.N, r.Bad, what = j.snap.Answered(), j.snap.Planted, reason.PlantedAnswers
		if r.N == 0 {
			j.notVerified(r, reason.New(reason.NoTurnAnswered))
			return
		}
	case scenario.KindContext:
		// Of all seconds: a generator that is late makes no server forget.
		n, ok := (&judge{snap: j.snap, budgets: j.budgets}).total(o.Name, nil)
		r.N, r.Bad, what = int64(n.n), int64(n.bad), reason.ContextLost
		if !ok || r.N == 0 {
			j.notVerified(r, reason.New(reason.NoCanaryContext))
			return
		}
	case scenario.KindRefused:
		r.Bad, what = j.snap.Counts[measure.LetIn], reason.LetInTurns
		r.N = j.snap.Counts[measure.Refused] + r.Bad
		if why := j.refusalUnseen(r); why.Code != "" {
			j.notVerified(r, why)
			return
		}
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindSeconds, scenario.KindFullQuality,
		scenario.KindExpected, scenario.KindRecoveryLatency, scenario.KindRecoveryQuality, scenario.KindFirstToken,
		scenario.KindFirstReasoning, scenario.KindChunkGap, scenario.KindCallsPerTurn, scenario.KindConversations, scenario.KindAbandoned, scenario.KindObserved, scenario.KindClient:
	}
	r.Measured = float64(r.Bad)
	r.Lower, r.Upper = r.Measured, r.Measured
	if r.Bad > 0 {
		r.Verdict = Fail
	}
	r.Reason = reason.Reasons{reason.New(what, r.Verdict.Word(), r.Bad, r.N)}
}

// refusalUnseen tells why nobody knows whether turns that had to be refused are: there
// was none, or one of the scenario's was neither refused nor answered even once.
func (j *judge) refusalUnseen(r *Judged) (why reason.Reason) {
	if r.N == 0 {
		return reason.New(reason.NoTurnRefused)
	}
	if r.Bad > 0 {
		return why
	}
	for i, slot := range j.snap.Plan.Slots {
		if slot.ToRefuse && i < len(j.snap.Slots) && j.snap.Slots[i].Answered == 0 {
			return reason.New(reason.RefusalUnseen, slot.Index+1, slot.Conversation)
		}
	}
	return why
}

// notVerified marks an objective that nothing recorded bears on.
func (j *judge) notVerified(r *Judged, why reason.Reason) {
	r.Verdict = NotVerified
	r.Reason = reason.Reasons{why}
}

// callsPerTurn judges the LLM calls made for users' turns, per turn sent.
func (j *judge) callsPerTurn(r *Judged, o scenario.Objective) {
	r.Unit, r.Target, r.N = "count", o.Max, j.snap.Turns()
	if !j.facts.LLMKnown {
		j.notVerified(r, reason.New(reason.LLMCallsUnknown))
		return
	}
	if r.N == 0 {
		r.Verdict, r.Reason = Inconclusive, reason.Reasons{reason.New(reason.NoTurnSent)}
		return
	}
	r.Measured = float64(j.facts.LLMCalls) / float64(r.N)
	r.Lower, r.Upper = r.Measured, r.Measured
	code := reason.CallsPerTurn
	if r.Measured > r.Target {
		r.Verdict, code = Fail, reason.CallsPerTurnOver
	}
	r.Reason = reason.Reasons{reason.New(code, r.Verdict.Word(), r.Measured, r.Target)}
}

// tally is how many turns a budget judged and found bad.
type tally struct{ n, bad uint64 }

// total adds a budget's seconds up, less those that skip; false when the
// snapshot was recorded without that budget.
func (j *judge) total(budget string, skip func(second int) bool) (t tally, ok bool) {
	b, ok := j.budgets[budget]
	if !ok {
		return t, false
	}
	for i := range j.snap.Seconds {
		if j.leftOut(j.snap.First+i) || skip != nil && skip(j.snap.First+i) {
			continue
		}
		t.add(j.snap.Seconds[i].Budgets, b)
	}
	return t, true
}

func (t *tally) add(counts []measure.BudgetCount, b int) {
	if b < len(counts) {
		t.n += uint64(counts[b].N)
		t.bad += uint64(counts[b].Bad)
	}
}

// at is a budget's tally of one second.
func (j *judge) at(b, second int) (t tally) {
	if s := j.snap.At(second); s != nil && !j.leftOut(second) {
		t.add(s.Budgets, b)
	}
	return t
}

// conclude makes the run's verdict from everything judged before, worst first:
// integrity fail > incomplete > invalid > fail > inconclusive > pass.
func (j *judge) conclude() {
	r := &j.result
	var aborted, failed, open reason.Reasons
	for _, o := range r.Objectives {
		line := reason.New(reason.ObjectiveSays, o.Name, o.Reason)
		switch {
		case o.Verdict == Fail && (o.Kind == scenario.KindIntegrity || o.Kind == scenario.KindRefused):
			// It is the first reason of the run, which says it in its own words.
		case o.Verdict == Fail:
			failed = append(failed, line)
		case o.Verdict == Inconclusive, o.Verdict == NotVerified && j.mustVerify(o):
			open = append(open, line)
		case o.Verdict == NotVerified:
			r.Warnings = append(r.Warnings, line)
		}
	}
	for _, s := range r.Storms {
		if s.Metastable {
			failed = append(failed, reason.New(reason.Metastable, s.Name))
		}
	}
	if len(j.facts.Aborted) > 0 {
		aborted = reason.Reasons{reason.New(reason.EndedEarly, j.facts.Aborted)}
	}
	if j.snap.Turns()+j.snap.Counts[measure.DroppedTarget] == 0 {
		open = append(open, reason.New(reason.NothingSent))
	}
	if asked := j.facts.Generator.Asked; j.snap.Planned < asked && len(aborted) == 0 {
		open = append(open, reason.New(reason.TooFewConversations, j.snap.Planned, asked, j.s.TotalDuration()))
	}
	if j.facts.Gaps > 0 {
		open = append(open, reason.New(reason.JournalGaps, j.facts.Gaps))
	}
	grave := j.grave()
	r.Reasons = append(r.Reasons, absent(j.facts)...)
	switch {
	case grave:
		r.Verdict = Fail
	case len(j.facts.Interrupted) > 0:
		r.Verdict = Incomplete
		r.Reasons = append(r.Reasons, reason.New(reason.EndedEarly, j.facts.Interrupted))
	case len(j.facts.Missing)+len(j.facts.Cut) > 0:
		j.bounds()
	case len(r.Generator.Reasons) > 0:
		r.Verdict = Invalid
	case len(failed) > 0:
		r.Verdict = Fail
	case len(aborted)+len(open) > 0:
		r.Verdict = Inconclusive
	default:
		r.Verdict = Pass
	}
	r.Reasons = slices.Concat(r.Reasons, r.Generator.Reasons, aborted, failed, open) // causes before what came of them
	var first reason.Reasons
	if n := j.snap.Counts[measure.Integrity]; n > 0 {
		first = append(first, reason.New(reason.ForeignContent, n))
	}
	if n := j.snap.Counts[measure.LetIn]; n > 0 {
		first = append(first, reason.New(reason.LetIn, n))
	}
	r.Reasons = append(first, r.Reasons...)
	j.warn()
}

// grave tells whether something happened that must not happen once, whatever else
// became of the run: content went to somebody whose it is not.
func (j *judge) grave() bool {
	return j.snap.Counts[measure.Integrity]+j.snap.Counts[measure.LetIn] > 0
}

// mustVerify tells whether an objective that nothing bears on keeps the run from
// passing. Integrity is judged where it can be seen, and so is context unless
// the scenario asks for it.
func (j *judge) mustVerify(o Judged) bool {
	switch o.Kind {
	case scenario.KindIntegrity:
		return false
	case scenario.KindContext:
		return j.s.Checks.Memory == scenario.On
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindSeconds, scenario.KindFullQuality,
		scenario.KindExpected, scenario.KindPlanted, scenario.KindRefused, scenario.KindRecoveryLatency, scenario.KindRecoveryQuality,
		scenario.KindFirstToken, scenario.KindFirstReasoning, scenario.KindChunkGap, scenario.KindCallsPerTurn, scenario.KindConversations, scenario.KindAbandoned, scenario.KindObserved, scenario.KindClient:
	}
	return true
}

// warn says what a reader should know beside the verdict.
func (j *judge) warn() {
	r := &j.result
	warn := func(code reason.Code, args ...any) { r.Warnings = append(r.Warnings, reason.New(code, args...)) }
	if n := j.snap.Counts[measure.ClientError]; n > 0 {
		warn(reason.Unexpected4xx, n)
	}
	j.warnTiers(warn)
	j.warnRepeats(warn)
	if n := j.snap.Counts[measure.Censored]; n > 0 {
		warn(reason.TurnsCut, n)
	}
	if n := j.snap.Excluded; n > 0 {
		code := reason.BeyondContract
		if j.s.SLA.RateLimited.Policy == scenario.PolicyExclude {
			code = reason.RateLimitedExcluded
		}
		warn(code, n)
	}
	var clamped int64 // by outcome each turn is there once
	for _, h := range j.snap.ByOutcome {
		clamped += h.Clamped()
	}
	if clamped > 0 {
		warn(reason.DurationsClamped, clamped)
	}
	if g := j.facts.Generator; g.SharedHost {
		warn(reason.SharedHost, g.Cores)
	}
	j.warnStarved(warn)
	if l := r.LittlesLaw; max(l.InFlightMean, l.RateTimesMean) >= littlesLawLeast && math.Abs(l.ErrorShare) > littlesLawOff {
		warn(reason.LittlesLawOff, unit.Share(l.ErrorShare), l.InFlightMean, l.RateTimesMean)
	}
	// The generator tells of itself when the load is over; before that conversations are still open.
	if why := unconserved(j.snap, j.facts); why.Code != "" && len(j.facts.Interrupted)+len(j.facts.Cut) == 0 && j.facts.Generator.Cores > 0 {
		r.Warnings = append(r.Warnings, why)
	}
}

// littlesLaw compares the turns in flight, counted from their intended start,
// with rate times mean response time: the sum of all response times over the
// time it took. J. D. C. Little, Operations Research 9 (1961).
func (j *judge) littlesLaw() {
	l := &j.result.LittlesLaw
	l.InFlightMean = j.facts.Generator.InFlightMean
	if j.snap.Elapsed > 0 {
		l.RateTimesMean = float64(j.snap.ResponseTotal()) / float64(j.snap.Elapsed)
	}
	if l.InFlightMean > 0 && l.RateTimesMean > 0 {
		l.ErrorShare = l.InFlightMean/l.RateTimesMean - 1
	}
}

// stormsOf gives the fault windows of a run: as the mock saw them, or for a
// target of one's own without a mock that tells, as the scenario plans them.
func stormsOf(s *scenario.Scenario, plan *measure.Plan, facts *measure.Facts) []measure.Storm {
	storms := slices.Clone(facts.Storms)
	if len(storms) == 0 && !facts.LLMKnown {
		storms = PlannedStorms(s)
	}
	for i := range storms {
		if storms[i].End <= 0 {
			storms[i].End = plan.End() // it is open
		}
		storms[i].End = max(min(storms[i].End, plan.End()), storms[i].Start)
	}
	slices.SortStableFunc(storms, func(a, b measure.Storm) int { return cmp.Compare(a.Start, b.Start) })
	return storms
}

// PlannedStorms gives the fault windows as the scenario plans them.
func PlannedStorms(s *scenario.Scenario) []measure.Storm {
	if s == nil || s.LLM == nil {
		return nil
	}
	storms := make([]measure.Storm, 0, len(s.LLM.Faults))
	for _, f := range s.LLM.Faults {
		storms = append(storms, measure.Storm{Name: f.Name, Kind: string(f.Kind), Start: f.At.D(), End: f.At.D() + f.For.D()})
	}
	return storms
}

// SoFar is what a run under way is judged by beside its turns: what the mock LLM
// told last, nil where it told nothing yet, and the storms that are planned and
// have not begun.
func SoFar(s *scenario.Scenario, told *measure.Facts) *measure.Facts {
	if told == nil {
		return &measure.Facts{}
	}
	facts := *told
	facts.Storms = slices.Clone(facts.Storms)
	for _, planned := range PlannedStorms(s) {
		if !slices.ContainsFunc(facts.Storms, func(seen measure.Storm) bool { return seen.Name == planned.Name }) {
			facts.Storms = append(facts.Storms, planned)
		}
	}
	return &facts
}

// wholeSecond is the first second that begins at d or later.
func wholeSecond(d time.Duration) int { return int((max(d, 0) + time.Second - 1) / time.Second) }
