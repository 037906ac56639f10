package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/unit"
)

// outlook is what the plan of a scenario comes to for each of its objectives: the
// judge's word on runs that are not held, but foreseen.
type outlook struct {
	s      *scenario.Scenario
	answer time.Duration // how long answers were taken to need
	every  int64         // of so many conversations one was walked
	// best is a run in which every turn is good. In slowest those of storms and of
	// all the time that recovery has are degraded; calm is best without storms.
	best, slowest, calm sla.Result
}

// mostForeseen is how many turns of a plan are walked.
const mostForeseen = 300_000

func outlookOf(s *scenario.Scenario) (*outlook, error) {
	o := &outlook{s: s, answer: answerTime(s), every: 1}
	plan := trial.Plan(s)
	if n := int64(turnsAbout(s, o.answer)); n > mostForeseen {
		o.every = (n + mostForeseen - 1) / mostForeseen
	}
	turns, err := load.Foresee(s, o.answer, o.every)
	if err != nil {
		return nil, err
	}
	good, degraded := measure.NewRecorder(plan, 1), measure.NewRecorder(plan, 1)
	spans := recoveries(s)
	last := time.Duration(0) // of a load that ends with its number of conversations
	walked := 0
	for seen := range turns {
		last = max(last, seen.Intended+o.answer)
		t := measure.Turn{Slot: seen.Slot, Intended: seen.Intended, Sent: seen.Intended, Done: seen.Intended + time.Millisecond, Tier: measure.TierLLM}
		if n := len(s.SLA.Groups); n > 0 { // as if they were equally many
			walked++
			t.Group = 1 + walked%n
		}
		if s.Checks.Memory == scenario.On {
			t.Memory = measure.Verified
		}
		if s.Target.Mode == scenario.ModeStream {
			t.FirstReasoning, t.FirstToken, t.Gaps = t.Done, t.Done, []time.Duration{time.Millisecond}
		}
		if plan.Slots[seen.Slot].ToRefuse {
			t.Outcome, t.Tier, t.Memory, t.Group = measure.Refused, measure.TierUnknown, measure.NotVerified, 0
			t.FirstReasoning, t.FirstToken, t.Gaps = 0, 0, nil
		}
		good.Lane(0).Record(&t)
		if t.Outcome == measure.OK && within(spans, seen.Intended) {
			t.Outcome, t.Tier, t.Memory = measure.Degraded, measure.TierFAQ, measure.NotVerified
		}
		degraded.Lane(0).Record(&t)
		if seen.Last {
			good.Lane(0).Ended(measure.Complete, nil)
			degraded.Lane(0).Ended(measure.Complete, nil)
		}
	}
	end := plan.End()
	if s.Load.Conversations > 0 {
		end = min(end, last)
	}
	best, err := good.Cut(end)
	if err != nil {
		return nil, err
	}
	slowest, err := degraded.Cut(end)
	if err != nil {
		return nil, err
	}
	storms := &measure.Facts{Storms: sla.PlannedStorms(s), LLMKnown: s.LLM != nil}
	o.best, o.slowest = sla.Evaluate(s, best, storms), sla.Evaluate(s, slowest, storms)
	o.calm = sla.Evaluate(s, best, &measure.Facts{LLMKnown: true})
	return o, nil
}

// answerTime is how long answers may take and still meet the SLA, or a second where
// it does not say.
func answerTime(s *scenario.Scenario) time.Duration {
	shortest := time.Second
	asked := false
	for _, o := range s.Objectives() {
		if o.Kind == scenario.KindLatency && (!asked || o.Limit.D() < shortest) {
			shortest, asked = o.Limit.D(), true
		}
	}
	if t := s.Target.Timeout.D(); t > 0 {
		shortest = min(shortest, t)
	}
	return shortest
}

// turnsAbout is about how many turns there will be.
func turnsAbout(s *scenario.Scenario, answer time.Duration) float64 {
	if n, known := s.TurnsExpected(); known {
		return n
	}
	per := answer.Seconds() + s.MeanThink().Seconds()/max(s.MeanTurns(), 1)
	return float64(s.PeakUsers()) * s.TotalDuration().Seconds() / per
}

// recoveries are the planned storms with the time that full quality has to come back.
func recoveries(s *scenario.Scenario) (list []sla.Span) {
	for _, o := range s.Objectives() {
		if o.Kind != scenario.KindRecoveryQuality {
			continue
		}
		for _, storm := range sla.PlannedStorms(s) {
			if storm.Name == o.After {
				list = append(list, sla.Span{Start: storm.Start, End: storm.End + o.Limit.D()})
			}
		}
	}
	return list
}

// describe prints a row for each objective: what it needs, what it will get, and
// how sure that is to decide; and below what keeps one from passing at all.
func (o *outlook) describe(out io.Writer, w words) error {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, w.say("OBJECTIVE\tKIND\tTARGET\tNEEDS AT LEAST\tWILL JUDGE\tPASSES 4 IN 5\tFAILS 4 IN 5"))
	var notes []string
	sure := false
	for i, asked := range o.s.Objectives() {
		best := o.best.Objectives[i]
		pass, fail := "", ""
		if best.Unit == "share" && best.Verdict != sla.NotVerified {
			sure = true
			pass, fail = o.sure(w, asked, o.of(o.slowest.Objectives[i].N))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", asked.Name, asked.Kind, w.target(asked), o.needs(w, asked), o.judges(w, i), pass, fail)
		if all := o.calm.Objectives[i].N; asked.Kind == scenario.KindFullQuality && o.slowest.Objectives[i].N < all {
			notes = append(notes, w.say("%s: of %s turns the storm and all the time that recovery is allowed are left out", asked.Name, unit.Count(o.of(all)).Text()))
		}
		if asked.Group != "" {
			notes = append(notes, w.say("%s: as if each of %d groups had as many turns", asked.Name, len(o.s.SLA.Groups)))
		}
		if best.Verdict != sla.Pass && !o.untold(asked) {
			notes = append(notes, w.say("%s: at best %s", asked.Name, best.Reason))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(out, n)
	}
	if sure {
		fmt.Fprintln(out, w.say("Four times in five a target passes with up to that share of bad turns, and fails from that on; between, it may stay open.\nTurns are counted as if each answer took %s.", unit.Duration(o.answer)))
	}
	return nil
}

// sure says up to which share of bad turns an objective passes, and from which on it
// fails, where it judges n.
func (o *outlook) sure(w words, asked scenario.Objective, n int64) (pass, fail string) {
	never := w.say("never: too few")
	pass, fail = never, never
	upTo, from := sla.Sure(o.s, asked, n)
	if !math.IsNaN(upTo) {
		pass = w.say("up to %s bad", unit.Share(upTo).Text())
	}
	if !math.IsNaN(from) {
		fail = w.say("from %s bad", unit.Share(from).Text())
	}
	return pass, fail
}

// of scales what was counted of one conversation in every few.
func (o *outlook) of(n int64) int64 { return n * o.every }

// needs is what an objective takes at least, all of it good.
func (o *outlook) needs(w words, asked scenario.Objective) string {
	if !countedInTurns(asked) || o.s.SLA.Gate == scenario.GateMeasured {
		return ""
	}
	deff, format := o.s.TurnsTogether(), "%s turns without a bad one"
	if o.s.UsersTold() > 0 {
		deff, format = 1, "%s users without a bad turn"
	}
	if n := sla.Needs(float64(asked.Target), float64(o.s.SLA.Confidence), deff); n > 0 {
		return w.say(format, unit.Count(n).Text())
	}
	return ""
}

// judges is what an objective will get, storms and recovery taken out where they
// are no part of it.
func (o *outlook) judges(w words, i int) string {
	best := o.best.Objectives[i]
	switch {
	case o.untold(o.s.Objectives()[i]):
		return ""
	case best.Verdict == sla.NotVerified:
		return w.say("nothing")
	case best.Census != nil:
		return w.say("%s s, of which %s may be bad", unit.Count(best.Census.Total).Text(), unit.Count(best.Census.Budget).Text())
	case best.Comebacks != nil && best.N == 1:
		return w.say("1 storm")
	case best.Comebacks != nil:
		return w.say("%s storms", unit.Count(best.N).Text())
	case best.Kind == scenario.KindConversations, best.Kind == scenario.KindAbandoned:
		return w.say("about %s conversations", unit.Count(o.of(best.N)).Text())
	}
	format := "about %s turns"
	if o.s.UsersTold() > 0 {
		format = "at least %s turns"
	}
	return w.say(format, unit.Count(o.of(o.slowest.Objectives[i].N)).Text())
}

// untold tells whether an objective is about what the mock LLM or another system will
// tell, of which a plan says nothing.
func (o *outlook) untold(asked scenario.Objective) bool {
	return asked.Kind == scenario.KindClient && o.s.LLM != nil || asked.Kind == scenario.KindObserved
}

func within(list []sla.Span, at time.Duration) bool {
	for _, s := range list {
		if at >= s.Start && at < s.End {
			return true
		}
	}
	return false
}
