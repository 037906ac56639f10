package result

import (
	"math"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// Judging is what the run was judged by beside what was counted. With it, the
// counts and the seconds a second program comes to the same verdicts.
type Judging struct {
	Gate           string  `json:"gate"` // inference | measured
	Confidence     float64 `json:"confidence"`
	OnInconclusive string  `json:"on_inconclusive"` // fail | pass
	RateLimited    string  `json:"rate_limited"`    // bad | exclude | contract
	ContractPerS   float64 `json:"contract_per_s"`  // 0 without one
	Memory         string  `json:"memory"`          // checks.memory: auto | on | off
	Load           string  `json:"load"`            // open | closed
	// TurnsTogether is the design effect of dialogs, Σm²/Σm; Users how many users of
	// equal length a closed load is worth, 0 of an open one.
	TurnsTogether float64 `json:"turns_together"`
	Users         float64 `json:"users"`
	TimeoutS      float64 `json:"timeout_s"` // target.timeout
	// Why the load ended before its plan: cut off from outside, or by the scenario's guard.
	Interrupted   reason.Reasons `json:"interrupted"`
	Aborted       reason.Reasons `json:"aborted"`
	Signal        int            `json:"signal"` // that ended the run, 0 when none did
	MissingShards []string       `json:"missing_shards"`
	CutShards     []string       `json:"cut_shards"`
	JournalGaps   int            `json:"journal_gaps"`
	Incidents     []Incident     `json:"incidents"`
	// ConversationsAsked is how many the scenario asks for by number, 0 where it asks
	// for a time; fewer decide nothing.
	ConversationsAsked int64 `json:"conversations_asked"`
	// AtBest and AtWorst are what was counted, with what missing and cut shards would
	// have sent counted as good, and as bad; absent of any other run.
	AtBest  *Bound `json:"at_best,omitempty"`
	AtWorst *Bound `json:"at_worst,omitempty"`
}

// Bound is what would have been counted.
type Bound struct {
	Turns      int64        `json:"turns"`
	Answered   int64        `json:"answered"`
	Integrity  int64        `json:"integrity"`
	LetIn      int64        `json:"let_in"`
	Planted    int64        `json:"planted"`
	Objectives []BoundOfOne `json:"objectives"`
}

// BoundOfOne is what an objective would have been judged by.
type BoundOfOne struct {
	Name      string     `json:"name"`
	N         int64      `json:"n"`
	Bad       int64      `json:"bad"`
	Cut       int64      `json:"cut"`
	Untold    int64      `json:"untold"`
	Census    *Census    `json:"census,omitempty"`
	Comebacks []Comeback `json:"comebacks,omitempty"`
}

func boundOf(b *sla.Bound) *Bound {
	if b == nil {
		return nil
	}
	s := measure.Snapshot{Counts: b.Counts}
	out := &Bound{
		Turns: s.Turns(), Answered: s.Answered(), Integrity: b.Counts[measure.Integrity], LetIn: b.Counts[measure.LetIn], Planted: b.Planted,
		Objectives: make([]BoundOfOne, 0, len(b.Result.Objectives)),
	}
	for _, o := range b.Result.Objectives {
		out.Objectives = append(out.Objectives, BoundOfOne{o.Name, o.N, o.Bad, o.Cut, o.Untold, censusOf(o.Census), comebacksOf(o.Comebacks)})
	}
	return out
}

// Incident is what happened to the run as a whole.
type Incident struct {
	Kind string  `json:"kind"` // other_target | suspended | sessions | clock_step
	AtS  float64 `json:"at_s"`
}

// Census is what every second was for an objective about seconds. States has a
// letter for each second of the plan: g good, b bad, d doubtful, u unknown, - not
// judged. Target is the share of good seconds wanted.
type Census struct {
	Target    float64 `json:"target"`
	TotalS    int     `json:"total_s"`
	BadS      int     `json:"bad_s"`
	DoubtfulS int     `json:"doubtful_s"`
	UnknownS  int     `json:"unknown_s"`
	States    string  `json:"states"`
}

// Comeback is how the recovery from one storm was seen: TookS after EndS, null
// where it was not; not before RefutedS. Told: enough answers say who gave them.
type Comeback struct {
	EndS     float64  `json:"end_s"`
	TookS    *float64 `json:"took_s"`
	RefutedS float64  `json:"refuted_s"`
	Told     bool     `json:"told"`
}

// Drop is a cause for which the generator, or the target, dropped starts.
type Drop struct {
	Outcome string `json:"outcome"` // dropped_target | dropped_generator
	Cause   string `json:"cause"`
	N       int64  `json:"n"`
}

func judgingOf(in input) Judging {
	s, f := in.scenario, in.Facts
	j := Judging{
		Gate: string(s.SLA.Gate), Confidence: confidenceOf(s), OnInconclusive: "fail", RateLimited: string(scenario.PolicyBad),
		Memory: string(s.Checks.Memory), Load: "closed", TurnsTogether: s.TurnsTogether(), Users: s.UsersTold(), TimeoutS: roundS(s.Target.Timeout.D()),
		Interrupted: f.Interrupted.OrEmpty(), Aborted: f.Aborted.OrEmpty(), Signal: in.Signal, MissingShards: orEmpty(f.Missing), CutShards: []string{}, JournalGaps: f.Gaps,
		ConversationsAsked: f.Generator.Asked, AtBest: boundOf(in.judged.Best), AtWorst: boundOf(in.judged.Worst),
		Incidents: make([]Incident, 0, len(f.Incidents)),
	}
	if j.Gate == "" {
		j.Gate = string(scenario.GateInference)
	}
	if in.InconclusivePasses {
		j.OnInconclusive = "pass"
	}
	switch {
	case s.SLA.RateLimited.Contract > 0:
		j.RateLimited, j.ContractPerS = "contract", float64(s.SLA.RateLimited.Contract)
	case s.SLA.RateLimited.Policy != "":
		j.RateLimited = string(s.SLA.RateLimited.Policy)
	}
	if s.Load.Open() {
		j.Load = "open"
	}
	for _, c := range f.Cut {
		j.CutShards = append(j.CutShards, c.Shard)
	}
	for _, i := range f.Incidents {
		j.Incidents = append(j.Incidents, Incident{Kind: string(i.Kind), AtS: roundS(i.At)})
	}
	return j
}

func confidenceOf(s *scenario.Scenario) float64 {
	if c := float64(s.SLA.Confidence); c > 0 && c < 1 {
		return c
	}
	return 0.95
}

func censusOf(c *sla.Census) *Census {
	if c == nil {
		return nil
	}
	target := math.Round(c.Target*1e9) / 1e9
	return &Census{Target: target, TotalS: c.Total, BadS: c.Bad, DoubtfulS: c.Doubtful, UnknownS: c.Unknown, States: c.States}
}

func comebacksOf(list []sla.Comeback) (out []Comeback) {
	for _, c := range list {
		out = append(out, Comeback{EndS: roundS(c.End), TookS: optionalS(c.Took), RefutedS: roundS(c.Refuted), Told: c.Told})
	}
	return out
}

func dropsOf(s *measure.Snapshot) []Drop {
	out := []Drop{}
	for _, f := range s.Failures {
		if f.Outcome == measure.DroppedTarget || f.Outcome == measure.DroppedGenerator {
			out = append(out, Drop{Outcome: f.Outcome.String(), Cause: f.Message, N: f.Count})
		}
	}
	return out
}
