// Package otlp tells an OpenTelemetry collector of a run, over HTTP: metrics every
// second, and a span for some of the turns, under the trace ids that were sent. It is
// made of OpenTelemetry's own protobuf messages; the exporters of its SDK would link
// gRPC, which weighs more than all of this.
package otlp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"golang.org/x/net/http/httpguts"
	"google.golang.org/protobuf/proto"

	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// Sink posts to one collector. It is an output.Sink.
type Sink struct {
	about   *output.About
	base    *url.URL
	headers http.Header
	client  *http.Client
	last    *output.Second
}

// postWithin is how long one request may take.
const postWithin = 5 * time.Second

// New prepares to tell a collector, such as http://collector:4318: v1/metrics and
// v1/traces are added. headers are as OTEL_EXPORTER_OTLP_HEADERS has them: a=b,c=d.
func New(address, headers string, about *output.About) (*Sink, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, reason.Errorf("want a URL such as http://collector:4318")
	}
	if end := strings.TrimSuffix(u.Path, "/"); strings.HasSuffix(end, metricsPath) || strings.HasSuffix(end, tracesPath) {
		return nil, reason.Errorf("want the address without %s and %s: both are added", metricsPath, tracesPath)
	}
	s := &Sink{about: about, base: u, headers: http.Header{}, client: &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for pair := range strings.SplitSeq(headers, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err = url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, reason.Errorf("OTEL_EXPORTER_OTLP_HEADERS: want NAME=VALUE,NAME=VALUE with values as in a URL") // it may hold secrets: it is not shown
		}
		s.headers.Set(name, value)
	}
	return s, nil
}

// The paths that OTLP over HTTP has.
const (
	metricsPath = "/v1/metrics"
	tracesPath  = "/v1/traces"
)

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
	var answer collectortrace.ExportTraceServiceResponse
	err := s.post(ctx, tracesPath, &collectortrace.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource: resourceOf(s.about), ScopeSpans: []*trace.ScopeSpans{{Scope: scopeOf(s.about), Spans: spans}},
	}}}, &answer)
	if n := answer.GetPartialSuccess().GetRejectedSpans(); err == nil && n > 0 {
		return &output.PartError{Turns: n, Err: reason.Errorf("the collector takes %d of %d spans not: %.200q", n, len(spans), answer.GetPartialSuccess().GetErrorMessage())}
	}
	return err
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
	var answer collectormetrics.ExportMetricsServiceResponse
	err := s.post(ctx, metricsPath, &collectormetrics.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource: resourceOf(s.about), ScopeMetrics: []*metrics.ScopeMetrics{{Scope: scopeOf(s.about), Metrics: metricsOf(second, s.about, verdict)}},
	}}}, &answer)
	if n := answer.GetPartialSuccess().GetRejectedDataPoints(); err == nil && n > 0 {
		err = reason.Errorf("the collector takes %d points of metrics not: %.200q", n, answer.GetPartialSuccess().GetErrorMessage())
	}
	return err
}

// post sends a message, and reads what the collector says of it.
func (s *Sink) post(ctx context.Context, path string, m, answer proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, s.headers)
	req.Header.Set("Content-Type", protobuf)
	res, err := s.client.Do(req)
	if err != nil {
		if at, ok := errors.AsType[*url.Error](err); ok {
			return at.Err // it has the address, password and all
		}
		return err
	}
	defer res.Body.Close() // it is only read from
	said, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	switch {
	case err != nil:
		return err
	case res.StatusCode/100 != 2:
		return reason.Errorf("%s answers %d %s: %.200q", path, res.StatusCode, http.StatusText(res.StatusCode), said)
	case strings.HasPrefix(res.Header.Get("Content-Type"), protobuf):
		if proto.Unmarshal(said, answer) != nil {
			return reason.Errorf("%s answers %d, and what cannot be read: is it a collector?", path, res.StatusCode)
		}
	}
	return nil
}

const protobuf = "application/x-protobuf"
