package result

import (
	"math"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// afterStages is the stage name of seconds past the last stage.
const afterStages = "drain"

func seriesOf(in input) []Second {
	snap := in.Snapshot
	health := map[int]measure.GeneratorSecond{}
	for _, g := range in.Facts.Generator.Seconds {
		health[g.Second] = g
	}
	calls := map[int]int64{}
	for _, c := range in.Facts.Calls {
		calls[c.Second] += c.Calls
	}
	planned := plannedStarts(in.scenario, snap.First+len(snap.Seconds))
	positions := positionsOf(snap.Plan)
	out := make([]Second, len(snap.Seconds))
	for i := range snap.Seconds {
		src, at := &snap.Seconds[i], snap.First+i
		s := Second{
			TS: at, Stage: stageAt(snap.Plan, at), Starts: int64(src.Starts), InFlight: health[at].InFlight, Conversations: health[at].Conversations,
			OK: int64(src.Outcomes[measure.OK]), Degraded: int64(src.Outcomes[measure.Degraded]),
			Unexpected: int64(src.Outcomes[measure.Unexpected]),
			Dropped:    int64(src.Outcomes[measure.DroppedTarget]) + int64(src.Outcomes[measure.DroppedGenerator]),
			P50Ns:      optionalNs(sla.Shown(&src.Response, 0.50)), P90Ns: optionalNs(sla.Shown(&src.Response, 0.90)), P95Ns: optionalNs(sla.Shown(&src.Response, 0.95)),
			P99Ns: optionalNs(sla.Shown(&src.Response, 0.99)), P999Ns: optionalNs(sla.Shown(&src.Response, 0.999)), MaxNs: optionalNs(src.Response.Quantile(1)),
			LagP99Ns: optionalNs(sla.Shown(&src.Lag, 0.99)), Tiers: tiersOf(src.Tiers, src.Outcomes),
		}
		for o := measure.OK; o <= measure.Censored; o++ {
			s.Turns += int64(src.Outcomes[o])
			if n := int64(src.Outcomes[o]); n > 0 && !measure.Answered.Has(o) && o != measure.Refused {
				if s.Errors == nil {
					s.Errors = map[string]int64{}
				}
				s.Errors[o.String()] = n
			}
		}
		of := sla.SharesOf(snap.Plan, src)
		for p := range positions {
			s.TurnMeanNs = append(s.TurnMeanNs, optionalNs(src.Positions[p].Mean()))
		}
		s.Valid, s.Answered, s.Goodput, s.FullQuality = of.Valid, of.Answered, of.Goodput, of.FullQuality
		s.DroppedTarget = int64(src.Outcomes[measure.DroppedTarget])
		s.TierUntold, s.DegradedUntold = sla.UntoldOf(in.scenario, snap.Plan, src)
		s.Bad = s.Turns - s.OK - s.Degraded - s.Unexpected - int64(src.Outcomes[measure.Refused])
		s.Tier = mostOf(s.Tiers)
		if planned != nil {
			s.StartsPlanned = known(planned[at])
		}
		if in.Facts.LLMKnown {
			n := calls[at]
			s.LLMCalls = &n
		}
		out[i] = s
	}
	return out
}

// positionsOf is how many turns of a conversation are told apart over time, 0 where
// there is but one.
func positionsOf(p *measure.Plan) int {
	last := 0
	for _, s := range p.Slots {
		last = max(last, s.Index)
	}
	if last == 0 {
		return 0
	}
	return min(last+1, measure.Positions)
}

func stageAt(p *measure.Plan, second int) string {
	at := time.Duration(second) * time.Second
	for _, s := range p.Stages {
		if at >= s.Start && at < s.End {
			return s.Name
		}
	}
	return afterStages
}

// mostOf names the tier with the most answers, the better one of equals.
func mostOf(t Tiers) string {
	name, most := "", int64(0)
	for _, x := range []struct {
		name string
		n    int64
	}{{"llm", t.LLM}, {"faq", t.FAQ}, {"handoff", t.Handoff}, {"static", t.Static}, {"unknown", t.Unknown}} {
		if x.n > most {
			name, most = x.name, x.n
		}
	}
	return name
}

// plannedStarts is how many conversations the plan starts in each second on
// average: the integral of the stages' linear ramps. Nil for a closed load.
func plannedStarts(s *scenario.Scenario, seconds int) []float64 {
	if !s.Load.Open() {
		return nil
	}
	out := make([]float64, seconds)
	begin := 0.0
	for _, st := range s.Load.Stages {
		length := st.For.D().Seconds()
		if st.Starts != nil && length > 0 {
			from, slope := float64(st.Starts.From), (float64(st.Starts.To)-float64(st.Starts.From))/length
			for i := int(begin); i < seconds && float64(i) < begin+length; i++ {
				a, b := max(float64(i), begin)-begin, min(float64(i+1), begin+length)-begin
				out[i] += from*(b-a) + slope*(b*b-a*a)/2
			}
		}
		begin += length
	}
	for i, v := range out {
		out[i] = math.Round(v*1000) / 1000
	}
	return out
}

// burnOf follows the budgets of objectives that allow a share of turns to be bad.
func burnOf(in input) []Burn {
	out := []Burn{}
	for b, budget := range in.Snapshot.Plan.Budgets {
		var target float64
		var kind scenario.ObjectiveKind
		found := false
		for _, j := range in.judged.Objectives {
			if j.Name == budget.Name && j.Unit == "share" {
				target, kind, found = j.Target, j.Kind, true
			}
		}
		if !found {
			continue
		}
		row := Burn{Objective: budget.Name, N: make([]int64, len(in.Snapshot.Seconds)), Bad: make([]int64, len(in.Snapshot.Seconds))}
		var n, bad int64
		for i, s := range in.Snapshot.Seconds {
			skipped := kind == scenario.KindFullQuality && in.judged.IsExcused(in.Snapshot.First+i)
			if b < len(s.Budgets) && !skipped {
				n += int64(s.Budgets[b].N)
				bad += int64(s.Budgets[b].Bad)
			}
			row.N[i], row.Bad[i] = n, bad
		}
		row.Allowed = math.Round((1-target)*float64(n)*1e6) / 1e6
		out = append(out, row)
	}
	return out
}
