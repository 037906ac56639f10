package tune

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// Metric is one figure of a run. Unit is ns, share, per_s, us, count or bytes.
type Metric struct {
	Name, Unit string
	sla.Metric
	// Held: what conversations cost while they are open, which is only looked at where
	// variants differ in how they are held.
	Held bool
}

// Metrics are those that variants are compared by.
func Metrics() []Metric {
	less := sla.Metric{Margin: sla.LatencyMargin}
	share := sla.Metric{HigherIsBetter: true, Margin: sla.ShareMargin, Points: true}
	return []Metric{
		{"mean", "ns", less, false},
		{"P50", "ns", less, false},
		{"P99", "ns", less, false},
		{"turns", "per_s", sla.Metric{HigherIsBetter: true, Margin: sla.ThroughputMargin}, false},
		{"answered", "share", share, false},
		{"full quality", "share", share, false},
		{"target CPU per turn", "us", less, false},
		{"LLM calls per turn", "count", less, false},
		{"Redis round trips per turn", "count", less, false},
		{"connections", "count", less, true},
		{"target memory per conversation", "bytes", less, true},
		{"target CPU per conversation", "us", less, true},
	}
}

// leastForP99 is how many answers a P99 of one run needs: with fewer it is the maximum.
const leastForP99 = 200

// Figures are what a run measured, by the name of the metric; one that is not
// known is not in it. Times, rate and shares are of turns intended in whole
// seconds of judged stages, so that what warms up is not in them; CPU, calls and
// round trips are of the run as a whole, divided by all its turns. Memory is what the
// target had more at the most than before the load, by the conversations that were
// open at the most; CPU per conversation is by those that were begun.
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
			case outcome != measure.DroppedGenerator && !measure.ToRefuse.Has(outcome):
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
	if facts != nil && snap.Turns() > 0 {
		ofTarget(out, snap, facts)
	}
	return out
}

// ofTarget adds what the target and those behind it used.
func ofTarget(out map[string]float64, snap *measure.Snapshot, facts *measure.Facts) {
	all := float64(snap.Turns())
	var open int64
	for _, s := range facts.Generator.Seconds {
		open = max(open, s.Conversations)
	}
	var used time.Duration
	var more int64
	knowsBefore := true
	for _, p := range facts.Processes {
		if measure.IsBundledServer(p.Name) {
			used += p.CPU
			more += p.MaxRSS - p.BaseRSS
			knowsBefore = knowsBefore && p.BaseRSS > 0
		}
	}
	if used > 0 {
		out["target CPU per turn"] = float64(used.Nanoseconds()) / 1e3 / all
		if snap.Started > 0 {
			out["target CPU per conversation"] = float64(used.Nanoseconds()) / 1e3 / float64(snap.Started)
		}
	}
	if knowsBefore && more > 0 && open > 0 {
		out["target memory per conversation"] = float64(more) / float64(open)
	}
	if facts.LLMKnown {
		out["LLM calls per turn"] = float64(facts.LLMCalls) / all
	}
	if t := &facts.Target; t.RoundTripsKnown {
		out["Redis round trips per turn"] = float64(t.RoundTrips) / all
		if t.Connections > 0 {
			out["connections"] = float64(t.Connections)
		}
	}
}

// WithoutHeld takes out what conversations cost while they are open.
func WithoutHeld(figures map[string]float64) map[string]float64 {
	for _, m := range Metrics() {
		if m.Held {
			delete(figures, m.Name)
		}
	}
	return figures
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
