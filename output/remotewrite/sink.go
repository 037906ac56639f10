// Package remotewrite writes a run to whatever takes Prometheus' remote write, second
// by second: native histograms, and classic buckets beside.
package remotewrite

import (
	"context"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"

	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// Sink writes to one address. It is an output.Sink.
type Sink struct {
	about *output.About
	api   *remote.API
	http  *http.Client
	last  *output.Second
}

// writeWithin is how long one write may take, what comes again included.
const writeWithin = 5 * time.Second

// New prepares to write to a URL such as http://prometheus:9090/api/v1/write; user and
// password in it are sent, and shown nowhere.
func New(address string, about *output.About) (*Sink, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, reason.Errorf("want a URL such as http://prometheus:9090/api/v1/write")
	}
	client := &http.Client{
		Transport:     brief{&http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10}, u.User},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	u.User = nil
	api, err := remote.NewAPI(u.String(), remote.WithAPIPath(""), remote.WithAPIHTTPClient(client),
		remote.WithAPIBackoff(remote.BackoffConfig{Min: 100 * time.Millisecond, Max: time.Second, MaxRetries: 3}))
	if err != nil {
		return nil, err
	}
	return &Sink{about: about, api: api, http: client}, nil
}

// Take writes a second.
func (s *Sink) Take(ctx context.Context, second *output.Second) error {
	s.last = second
	return s.write(ctx, second, "")
}

// Turns takes none.
func (s *Sink) Turns(context.Context, []output.Turn) error { return nil }

// End writes the verdict, behind the last second.
func (s *Sink) End(ctx context.Context, doc *result.Document) error {
	defer s.http.CloseIdleConnections()
	if doc == nil || s.last == nil {
		return nil
	}
	last := *s.last
	last.At = last.At.Add(time.Millisecond) // a sample is written once
	return s.write(ctx, &last, doc.Verdict)
}

func (s *Sink) write(ctx context.Context, second *output.Second, verdict string) error {
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	_, err := s.api.Write(ctx, remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: seriesOf(second, s.about, verdict)})
	return err
}

// seriesOf are all series of a second.
func seriesOf(second *output.Second, about *output.About, verdict string) (list []prompb.TimeSeries) {
	at := second.At.UnixMilli()
	for _, f := range second.FamiliesUntil(about, verdict) {
		for i := range f.Samples {
			labels := append(about.Labels(), f.Samples[i].Labels...)
			add := func(name string, v float64, more ...output.Label) {
				list = append(list, prompb.TimeSeries{Labels: named(name, append(slices.Clone(labels), more...)), Samples: []prompb.Sample{{Value: v, Timestamp: at}}})
			}
			d := f.Samples[i].Distribution
			if d == nil {
				add(f.Name, f.Samples[i].Value)
				continue
			}
			list = append(list, prompb.TimeSeries{Labels: named(f.Name, labels), Histograms: []prompb.Histogram{native(d, at)}})
			for _, edge := range output.Edges() {
				add(f.Name+"_bucket", float64(d.UpTo(edge)), output.Label{Name: "le", Value: strconv.FormatFloat(edge, 'g', -1, 64)})
			}
			add(f.Name+"_bucket", float64(d.Count), output.Label{Name: "le", Value: "+Inf"})
			add(f.Name+"_count", float64(d.Count))
			add(f.Name+"_sum", d.Sum.Seconds())
		}
	}
	return list
}

// named are labels as remote write has them: sorted, the name of the metric among them,
// empty ones left out.
func named(name string, labels []output.Label) []prompb.Label {
	list := []prompb.Label{{Name: "__name__", Value: name}}
	for _, l := range labels {
		if l.Value != "" {
			list = append(list, prompb.Label{Name: l.Name, Value: l.Value})
		}
	}
	slices.SortFunc(list, func(a, b prompb.Label) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// native is a distribution as a native histogram: buckets in spans without holes,
// each the difference from the one before.
func native(d *output.Distribution, at int64) prompb.Histogram {
	h := prompb.Histogram{
		Count: &prompb.Histogram_CountInt{CountInt: uint64(d.Count)}, Sum: d.Sum.Seconds(), Schema: output.Schema, ZeroThreshold: math.SmallestNonzeroFloat32,
		ZeroCount: &prompb.Histogram_ZeroCountInt{}, Timestamp: at,
	}
	before, next := int64(0), 0
	for _, index := range slices.Sorted(maps.Keys(d.Buckets)) {
		if n := len(h.PositiveSpans); n == 0 || index != next {
			h.PositiveSpans = append(h.PositiveSpans, prompb.BucketSpan{Offset: int32(index - next)})
		}
		h.PositiveSpans[len(h.PositiveSpans)-1].Length++
		h.PositiveDeltas = append(h.PositiveDeltas, d.Buckets[index]-before)
		before, next = d.Buckets[index], index+1
	}
	return h
}
