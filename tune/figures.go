package tune

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// Metric is one figure of a run. Unit is ns, share, per_s, us or count.
type Metric struct {
	Name, Unit string
	sla.Metric
}

// Metrics are those that variants are compared by.
func Metrics() []Metric {
	less := sla.Metric{Margin: sla.LatencyMargin}
	share := sla.Metric{HigherIsBetter: true, Margin: sla.ShareMargin, Points: true}
	return []Metric{
		{"mean", "ns", less},
		{"P50", "ns", less},
		{"P99", "ns", less},
		{"turns", "per_s", sla.Metric{HigherIsBetter: true, Margin: sla.ThroughputMargin}},
		{"answered", "share", share},
		{"full quality", "share", share},
		{"target CPU per turn", "us", less},
		{"LLM calls per turn", "count", less},
	}
}

// leastForP99 is how many answers a P99 of one run needs: with fewer it is the maximum.
const leastForP99 = 200

// Figures are what a run measured, by the name of the metric; one that is not
// known is not in it. Times, rate and shares are of turns intended in whole
// seconds of judged stages, so that what warms up is not in them; CPU and calls
// are of the run as a whole, divided by all its turns.
func Figures(snap *measure.Snapshot, facts *measure.Facts) map[string]float64 {
	out := map[string]float64{}
	var (
		times                       measure.Sketch
		seconds                     int
		turns, answered, ok, failed int64
	)
	for i := range snap.Seconds {
		if !judged(snap.Plan, snap.First+i) {
			continue
		}
		s := &snap.Seconds[i]
		seconds++
		times.Add(&s.Response)
		for o, n := range s.Outcomes {
			switch outcome := measure.Outcome(o); {
			case measure.Answered.Has(outcome):
				answered += int64(n)
			case outcome != measure.DroppedGenerator:
				failed += int64(n)
			}
		}
		ok += int64(s.Outcomes[measure.OK])
	}
	if turns = answered + failed; turns > 0 {
		out["answered"], out["full quality"] = float64(answered)/float64(turns), float64(ok)/float64(turns)
		out["turns"] = float64(answered) / float64(seconds)
	}
	if mean, known := times.Mean(); known {
		out["mean"] = float64(mean)
		median, _ := times.Quantile(0.5)
		out["P50"] = float64(median)
	}
	if p99, known := times.Quantile(0.99); known && times.N() >= leastForP99 {
		out["P99"] = float64(p99)
	}
	if all := float64(snap.Turns()); all > 0 && facts != nil {
		var used time.Duration
		for _, p := range facts.Processes {
			if measure.IsBundledServer(p.Name) {
				used += p.CPU
			}
		}
		if used > 0 {
			out["target CPU per turn"] = float64(used.Nanoseconds()) / 1e3 / all
		}
		if facts.LLMKnown {
			out["LLM calls per turn"] = float64(facts.LLMCalls) / all
		}
	}
	return out
}

// judged tells whether a whole second lies in judged stages.
func judged(p *measure.Plan, second int) bool {
	from, to := time.Duration(second)*time.Second, time.Duration(second+1)*time.Second
	if to > p.End() {
		return false
	}
	for i := p.StageAt(from); i >= 0 && i < len(p.Stages) && p.Stages[i].Start < to; i++ {
		if !p.Stages[i].Judged {
			return false
		}
	}
	return true
}
