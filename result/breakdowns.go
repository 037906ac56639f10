package result

import (
	"strconv"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// breakdowns are the response times by stage, storm phase, turn, conversation, tier
// and group, those of which there is anything.
func breakdowns(in input) []Breakdown {
	out := []Breakdown{}
	s := in.Snapshot
	for _, stage := range s.Plan.Stages {
		out = appendSpan(out, s, span{by: "stage", name: stage.Name, from: stage.Start, to: stage.End})
	}
	for _, p := range phases(in.judged.Storms, s) {
		out = appendSpan(out, s, p)
	}
	whole := dependence(s, true)
	out = append(out, bySlot(s, "turn", func(slot measure.Slot) string { return strconv.Itoa(slot.Index + 1) }, whole)...)
	out = append(out, bySlot(s, "conversation", func(slot measure.Slot) string { return slot.Conversation }, whole)...)
	answered := dependence(s, false)
	for _, tier := range []measure.Tier{measure.TierLLM, measure.TierFAQ, measure.TierHandoff, measure.TierStatic, measure.TierUnknown} {
		if t := &s.TierTimes[tier]; t.N() > 0 {
			out = append(out, Breakdown{By: "tier", Name: tier.String(), Latency: quantilesOf(t, 0, answered)})
		}
	}
	for i, name := range s.Plan.Groups {
		g := &s.Groups[i]
		failed := int64(0)
		for o, n := range g.Outcomes {
			if !measure.Answered.Has(measure.Outcome(o)) && measure.Outcome(o) != measure.Refused {
				failed += n
			}
		}
		if g.Response.N()+failed > 0 {
			out = append(out, Breakdown{
				By: "group", Name: name, Latency: quantilesOf(&g.Response, failed, whole),
				Got: &Got{OK: g.Outcomes[measure.OK], Degraded: g.Outcomes[measure.Degraded], Other: g.Response.N() - g.Outcomes[measure.OK] - g.Outcomes[measure.Degraded], Failed: failed},
			})
		}
	}
	return out
}

// span is a stretch of the load's time, [from, to).
type span struct {
	by, name, of string
	from, to     time.Duration
}

// phases are the four around each storm: what was before it (since the one before
// had passed), the storm, its recovery, and after (until the next). A recovery that
// was not seen lasts to the next storm or the end; one of no time has no row.
func phases(storms []sla.StormResult, s *measure.Snapshot) (out []span) {
	end := time.Duration(s.First+len(s.Seconds)) * time.Second
	from := time.Duration(0)
	for i, storm := range storms {
		next := end
		if i+1 < len(storms) {
			next = max(storms[i+1].Start, storm.Start)
		}
		over := storm.End
		if over <= 0 {
			over = end
		}
		recovered := next
		if storm.Latency != nil && storm.Quality != nil {
			recovered = over + max(*storm.Latency, *storm.Quality)
		}
		// Storms that overlap have the phases that are left between them.
		over = min(max(over, storm.Start), max(next, storm.Start))
		recovered = min(max(recovered, over), next)
		for _, p := range []span{
			{"storm", "before", storm.Name, from, storm.Start},
			{"storm", "during", storm.Name, storm.Start, over},
			{"storm", "recovery", storm.Name, over, recovered},
			{"storm", "after", storm.Name, recovered, next},
		} {
			if p.to > p.from {
				out = append(out, p)
			}
		}
		from = recovered
	}
	return out
}

// appendSpan adds the seconds of a stretch up. A second belongs where its middle
// lies: edges of storms are a millisecond beside whole seconds.
func appendSpan(out []Breakdown, s *measure.Snapshot, p span) []Breakdown {
	part := &measure.Snapshot{Plan: s.Plan}
	var times measure.Sketch
	var failed int64
	for i := range s.Seconds {
		at := time.Duration(s.First+i)*time.Second + time.Second/2
		if at < p.from || at >= p.to {
			continue
		}
		second := &s.Seconds[i]
		part.Seconds = append(part.Seconds, *second)
		times.Add(&second.Response)
		failed += unanswered(second)
	}
	if times.N()+failed == 0 {
		return out
	}
	from, to := roundS(p.from), roundS(p.to)
	return append(out, Breakdown{By: p.by, Name: p.name, Of: p.of, FromS: &from, ToS: &to, Latency: quantilesOf(&times, failed, dependence(part, true))})
}

// unanswered is how many turns of a second nobody answered, with starts that the
// target kept from becoming one.
func unanswered(s *measure.Second) int64 {
	n := s.Turns() + int64(s.Outcomes[measure.DroppedTarget])
	for o := measure.OK; o <= measure.Censored; o++ {
		if measure.Answered.Has(o) || measure.ToRefuse.Has(o) {
			n -= int64(s.Outcomes[o])
		}
	}
	return n
}

// bySlot adds turns up that have the same name.
func bySlot(s *measure.Snapshot, by string, name func(measure.Slot) string, deff func(q float64) float64) []Breakdown {
	var names []string
	times, failed := map[string]*measure.Histogram{}, map[string]int64{}
	for i := range s.Slots {
		key := name(s.Plan.Slots[i])
		if times[key] == nil {
			names = append(names, key)
			times[key] = measure.NewHistogram()
		}
		// Both are of one precision and far below any count that does not fit.
		_ = times[key].Add(s.Slots[i].Response)
		failed[key] += max(s.Slots[i].Turns-s.Slots[i].Answered, 0)
	}
	var out []Breakdown
	for _, key := range names {
		if times[key].N()+failed[key] > 0 {
			out = append(out, Breakdown{By: by, Name: key, Latency: quantilesOf(times[key], failed[key], deff)})
		}
	}
	return out
}
