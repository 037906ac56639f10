package result

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// shareMargin is how far apart two equivalent shares may be.
const shareMargin = 0.002

// Metric is one figure of a Document and what a change of it means. Of gives nil
// where a result does not tell it.
type Metric struct {
	Name, Unit string  // ns | share | per_s | us
	Margin     float64 // a change that is no larger means nothing
	MoreIs     string  // better | worse
	Of         func(*Document) *float64
}

// Relative tells whether changes are ratios, as of times and rates, and not points.
func (m Metric) Relative() bool { return m.Unit != "share" }

// Change is how far after lies from before, as the metric reads it; nil where that
// is no number.
func (m Metric) Change(before, after float64) *float64 {
	switch {
	case !m.Relative():
		return known(after - before)
	case before <= 0 || after <= 0:
		return nil
	}
	return known(after/before - 1)
}

// Metrics are the figures by which results are compared.
func Metrics() []Metric {
	ns := func(of func(*Document) *int64) func(*Document) *float64 {
		return func(d *Document) *float64 {
			if p := of(d); p != nil {
				v := float64(*p)
				return &v
			}
			return nil
		}
	}
	per := func(n, of int64) *float64 {
		if of == 0 {
			return nil
		}
		return known(float64(n) / float64(of))
	}
	return []Metric{
		{"mean", "ns", sla.LatencyMargin, "worse", ns(func(d *Document) *int64 { return d.Latency.Response.MeanNs })},
		{"P50", "ns", sla.LatencyMargin, "worse", ns(func(d *Document) *int64 { return d.Latency.Response.P50Ns })},
		{"P95", "ns", sla.LatencyMargin, "worse", ns(func(d *Document) *int64 { return d.Latency.Response.P95Ns })},
		{"P99", "ns", sla.LatencyMargin, "worse", ns(func(d *Document) *int64 { return d.Latency.Response.P99Ns })},
		{"answered", "share", shareMargin, "better", func(d *Document) *float64 { return d.Availability.Answers }},
		{"full quality", "share", shareMargin, "better", func(d *Document) *float64 { return per(d.Counts.OK, d.Counts.Asked()) }},
		// Turns that failed make room for more of them: only answers are work done.
		{"answers", "per_s", sla.ThroughputMargin, "better", func(d *Document) *float64 {
			if d.DurationS == 0 {
				return nil
			}
			return known(float64(d.Counts.OK+d.Counts.Degraded+d.Counts.Unexpected) / d.DurationS)
		}},
		{"target CPU per turn", "us", sla.LatencyMargin, "worse", func(d *Document) *float64 {
			used, found := 0.0, false
			for _, p := range d.Processes {
				if measure.IsBundledServer(p.Name) {
					used, found = used+p.CPUS, true
				}
			}
			if !found || d.Counts.Turns == 0 {
				return nil
			}
			return known(used * 1e6 / float64(d.Counts.Turns))
		}},
	}
}
