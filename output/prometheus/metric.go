package prometheus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cstest/cstest/output"
)

// metricOf is a sample as client_golang has it.
func metricOf(f *output.Family, s *output.Sample, about *output.About) prometheus.Metric {
	all := append(about.Labels(), s.Labels...)
	names, values := make([]string, len(all)), make([]string, len(all))
	for i, l := range all {
		names[i], values[i] = l.Name, l.Value
	}
	desc := prometheus.NewDesc(f.Name, f.Help, names, nil)
	var m prometheus.Metric
	var err error
	switch f.Form {
	case output.Histogram:
		m, err = histogramOf(desc, s.Distribution, values)
	case output.Counter:
		m, err = prometheus.NewConstMetric(desc, prometheus.CounterValue, s.Value, values...)
	case output.Gauge:
		m, err = prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.Value, values...)
	}
	if err != nil {
		return prometheus.NewInvalidMetric(desc, err)
	}
	return m
}

func histogramOf(desc *prometheus.Desc, d *output.Distribution, values []string) (prometheus.Metric, error) {
	m, err := prometheus.NewConstNativeHistogram(desc, uint64(d.Count), d.Sum.Seconds(), d.Buckets, nil, 0, output.Schema, 1e-9, time.Time{}, values...)
	if err != nil {
		return nil, err
	}
	return both{m, d}, nil
}

// both is a native histogram with classic buckets beside, for who cannot read it.
type both struct {
	prometheus.Metric
	d *output.Distribution
}

// Write adds the classic buckets.
func (b both) Write(out *dto.Metric) error {
	if err := b.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.CreatedTimestamp = nil
	for _, edge := range output.Edges() {
		n := uint64(b.d.UpTo(edge))
		out.Histogram.Bucket = append(out.Histogram.Bucket, &dto.Bucket{UpperBound: &edge, CumulativeCount: &n})
	}
	return nil
}
