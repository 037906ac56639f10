package otlp

import (
	"maps"
	"slices"
	"strings"
	"time"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
)

func text(name, value string) *common.KeyValue {
	return &common.KeyValue{Key: name, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

func number(name string, value int64) *common.KeyValue {
	return &common.KeyValue{Key: name, Value: &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: value}}}
}

func attributes(labels []output.Label) (list []*common.KeyValue) {
	for _, l := range labels {
		list = append(list, text(l.Name, l.Value))
	}
	return list
}

func resourceOf(about *output.About) *resource.Resource {
	return &resource.Resource{Attributes: []*common.KeyValue{text("service.name", "cstest"), text("service.version", about.Version), text("service.instance.id", about.RunID)}}
}

func scopeOf(about *output.About) *common.InstrumentationScope {
	return &common.InstrumentationScope{Name: "github.com/cstest/cstest", Version: about.Version}
}

// nameOf is a metric's name here: cstest.turns for cstest_turns_total. unit is its unit.
func nameOf(f *output.Family) (name, unit string) {
	name = strings.TrimSuffix(f.Name, "_total")
	unit = "1"
	if short, ok := strings.CutSuffix(name, "_seconds"); ok {
		name, unit = short, "s"
	}
	return strings.Replace(name, "cstest_", "cstest.", 1), unit
}

// metricsOf are all metrics of a second, since the start of the load.
func metricsOf(second *output.Second, about *output.About, verdict string) (list []*metrics.Metric) {
	at, start := nano(second.At), nano(second.At.Add(-second.Elapsed))
	for _, f := range second.FamiliesUntil(about, verdict) {
		m := &metrics.Metric{Description: f.Help}
		m.Name, m.Unit = nameOf(&f)
		if f.Form == output.Histogram {
			h := &metrics.ExponentialHistogram{AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE}
			for i := range f.Samples {
				p := exponential(f.Samples[i].Distribution)
				p.Attributes, p.TimeUnixNano, p.StartTimeUnixNano = attributes(append(about.Labels(), f.Samples[i].Labels...)), at, start
				h.DataPoints = append(h.DataPoints, p)
			}
			m.Data = &metrics.Metric_ExponentialHistogram{ExponentialHistogram: h}
			list = append(list, m)
			continue
		}
		var points []*metrics.NumberDataPoint
		for _, s := range f.Samples {
			points = append(points, &metrics.NumberDataPoint{
				Attributes: attributes(append(about.Labels(), s.Labels...)), TimeUnixNano: at, StartTimeUnixNano: start,
				Value: &metrics.NumberDataPoint_AsDouble{AsDouble: s.Value},
			})
		}
		if f.Form == output.Counter {
			m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{
				DataPoints: points, IsMonotonic: true, AggregationTemporality: metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
			}}
		} else {
			m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: points}}
		}
		list = append(list, m)
	}
	return list
}

// exponential is a distribution with OpenTelemetry's buckets, of which number i ends
// where the one after it ends at Prometheus.
func exponential(d *output.Distribution) *metrics.ExponentialHistogramDataPoint {
	sum := d.Sum.Seconds()
	p := &metrics.ExponentialHistogramDataPoint{Count: uint64(d.Count), Sum: &sum, Scale: output.Schema}
	if len(d.Buckets) == 0 {
		return p
	}
	indexes := slices.Sorted(maps.Keys(d.Buckets))
	first, last := indexes[0], indexes[len(indexes)-1]
	p.Positive = &metrics.ExponentialHistogramDataPoint_Buckets{Offset: int32(first - 1), BucketCounts: make([]uint64, last-first+1)}
	for _, i := range indexes {
		p.Positive.BucketCounts[i-first] = uint64(d.Buckets[i])
	}
	return p
}

// spanOf is a turn as a span: the one that its traceparent names.
func spanOf(t *output.Turn, about *output.About) *trace.Span {
	name, index := "turn", 0
	if t.Slot >= 0 && t.Slot < len(about.Plan.Slots) {
		name, index = about.Plan.Slots[t.Slot].Conversation, about.Plan.Slots[t.Slot].Index+1
	}
	began := t.Sent
	if began == 0 {
		began = t.Intended
	}
	s := &trace.Span{
		TraceId: slices.Clone(t.TraceID[:]), SpanId: slices.Clone(t.SpanID[:]), Name: name, Kind: trace.Span_SPAN_KIND_CLIENT,
		StartTimeUnixNano: nano(about.Base.Add(began)), EndTimeUnixNano: nano(about.Base.Add(max(t.Done, began))),
		Attributes: []*common.KeyValue{
			text("cstest.outcome", t.Outcome.String()), text("cstest.run_id", about.RunID), text("cstest.conversation", name),
			number("cstest.conversation.number", t.Number), number("cstest.turn", int64(index)),
			number("cstest.response_ns", int64(t.Done-t.Intended-t.Login)),
		},
		Status: &trace.Status{Code: trace.Status_STATUS_CODE_OK},
	}
	if t.Status > 0 {
		s.Attributes = append(s.Attributes, number("http.response.status_code", int64(t.Status)))
	}
	if measure.Answered.Has(t.Outcome) {
		s.Attributes = append(s.Attributes, text("cstest.tier", t.Tier.String()))
	} else {
		s.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: t.Outcome.String()}
	}
	return s
}

func nano(t time.Time) uint64 { return uint64(max(t.UnixNano(), 0)) }
