package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// share judges an objective that asks for a share of good turns, answers, gaps
// or conversations.
func (j *judge) share(r *Judged, o scenario.Objective) {
	deff := j.deff
	var skip func(second int) bool
	switch o.Kind {
	case scenario.KindConversations, scenario.KindAbandoned:
		deff = 1 // of its own turns: each is one
		j.conversations(r, o)
	case scenario.KindFullQuality:
		spans := j.excused()
		skip = func(second int) bool { return touches(spans, second) }
		j.turns(r, o, skip)
	default:
		j.turns(r, o, nil)
	}
	if r.Verdict == NotVerified {
		return
	}
	deff = j.deffOf(float64(r.N), deff)
	if r.N == 0 {
		r.Verdict = Inconclusive
		r.Upper, r.Cut = 1, j.unknown(o, skip).cut
		r.Needs = Needs(r.Target, j.confidence, deff)
		r.Reason = reason.Reasons{reason.New(reason.NothingToJudge, r.Needs)}
		if r.Needs == 0 {
			r.Reason = reason.Reasons{reason.New(reason.NotInferred, unit.Share(j.confidence))}
		}
		return
	}
	j.infer(r, deff)
	j.correlate(r, o)
	r.Reason = j.reasons(r, o)
	j.bound(r, o, skip)
}

// turns counts what an objective's budget judged, less the seconds that skip.
func (j *judge) turns(r *Judged, o scenario.Objective, skip func(second int) bool) {
	t, ok := j.total(o.Name, skip)
	r.N, r.Bad = int64(t.n), int64(t.bad)
	if ok && r.N > 0 {
		if o.Kind == scenario.KindFirstToken && j.snap.Timings[measure.FirstToken].N() == 0 && j.snap.Answered() > 0 {
			j.notVerified(r, reason.New(reason.NoStream))
		}
		if o.Kind == scenario.KindFirstReasoning && j.snap.Timings[measure.FirstReasoning].N() == 0 && j.snap.Answered() > 0 {
			j.notVerified(r, reason.New(reason.NoReasoning))
		}
		return
	}
	switch o.Kind {
	case scenario.KindChunkGap:
		j.notVerified(r, reason.New(reason.NoChunkGap))
	case scenario.KindExpected:
		j.notVerified(r, reason.New(reason.NoCheckedAnswer))
	case scenario.KindFirstReasoning:
		j.notVerified(r, reason.New(reason.NoReasoning))
	default:
		if !ok {
			j.notVerified(r, reason.New(reason.NotCounted))
		}
	}
}

// ofConversations tells whether a kind is judged by conversations, each of them one.
func ofConversations(k scenario.ObjectiveKind) bool {
	return k == scenario.KindConversations || k == scenario.KindAbandoned
}

// conversations counts those that customers left, or all in which a turn was not answered, or with
// tier_at_most llm was not ok. What would have become of abandoned ones nobody knows.
func (j *judge) conversations(r *Judged, o scenario.Objective) {
	for end, n := range j.snap.Conversations {
		if measure.ConversationEnd(end) != measure.Abandoned {
			r.N += n
		}
	}
	r.Bad = j.snap.Conversations[measure.Left]
	if o.Kind == scenario.KindAbandoned {
		return
	}
	r.Bad += j.snap.Conversations[measure.Broken]
	if o.TierAtMost == scenario.TierLLM {
		r.Bad += j.snap.Conversations[measure.CompleteDegraded]
	}
}

// infer sets what was measured of the share of good ones, its bounds and the verdict.
func (j *judge) infer(r *Judged, deff float64) {
	p := 1 - r.Target
	r.Confidence, r.DEFF = j.confidence, deff
	r.Measured = 1 - float64(r.Bad)/float64(r.N)
	r.Lower = 1 - Upper(r.Bad, r.N, j.confidence, deff)
	r.Upper = 1 - Lower(r.Bad, r.N, j.confidence, deff)
	if Infer(r.Bad, r.N, p, j.confidence, deff) == Inconclusive && !j.byUsers(r.N, deff) {
		r.Needs = powered(float64(r.Bad)/float64(r.N), p, j.confidence, deff, r.N)
	}
	r.Verdict = j.decide(r.Bad, r.N, p, deff)
}

// deffOf is the design effect of n turns, of which so many hang together in
// dialogs. In a closed load a user goes on from one dialog to the next, on the
// connection it has, and all of its turns may hang together: however long the run,
// it asks as many users as it has. Both are constants of the plan: the effective
// number of turns, n/deff, never falls when a turn is added.
func (j *judge) deffOf(n, dialog float64) float64 {
	if j.users > 0 {
		return max(dialog, n/j.users)
	}
	return dialog
}

// byUsers tells whether the number of users limits what n turns tell.
func (j *judge) byUsers(n int64, deff float64) bool {
	return j.users > 0 && float64(n)/j.users >= deff
}

// decide is the verdict on so many bad of n turns where at most the share p may
// be: what can be inferred, or where the gate is what was measured, that alone.
func (j *judge) decide(bad, n int64, p, deff float64) Verdict {
	switch {
	case !j.measured:
		return Infer(bad, n, p, j.confidence, deff)
	case within(float64(bad), float64(n), p):
		return Pass
	}
	return Fail
}

// within tells whether so many bad of n are at most the share p of them, in the same
// arithmetic that the printed shares are.
func within(bad, n, p float64) bool { return bad <= p*n+1e-9 }

// met tells whether the share measured is within the target.
func met(r *Judged) bool { return within(float64(r.Bad), float64(r.N), 1-r.Target) }

// undecidable is from how many turns on a verdict is not waited for: so close to
// the budget more of them tell nothing.
const undecidable = 10_000_000

// reasons are the reason line: what the budget was spent on, what this run
// measured, and what can be inferred from it.
func (j *judge) reasons(r *Judged, o scenario.Objective) reason.Reasons {
	bad, allowed := unit.Share(float64(r.Bad)/float64(r.N)), unit.Share(1-r.Target)
	list := j.spent(r, o)
	if j.measured {
		code := reason.GateMet
		if !met(r) {
			code = reason.GateNotMet
		}
		return append(list, reason.New(code, bad, allowed))
	}
	code := reason.ThisRunMet
	if !met(r) {
		code = reason.ThisRunNotMet
	}
	return append(list, reason.New(code, bad, allowed), j.inference(r))
}

// inference says what follows for the target from what this run measured.
func (j *judge) inference(r *Judged) reason.Reason {
	confidence := unit.Share(j.confidence)
	users := int64(j.users + 0.5)
	switch {
	case r.Verdict == Inconclusive && j.byUsers(r.N, r.DEFF):
		share := float64(r.Bad) / float64(r.N)
		if needs := powered(share, 1-r.Target, j.confidence, 1, users); needs > 0 && needs <= undecidable {
			return reason.New(reason.NotInferredUsers, confidence, users, needs)
		}
		return reason.New(reason.NotInferred, confidence)
	case r.Verdict != Inconclusive:
		return reason.New(reason.Inferred, r.Verdict.Word(), confidence)
	case r.Needs > undecidable:
		return reason.New(reason.NotInferredOnBudget, confidence)
	case r.Needs > 0:
		return reason.New(reason.NotInferredNeeds, confidence, r.Needs)
	}
	return reason.New(reason.NotInferred, confidence)
}

// spent says what the budget of an objective was spent on.
func (j *judge) spent(r *Judged, o scenario.Objective) reason.Reasons {
	verdict := r.Verdict.Word()
	switch o.Kind {
	case scenario.KindLatency:
		return j.late(r, o)
	case scenario.KindAvailability:
		return reason.Reasons{reason.New(reason.NotAnswered, verdict, r.Bad, r.N)}
	case scenario.KindFullQuality:
		if whole, _ := j.total(o.Name, nil); int64(whole.n) != r.N {
			return reason.Reasons{reason.New(reason.NotFullQualityCalm, verdict, r.Bad, r.N, unit.Share(float64(whole.bad)/float64(whole.n)))}
		}
		return reason.Reasons{reason.New(reason.NotFullQuality, verdict, r.Bad, r.N)}
	case scenario.KindExpected:
		return reason.Reasons{reason.New(reason.NotExpected, verdict, r.Bad, r.N)}
	case scenario.KindFirstToken:
		return reason.Reasons{reason.New(reason.FirstTokenLate, r.Limit, verdict, r.Bad, r.N)}
	case scenario.KindFirstReasoning:
		return reason.Reasons{reason.New(reason.FirstReasoningLate, r.Limit, verdict, r.Bad, r.N)}
	case scenario.KindChunkGap:
		return reason.Reasons{reason.New(reason.ChunkGapLong, r.Limit, verdict, r.Bad, r.N)}
	case scenario.KindAbandoned:
		return reason.Reasons{reason.New(reason.ConversationsLeft, verdict, r.Bad, r.N)}
	case scenario.KindConversations:
		return reason.Reasons{reason.New(reason.ConversationsBad, verdict, r.Bad, r.N)}
	case scenario.KindSeconds, scenario.KindContext, scenario.KindIntegrity, scenario.KindPlanted, scenario.KindRefused,
		scenario.KindRecoveryLatency, scenario.KindRecoveryQuality, scenario.KindCallsPerTurn, scenario.KindObserved, scenario.KindClient:
	}
	return reason.Reasons{reason.New(reason.Bad, verdict, r.Bad, r.N)}
}

// late tells turns that were not answered from those that were answered too late.
func (j *judge) late(r *Judged, o scenario.Objective) reason.Reasons {
	n := float64(r.N)
	quantile, verdict := unit.Share(r.Target), r.Verdict.Word()
	list := reason.Reasons{reason.New(reason.LatencyBad, quantile, r.Limit, verdict, unit.Share(float64(r.Bad)/n))}
	if t, ok := j.answeredTwin(o.Name); ok {
		list[0] = reason.New(reason.Latency, quantile, r.Limit, verdict, unit.Share(float64(t.bad)/n), unit.Share(float64(r.Bad-int64(t.bad))/n))
	}
	answers, exact := j.answers(o.Name)
	if d, ok := Shown(answers, r.Target); ok {
		code := reason.AnswersWithin
		if !exact {
			code = reason.AnswersAbout
		}
		return append(list, reason.New(code, quantile, d))
	}
	if answers.N() > 0 {
		return append(list, reason.New(reason.AnswersTooFew, quantile, answers.N(), QuantileNeeds(r.Target, shown)))
	}
	return append(list, reason.New(reason.NoAnswers))
}

// answers are the response times of the answers in the stages of an objective: exact
// where these are all there are, else from the seconds, within 1.6 %.
func (j *judge) answers(name string) (times Ordered, exact bool) {
	budget := &j.snap.Plan.Budgets[j.budgets[name]]
	if budget.Group > 0 {
		return &j.snap.Groups[budget.Group-1].Response, false
	}
	stages := budget.Stages
	if all := uint64(1)<<len(j.snap.Plan.Stages) - 1; stages&all == all {
		return j.snap.Timings[measure.Response], true
	}
	part := ResponsesIn(j.snap, stages)
	return &part, false
}

// ResponsesIn adds up the response times of the answers of some stages, a bit each.
// A second belongs to the stage that its middle lies in.
func ResponsesIn(s *measure.Snapshot, stages uint64) (sum measure.Sketch) {
	for i := range s.Seconds {
		stage := s.Plan.StageAt(time.Duration(s.First+i)*time.Second + time.Second/2)
		if stage >= 0 && stages&(1<<stage) != 0 {
			sum.Add(&s.Seconds[i].Response)
		}
	}
	return sum
}

// answeredTwin is the tally of a budget that judges the same turns as the named
// one, only by whether they were answered.
func (j *judge) answeredTwin(name string) (tally, bool) {
	b := j.snap.Plan.Budgets[j.budgets[name]]
	for _, twin := range j.snap.Plan.Budgets {
		if twin.Stages == b.Stages && twin.Group == b.Group && twin.Valid == b.Valid && twin.Good == measure.Answered && twin.Limit == 0 &&
			twin.Of == measure.Response && twin.TierAtMost == measure.TierUnknown && !twin.Checked && !twin.Verified {
			return j.total(twin.Name, nil)
		}
	}
	return tally{}, false
}
