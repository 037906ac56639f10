package result

import (
	"math"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// fillLatency sets the three views of latency, the optional timings and the
// percentile plot.
func (d *Document) fillLatency(s *measure.Snapshot) {
	response, service := s.Timings[measure.Response], s.Timings[measure.Service]
	answered := response.N()
	failed := max(d.Counts.Asked()-d.Counts.Excluded+d.Counts.DroppedTarget-answered, 0)
	d.Latency = Latency{
		Response: quantilesOf(response, 0, dependence(s, false)), Service: quantilesOf(service, 0, dependence(s, false)),
		FailedAsInfinite: quantilesOf(response, failed, dependence(s, true)),
	}
	d.Latency.Judged = judgedOnly(s)
	d.FirstToken = optionalQuantiles(s.Timings[measure.FirstToken], dependence(s, false))
	d.FirstReasoning = optionalQuantiles(s.Timings[measure.FirstReasoning], dependence(s, false))
	d.ChunkGap = optionalQuantiles(s.Timings[measure.ChunkGap], dependence(s, false))
	d.TokenTime = optionalQuantiles(s.Timings[measure.TokenTime], dependence(s, false))
	d.Connect = optionalQuantiles(s.Timings[measure.Connect], dependence(s, false))
	d.Distribution = Distribution{
		Response: pointsOf(response, 0), Service: pointsOf(service, 0), FailedAsInfinite: pointsOf(response, failed),
	}
}

// judgedOnly are the answers of judged stages, where they are not all.
func judgedOnly(s *measure.Snapshot) *Quantiles {
	var stages uint64
	others := false
	for i, stage := range s.Plan.Stages {
		if stage.Judged {
			stages |= 1 << i
		} else {
			others = true
		}
	}
	if !others || stages == 0 {
		return nil
	}
	times := sla.ResponsesIn(s, stages)
	part := &measure.Snapshot{Plan: s.Plan}
	for i := range s.Seconds {
		if stage := s.Plan.StageAt(time.Duration(s.First+i)*time.Second + time.Second/2); stages&(1<<stage) != 0 {
			part.Seconds = append(part.Seconds, s.Seconds[i])
		}
	}
	q := quantilesOf(&times, 0, dependence(part, false))
	return &q
}

func turnRows(s *measure.Snapshot) []TurnRow {
	out := make([]TurnRow, 0, len(s.Plan.Slots))
	for i, slot := range s.Plan.Slots {
		row := TurnRow{Conversation: slot.Conversation, Index: slot.Index + 1, Say: slot.Say}
		if i < len(s.Slots) {
			row.N = s.Slots[i].Turns
			row.Latency = quantilesOf(s.Slots[i].Response, 0, dependence(s, false))
		}
		out = append(out, row)
	}
	return out
}

func optionalQuantiles(h *measure.Histogram, deff func(q float64) float64) *Quantiles {
	if h.N() == 0 {
		return nil
	}
	q := quantilesOf(h, 0, deff)
	return &q
}

// dependence is the design effect of a run's response times at a quantile,
// computed once for each. Other durations of the run hang together at most as
// its turns do.
func dependence(s *measure.Snapshot, withFailures bool) func(q float64) float64 {
	known := map[float64]float64{}
	return func(q float64) float64 {
		if _, ok := known[q]; !ok {
			known[q] = sla.QuantileDesignEffect(s, q, 0.95, withFailures)
		}
		return known[q]
	}
}

// distribution is what quantiles are taken of.
type distribution interface {
	sla.Ordered
	Mean() (time.Duration, bool)
	Max() time.Duration
}

// quantilesOf h, and of failed more turns that took for ever; deff is the design
// effect at a quantile.
func quantilesOf(h distribution, failed int64, deff func(q float64) float64) Quantiles {
	answered := h.N()
	out := Quantiles{N: answered + failed, FiniteShare: 1}
	if out.N == 0 {
		return out
	}
	out.FiniteShare = float64(answered) / float64(out.N)
	for _, q := range []struct {
		q      float64
		to     **int64
		bounds **[2]*int64
	}{
		{0.5, &out.P50Ns, &out.P50BoundsNs},
		{0.9, &out.P90Ns, &out.P90BoundsNs},
		{0.95, &out.P95Ns, &out.P95BoundsNs},
		{0.99, &out.P99Ns, &out.P99BoundsNs},
		{0.999, &out.P999Ns, &out.P999BoundsNs},
	} {
		p := sla.PercentileOf(h, q.q, failed, deff(q.q))
		if p.Value != nil {
			*q.to = nanoseconds(*p.Value)
		}
		if p.Bounded && p.Lower != nil {
			*q.bounds = &[2]*int64{nanoseconds(*p.Lower), nil}
			if p.Upper != nil {
				(*q.bounds)[1] = nanoseconds(*p.Upper)
			}
		}
	}
	if v, ok := h.Mean(); ok && failed == 0 {
		out.MeanNs, out.MaxNs = nanoseconds(v), nanoseconds(h.Max())
	}
	return out
}

// QuantileNeeds is how many samples a quantile q of Quantiles takes: those of a
// two-sided 95 % interval.
func QuantileNeeds(q float64) int64 { return sla.QuantileNeeds(q, 0.95) }

// pointsOf samples the distribution evenly on the axis log10(1/(1−q)), as far
// as the samples carry it.
func pointsOf(h *measure.Histogram, failed int64) []Point {
	out := []Point{}
	n := h.N() + failed
	const perDecade = 12
	for i := 0; i <= 6*perDecade; i++ {
		q := 1 - math.Pow(10, -float64(i)/perDecade)
		v, ok := h.QuantileWithFailures(q, failed)
		if !ok || (1-q)*float64(n) < 1 {
			break
		}
		out = append(out, Point{Q: math.Round(q*1e9) / 1e9, Ns: v.Nanoseconds()})
	}
	return out
}

func nanoseconds(d time.Duration) *int64 {
	ns := d.Nanoseconds()
	return &ns
}

func optionalNs(d time.Duration, ok bool) *int64 {
	if !ok {
		return nil
	}
	return nanoseconds(d)
}
