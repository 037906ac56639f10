package sla

import (
	"fmt"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// share judges an objective that asks for a share of good turns, answers, gaps
// or conversations. Seconds that skip are left out.
func (j *judge) share(r *Judged, o scenario.Objective, skip func(second int) bool) {
	deff := j.deff
	switch o.Kind {
	case scenario.KindConversations:
		deff = 1
		j.conversations(r, o)
	case scenario.KindFullQuality:
		j.turns(r, o, both(skip, j.inRecovery))
	default:
		j.turns(r, o, skip)
	}
	if r.Verdict == NotVerified {
		return
	}
	if r.N == 0 {
		r.Verdict = Inconclusive
		r.Upper = 1
		r.Needs = Needs(r.Target, j.confidence, deff)
		r.Reason = fmt.Sprintf("inconclusive: nothing to judge; at least %s good ones pass", count(r.Needs))
		return
	}
	j.infer(r, deff)
	r.Reason = j.because(r, o)
}

// turns counts what an objective's budget judged.
func (j *judge) turns(r *Judged, o scenario.Objective, skip func(second int) bool) {
	t, ok := j.total(o.Name, skip)
	r.N, r.Bad = int64(t.n), int64(t.bad)
	if ok && r.N > 0 {
		if o.Kind == scenario.KindFirstToken && j.snap.Timings[measure.FirstToken].N() == 0 && j.snap.Answered() > 0 {
			j.unseen(r, "no answer came as a stream")
		}
		return
	}
	switch o.Kind {
	case scenario.KindChunkGap:
		j.unseen(r, "no stream had two contents")
	case scenario.KindExpected:
		j.unseen(r, "no checked turn was answered by the model")
	default:
		if !ok {
			j.unseen(r, "the run did not count it")
		}
	}
}

// conversations counts those in which a turn was not answered, or with
// tier_at_most llm was not ok.
func (j *judge) conversations(r *Judged, o scenario.Objective) {
	for _, n := range j.snap.Conversations {
		r.N += n
	}
	r.Bad = j.snap.Conversations[measure.Broken] + j.snap.Conversations[measure.Abandoned]
	if o.TierAtMost == measure.TierLLM.String() {
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
	r.Verdict = Infer(r.Bad, r.N, p, j.confidence, deff)
	if r.Verdict == Inconclusive {
		share := float64(r.Bad) / float64(r.N)
		r.Needs = decides(func(n int64) int64 { return int64(share*float64(n) + 0.5) }, p, j.confidence, deff, r.N)
	}
	if j.measured {
		r.Verdict = Fail
		if met(r) {
			r.Verdict = Pass
		}
	}
}

// met tells whether the share measured is within the target, in the same
// arithmetic that the printed shares are.
func met(r *Judged) bool { return float64(r.Bad) <= (1-r.Target)*float64(r.N)+1e-9 }

// because is the reason line: what the budget was spent on, what this run
// measured, and what can be inferred from it.
func (j *judge) because(r *Judged, o scenario.Objective) string {
	head := j.head(r, o)
	word, is := "≤", "met"
	if !met(r) {
		word, is = ">", "not met"
	}
	run := fmt.Sprintf("this run: %s %s %s, %s", percent(float64(r.Bad)/float64(r.N)), word, percent(1-r.Target), is)
	if j.measured {
		return fmt.Sprintf("%s; %s (the gate)", head, run)
	}
	inference := fmt.Sprintf("inference: %s, at %s confidence", r.Verdict, percent(j.confidence))
	if r.Verdict == Inconclusive {
		inference = fmt.Sprintf("inference: inconclusive at %s confidence", percent(j.confidence))
		if r.Needs > 0 {
			inference += fmt.Sprintf(", about %s would decide", count(r.Needs))
		}
	}
	return fmt.Sprintf("%s; %s; %s", head, run, inference)
}

func (j *judge) head(r *Judged, o scenario.Objective) string {
	bad := percent(float64(r.Bad) / float64(r.N))
	switch o.Kind {
	case scenario.KindLatency:
		failed := bad + " bad"
		if t, ok := j.answeredTwin(o.Name); ok && int64(t.n) == r.N {
			failed = percent(float64(t.bad)/float64(r.N)) + " failed"
		}
		head := fmt.Sprintf("P%s %s: %s: %s", trim(100*r.Target), short(r.Limit), r.Verdict, failed)
		if len(o.Stages) > 0 {
			// The histogram of answers is the whole run's.
			return head
		}
		if d, ok := j.snap.Timings[measure.Response].Quantile(r.Target); ok {
			return fmt.Sprintf("%s; P%s of answers %s", head, trim(100*r.Target), short(d))
		}
		return head + "; no answers"
	case scenario.KindAvailability:
		return fmt.Sprintf("%s: %s of %s turns not answered", r.Verdict, count(r.Bad), count(r.N))
	case scenario.KindFullQuality:
		head := fmt.Sprintf("%s: %s of %s turns not answered in full quality", r.Verdict, count(r.Bad), count(r.N))
		if whole, ok := j.total(o.Name, nil); ok && int64(whole.n) != r.N && whole.n > 0 {
			head += fmt.Sprintf(" outside storms and recovery (whole run %s)", percent(1-whole.share()))
		}
		return head
	case scenario.KindExpected:
		return fmt.Sprintf("%s: %s of %s checked answers not as expected", r.Verdict, count(r.Bad), count(r.N))
	case scenario.KindFirstToken:
		return fmt.Sprintf("first token %s: %s: %s of %s turns without or later", short(r.Limit), r.Verdict, count(r.Bad), count(r.N))
	case scenario.KindChunkGap:
		return fmt.Sprintf("chunk gap %s: %s: %s of %s longer", short(r.Limit), r.Verdict, count(r.Bad), count(r.N))
	case scenario.KindConversations:
		return fmt.Sprintf("%s: %s of %s conversations with a turn that was not good", r.Verdict, count(r.Bad), count(r.N))
	}
	return fmt.Sprintf("%s: %s of %s bad", r.Verdict, count(r.Bad), count(r.N))
}

// answeredTwin is the tally of a budget that judges the same turns as the named
// one, only by whether they were answered.
func (j *judge) answeredTwin(name string) (tally, bool) {
	b := j.snap.Plan.Budgets[j.budgets[name]]
	for _, twin := range j.snap.Plan.Budgets {
		if twin.Stages == b.Stages && twin.Valid == b.Valid && twin.Good == measure.Answered && twin.Limit == 0 &&
			twin.Of == measure.Response && twin.TierAtMost == measure.TierUnknown && !twin.Checked && !twin.Verified {
			return j.total(twin.Name, nil)
		}
	}
	return tally{}, false
}

// inRecovery tells whether a second is judged by `recovery` instead of by full
// quality: any part of it in [storm start, storm end + the time allowed].
func (j *judge) inRecovery(second int) bool {
	from := time.Duration(second) * time.Second
	for _, o := range j.objectives {
		if o.Kind != scenario.KindRecoveryQuality {
			continue
		}
		for _, s := range j.storms {
			if s.Name == o.After && from+time.Second > s.Start && from < s.End+o.Limit.D() {
				return true
			}
		}
	}
	return false
}

// both skips what either skips.
func both(a, b func(second int) bool) func(second int) bool {
	if a == nil {
		return b
	}
	return func(second int) bool { return a(second) || b(second) }
}
