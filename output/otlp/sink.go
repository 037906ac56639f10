// Package otlp tells an OpenTelemetry collector of a run, over HTTP: metrics every
// second, and a span for some of the turns, under the trace ids that were sent. It is
// made of OpenTelemetry's own protobuf messages; the exporters of its SDK would link
// gRPC, which weighs more than all of this.
package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/result"
)

// Sink posts to one collector. It is an output.Sink.
type Sink struct {
	about   *output.About
	base    string
	headers map[string]string
	client  *http.Client
	last    *output.Second
}

// postWithin is how long one request may take.
const postWithin = 5 * time.Second

// New prepares to tell a collector, such as http://collector:4318: /v1/metrics and
// /v1/traces are added. headers are as OTEL_EXPORTER_OTLP_HEADERS has them: a=b,c=d.
func New(address, headers string, about *output.About) (*Sink, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("want a URL such as http://collector:4318")
	}
	s := &Sink{about: about, base: strings.TrimSuffix(address, "/"), headers: map[string]string{}, client: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for pair := range strings.SplitSeq(headers, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(strings.TrimSpace(value)); ok && err == nil {
			s.headers[strings.TrimSpace(name)] = value
		}
	}
	return s, nil
}

// Wants takes every turn that was not answered, and one in a hundred of the others.
func Wants(t *measure.Turn) bool {
	return !measure.Answered.Has(t.Outcome) || (uint(t.TraceID[14])<<8|uint(t.TraceID[15]))%100 == 0
}

// Take posts the metrics of a second.
func (s *Sink) Take(ctx context.Context, second *output.Second) error {
	s.last = second
	return s.metrics(ctx, second, "")
}

// Turns posts a span for each turn.
func (s *Sink) Turns(ctx context.Context, turns []output.Turn) error {
	spans := make([]*trace.Span, len(turns))
	for i := range turns {
		spans[i] = spanOf(&turns[i], s.about)
	}
	return s.post(ctx, "/v1/traces", &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: resourceOf(s.about), ScopeSpans: []*trace.ScopeSpans{{Scope: scopeOf(s.about), Spans: spans}},
	}}})
}

// End posts the verdict.
func (s *Sink) End(ctx context.Context, doc *result.Document) error {
	defer s.client.CloseIdleConnections()
	if doc == nil || s.last == nil {
		return nil
	}
	last := *s.last
	last.At = last.At.Add(time.Millisecond)
	return s.metrics(ctx, &last, doc.Verdict)
}

func (s *Sink) metrics(ctx context.Context, second *output.Second, verdict string) error {
	return s.post(ctx, "/v1/metrics", &collectormetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: resourceOf(s.about), ScopeMetrics: []*metrics.ScopeMetrics{{Scope: scopeOf(s.about), Metrics: metricsOf(second, s.about, verdict)}},
	}}})
}

func (s *Sink) post(ctx context.Context, path string, m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := s.client.Do(req)
	if err != nil {
		if at, ok := errors.AsType[*url.Error](err); ok {
			return at.Err // it has the address, password and all
		}
		return err
	}
	defer res.Body.Close() // it is only read from
	said, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answers %s: %.200q", path, res.Status, said)
	}
	return err
}
