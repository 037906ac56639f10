package pool

import (
	"math"
	"slices"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// Objective is one thing the SLA asks, judged over the runs. Measured, Lower,
// Upper and Target are in Unit, as those of a run are.
type Objective struct {
	Name     string                 `json:"name"`
	Kind     scenario.ObjectiveKind `json:"kind"`
	Unit     string                 `json:"unit"`
	Target   *float64               `json:"target"`
	LimitNs  *int64                 `json:"limit_ns"`
	Measured *float64               `json:"measured"`
	Lower    *float64               `json:"lower"`
	Upper    *float64               `json:"upper"`
	N        int64                  `json:"n"`
	Bad      int64                  `json:"bad"`
	Verdict  string                 `json:"verdict"`
	Reason   string                 `json:"reason"`
	Codes    reason.Reasons         `json:"reason_codes"`
	// DEFF is the design effect of turns and runs. Between is the standard deviation
	// of the runs' true shares, BetweenP how likely runs that do not differ scatter as
	// much; null where nothing is inferred.
	DEFF     *float64 `json:"deff"`
	Between  *float64 `json:"between"`
	BetweenP *float64 `json:"between_p"`
	// Shares are what each run that is pooled measured, in the order of the runs.
	Shares []*float64 `json:"runs"`
}

// surely is how unlikely the scatter of runs must be by chance to be told of.
const surely = 0.05

// judge sets the objectives, the verdict and its reasons.
func (r *Result) judge(used []result.Run) {
	var failed, open reason.Reasons
	if len(used) == 0 {
		open = append(open, reason.New(reason.PoolNothing))
	}
	if len(used) == 1 {
		open = append(open, reason.New(reason.PoolOne))
	}
	for _, u := range used {
		if n := u.Doc.Counts.Integrity; n > 0 {
			failed = append(failed, reason.New(reason.PoolIntegrity, u.Doc.RunID, n))
		}
		if n := u.Doc.Counts.LetIn; n > 0 {
			failed = append(failed, reason.New(reason.PoolLetIn, u.Doc.RunID, n))
		}
		for _, s := range u.Doc.Storms {
			if s.Metastable {
				failed = append(failed, reason.New(reason.PoolMetastable, u.Doc.RunID, s.Name))
			}
		}
		if codes := ofTheRun(u.Doc); len(codes) > 0 {
			open = append(open, reason.New(reason.PoolUnseen, u.Doc.RunID, codes))
		}
	}
	for i := range objectivesOf(used) {
		o, needed := over(used, i)
		r.Objectives = append(r.Objectives, o)
		line := reason.New(reason.ObjectiveSays, o.Name, o.Codes)
		switch {
		case o.Verdict == sla.Fail.String():
			failed = append(failed, line)
		case o.Verdict == sla.Inconclusive.String(), o.Verdict == sla.NotVerified.String() && needed:
			open = append(open, line)
		}
	}
	if n := len(r.LeftOut); n > 0 && r.picked > 0 {
		open = append(open, reason.New(reason.PoolPicked, n, n+len(r.Runs)))
	}
	r.ReasonCodes = slices.Concat(failed, open)
	verdict := sla.Pass
	switch {
	case len(failed) > 0:
		verdict = sla.Fail
	case len(open) > 0:
		verdict = sla.Inconclusive
	}
	r.Verdict, r.ExitCode = verdict.String(), result.ExitCode(verdict, 0, false)
}

// ofTheRun are the reasons of a run that no objective tells of and that are not told
// otherwise: another server answered, the guard ended it, its journal has gaps.
func ofTheRun(d *result.Document) (list reason.Reasons) {
	for _, r := range d.ReasonCodes {
		switch r.Code {
		case reason.ObjectiveSays, reason.ForeignContent, reason.LetIn, reason.Metastable:
		default:
			list = append(list, r)
		}
	}
	return list
}

func objectivesOf(used []result.Run) []result.Objective {
	if len(used) == 0 {
		return nil
	}
	return used[0].Doc.Objectives
}

// over judges objective i over the runs; needed tells whether a run does not pass
// without it.
func over(used []result.Run, i int) (o Objective, needed bool) {
	first := used[0].Doc.Objectives[i]
	o = Objective{Name: first.Name, Kind: first.Kind, Unit: first.Unit, Target: first.Target, LimitNs: first.LimitNs}
	var each []result.Objective
	for _, u := range used {
		one := result.Objective{Name: o.Name, Verdict: sla.NotVerified.String()}
		for _, x := range u.Doc.Objectives {
			if x.Name == o.Name {
				one = x
			}
		}
		each = append(each, one)
		o.Shares = append(o.Shares, one.Measured)
		o.N += one.N
		o.Bad += one.Bad
		needed = needed || says(u.Doc, o.Name)
	}
	switch {
	case o.Unit == "share" && o.Kind != scenario.KindObserved && o.Kind != scenario.KindClient:
		o.share(used, each)
	case o.Kind == scenario.KindSeconds:
		o.seconds(each)
	default:
		o.worst(each)
	}
	o.unseen(used, each)
	o.Codes = o.Codes.OrEmpty()
	o.Reason = o.Codes.Text(reason.English)
	return o, needed
}

// says tells whether an objective is among the reasons of a run's verdict.
func says(d *result.Document, name string) bool {
	for _, r := range d.ReasonCodes {
		if r.Code == reason.ObjectiveSays && len(r.Args) > 0 && r.Args[0] == name {
			return true
		}
	}
	return false
}

// share infers from the turns of all runs and the scatter between them.
func (o *Objective) share(used []result.Run, each []result.Objective) {
	samples := make([]sla.Sample, len(each))
	confidence, deff := 0.95, 1.0
	for i, x := range each {
		samples[i] = sla.Sample{Bad: x.Bad, N: x.N}
		if x.Confidence != nil {
			confidence = *x.Confidence
		}
		if x.DEFF != nil {
			deff = max(deff, *x.DEFF)
		}
	}
	if o.N == 0 || o.Target == nil {
		o.worst(each)
		return
	}
	allowed := 1 - *o.Target
	p := sla.Pool(samples, allowed, confidence, deff)
	bad := float64(p.Bad) / float64(p.N)
	if measured(used) {
		p.Verdict = sla.Fail
		if float64(p.Bad) <= allowed*float64(p.N)+1e-9 {
			p.Verdict = sla.Pass
		}
	}
	o.Measured, o.Lower, o.Upper = known(1-bad), known(1-p.Upper), known(1-p.Lower)
	o.DEFF, o.Between, o.BetweenP = known(p.DEFF), known(p.Between), known(p.P)
	o.Verdict = p.Verdict.String()
	o.Codes = reason.Reasons{reason.New(reason.PoolShare, p.Verdict.Word(), unit.Share(bad), unit.Share(allowed), p.Bad, p.N, len(used))}
	switch says := reason.PoolInferred; {
	case measured(used) && p.Verdict == sla.Pass:
		o.Codes = append(o.Codes, reason.New(reason.GateMet, unit.Share(bad), unit.Share(allowed)))
	case measured(used):
		o.Codes = append(o.Codes, reason.New(reason.GateNotMet, unit.Share(bad), unit.Share(allowed)))
	default:
		if p.Verdict == sla.Inconclusive {
			says = reason.PoolNotInferred
		}
		o.Codes = append(o.Codes, reason.New(says, unit.Share(confidence), unit.Share(p.Lower), unit.Share(p.Upper)))
	}
	if p.P < surely && p.Between > 0 {
		o.Codes = append(o.Codes, reason.New(reason.PoolBetween, unit.Share(p.Between)))
	}
}

// measured tells whether what was measured decides in the scenario, not what can be
// inferred from it: then it does so of the sum, too, whatever the runs differ by.
func measured(used []result.Run) bool {
	return used[0].Doc.Judging.Gate == string(scenario.GateMeasured)
}

// seconds adds the census of the runs up. What each may have is rounded down, so
// up to one more of each decides nothing.
func (o *Objective) seconds(each []result.Objective) {
	allowed := 0.0
	for _, x := range each {
		if x.Target == nil || x.Verdict == sla.NotVerified.String() {
			o.worst(each)
			return
		}
		allowed += *x.Target
	}
	bad := float64(o.Bad)
	o.Target, o.Measured, o.Lower, o.Upper = known(allowed), known(bad), known(bad), known(bad)
	verdict := sla.Pass
	switch {
	case bad > allowed+float64(len(each)):
		verdict = sla.Fail
	case bad > allowed:
		verdict = sla.Inconclusive
	}
	o.Verdict = verdict.String()
	o.Codes = reason.Reasons{reason.New(reason.PoolCounted, verdict.Word(), o.Bad, allowed)}
}

// worst takes the verdict of the run in which the objective came off worst.
func (o *Objective) worst(each []result.Objective) {
	rank := func(verdict string) int {
		switch verdict {
		case sla.Fail.String():
			return 3
		case sla.Inconclusive.String():
			return 2
		case sla.NotVerified.String():
			return 1
		}
		return 0
	}
	worst := each[0]
	for _, x := range each[1:] {
		switch a, b := rank(x.Verdict), rank(worst.Verdict); {
		case a > b, a == b && more(x.Measured, worst.Measured):
			worst = x
		}
	}
	o.Measured, o.Lower, o.Upper, o.Verdict = worst.Measured, worst.Lower, worst.Upper, worst.Verdict
	o.Codes = reason.Reasons{reason.New(reason.PoolWorst, reason.Word(worst.Verdict), worst.ReasonCodes)}
}

// unseen takes a pass back that rests on turns or seconds which one run could not
// see: there too it was not its number of turns that kept it from a pass.
func (o *Objective) unseen(used []result.Run, each []result.Objective) {
	if o.Verdict != sla.Pass.String() {
		return
	}
	for i, x := range each {
		open := x.Verdict == sla.NotVerified.String()
		if x.Verdict == sla.Inconclusive.String() {
			open = measured(used) || x.Unit != "share" || x.Target == nil || x.Confidence == nil || x.DEFF == nil ||
				sla.Infer(x.Bad, x.N, 1-*x.Target, *x.Confidence, *x.DEFF) == sla.Pass
		}
		if open {
			o.Verdict = sla.Inconclusive.String()
			o.Codes = append(o.Codes, reason.New(reason.PoolUnseen, used[i].Doc.RunID, x.ReasonCodes))
			return
		}
	}
}

func more(a, b *float64) bool { return a != nil && (b == nil || *a > *b) }

func known(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
