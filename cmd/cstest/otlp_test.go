package main

import (
	"encoding/hex"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	collectormetrics "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/cstest/cstest/result"
)

// aCollector keeps what an OpenTelemetry collector would be sent.
type aCollector struct {
	mu    sync.Mutex
	last  map[string]*metrics.Metric
	spans map[string]*trace.Span // by trace id
	wrong []string
}

func (c *aCollector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("X-Team") != "a b" {
		c.wrong = append(c.wrong, r.URL.Path+": headers")
	}
	switch r.URL.Path {
	case "/v1/metrics":
		var m collectormetrics.ExportMetricsServiceRequest
		if proto.Unmarshal(body, &m) != nil || len(m.ResourceMetrics) != 1 {
			c.wrong = append(c.wrong, "metrics")
			return
		}
		for _, metric := range m.ResourceMetrics[0].ScopeMetrics[0].Metrics {
			c.last[metric.Name] = metric
		}
	case "/v1/traces":
		var m collectortrace.ExportTraceServiceRequest
		if proto.Unmarshal(body, &m) != nil || len(m.ResourceSpans) != 1 {
			c.wrong = append(c.wrong, "traces")
			return
		}
		for _, s := range m.ResourceSpans[0].ScopeSpans[0].Spans {
			c.spans[hex.EncodeToString(s.TraceId)] = s
		}
	default:
		c.wrong = append(c.wrong, r.URL.Path)
	}
}

// sum is the value of the point of a sum whose attribute has a value.
func (c *aCollector) sum(name, value string) float64 {
	for _, p := range c.last[name].GetSum().GetDataPoints() {
		for _, a := range p.Attributes {
			if a.Value.GetStringValue() == value {
				return p.GetAsDouble()
			}
		}
	}
	return math.NaN()
}

func TestACollectorIsToldARun(t *testing.T) {
	c := &aCollector{last: map[string]*metrics.Metric{}, spans: map[string]*trace.Span{}}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b")
	file := filepath.Join(t.TempDir(), "turns")
	doc, e := ranTold(t, "--out", "otlp="+server.URL+"/", "--out", "turns="+file)
	if len(c.wrong) > 0 {
		t.Fatal(c.wrong)
	}
	c.agrees(t, doc, jsonLines(t, file), e.stderr)
}

// agrees holds what arrived to a result, and spans to the turns that a file has.
func (c *aCollector) agrees(t *testing.T, doc *result.Document, turns []map[string]any, stderr string) {
	t.Helper()
	if ok, degraded := c.sum("cstest.turns", "ok"), c.sum("cstest.turns", "degraded"); ok != float64(doc.Counts.OK) || degraded != float64(doc.Counts.Degraded) {
		t.Errorf("the collector has %v ok and %v degraded, result.json %+v\n%s", ok, degraded, doc.Counts, stderr)
	}
	h := c.last["cstest.response"].GetExponentialHistogram().GetDataPoints()[0]
	if h.Count != uint64(doc.Latency.Response.N) || c.last["cstest.response"].Unit != "s" {
		t.Errorf("the collector has %d response times, result.json %d", h.Count, doc.Latency.Response.N)
	}
	rank, seen, p99 := uint64(math.Ceil(0.99*float64(h.Count))), uint64(0), 0.0
	for i, n := range h.Positive.BucketCounts {
		if seen += n; seen >= rank {
			p99 = math.Exp2(float64(int(h.Positive.Offset)+i+1) / math.Exp2(float64(h.Scale)))
			break
		}
	}
	if want := float64(*doc.Latency.Response.P99Ns) / 1e9; want > p99*1.0001 || want < p99/1.0226 {
		t.Errorf("P99 at the collector ends at %v s, in result.json it is %v s", p99, want)
	}
	sent := map[string]map[string]any{}
	for _, l := range turns {
		if id, ok := l["trace_id"].(string); ok {
			sent[id] = l
		}
	}
	for id, s := range c.spans {
		l := sent[id]
		if l == nil || s.EndTimeUnixNano-s.StartTimeUnixNano != uint64(l["done_ns"].(float64)-l["sent_ns"].(float64)) || len(s.SpanId) != 8 {
			t.Errorf("span %s %v is none of %v", id, s, l)
		}
	}
	if len(c.spans) == 0 || int64(len(c.spans)) != doc.Outputs[0].Turns {
		t.Errorf("%d spans, %d told", len(c.spans), doc.Outputs[0].Turns)
	}
}

// The turns of several processes arrive as those of one do, each once.
func TestTurnsOfSeveralProcesses(t *testing.T) {
	c := &aCollector{last: map[string]*metrics.Metric{}, spans: map[string]*trace.Span{}}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b")
	file := filepath.Join(t.TempDir(), "turns")
	doc, e := ranTold(t, "--processes", "3", "--out", "turns="+file, "--out", "otlp="+server.URL)
	if doc.Counts.Turns < 500 || len(c.wrong) > 0 {
		t.Fatalf("%+v %v\n%s", doc.Counts, c.wrong, e.stderr)
	}
	outcomes, traces := map[any]int64{}, map[string]map[string]any{}
	for _, l := range jsonLines(t, file) {
		if l["type"] == "turn" {
			outcomes[l["outcome"]]++
			traces[l["trace_id"].(string)] = l
		}
	}
	if int64(len(traces)) != doc.Counts.Turns || outcomes["ok"] != doc.Counts.OK || outcomes["degraded"] != doc.Counts.Degraded {
		t.Errorf("the file has %d turns, %v; result.json %+v", len(traces), outcomes, doc.Counts)
	}
	turns, spans := doc.Outputs[0], doc.Outputs[1]
	if turns.Turns != doc.Counts.Turns || turns.TurnsDropped+turns.Failed+spans.TurnsDropped+spans.Failed > 0 || spans.Turns == 0 || spans.Turns != int64(len(c.spans)) {
		t.Errorf("told %+v", doc.Outputs)
	}
	for id, s := range c.spans {
		if l := traces[id]; l == nil || s.EndTimeUnixNano-s.StartTimeUnixNano != uint64(l["done_ns"].(float64)-l["sent_ns"].(float64)) {
			t.Errorf("span %s %v is none of %v", id, s, l)
		}
	}
}
