package mockllm

import (
	"bytes"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
)

// collector turns the server's own exact counters into metrics when asked.
type collector struct {
	srv                                                   *Server
	calls, outcomes, chunks, flight, conns, open, latency *prometheus.Desc
	phase                                                 *prometheus.Desc
}

func newMetrics(s *Server) http.Handler {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mockllm_"+name, help, labels, nil)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(&collector{
		srv:      s,
		calls:    desc("calls_total", "Completion requests that arrived, by purpose.", "purpose"),
		outcomes: desc("outcomes_total", "Completion requests that ended, by outcome.", "outcome"),
		chunks:   desc("chunks_total", "Content chunks streamed."),
		flight:   desc("in_flight_calls", "Completion requests being served."),
		conns:    desc("connections_total", "Connections accepted."),
		open:     desc("open_connections", "HTTP/1.1 connections open."),
		latency:  desc("injected_seconds", "Time injected into calls answered without fault."),
		phase:    desc("active_faults", "Fault windows open now."),
	})
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.calls, c.outcomes, c.chunks, c.flight, c.conns, c.open, c.latency, c.phase} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.srv
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, n int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	for p, word := range []string{"turn", "probe", "backflow"} {
		counter(c.calls, s.totals.By[p].Load(), word)
	}
	for o := range s.totals.Outcomes {
		if n := s.totals.Outcomes[o].Load(); n > 0 {
			counter(c.outcomes, n, journal.Outcome(o).String())
		}
	}
	counter(c.chunks, s.chunks.Load())
	counter(c.conns, s.public.Accepted())
	gauge(c.flight, s.InFlight())
	gauge(c.open, s.public.Open())
	gauge(c.phase, len(*s.schedule.Active.Load()))
	n, sum, buckets := s.totals.Injected.Buckets()
	ch <- prometheus.MustNewConstHistogram(c.latency, n, sum, buckets)
}

// scrape answers GET /metrics.
func (s *Server) scrape() (transport.Head, []byte) {
	page := capturedPage{header: http.Header{}, status: 200}
	request, err := http.NewRequest(http.MethodGet, "/metrics", nil)
	if err != nil {
		return errorPage(prompt.ErrorOfStatus(500))
	}
	s.metrics.ServeHTTP(&page, request)
	return transport.Head{Status: page.status, ContentType: page.header.Get("Content-Type")}, page.body.Bytes()
}

// capturedPage is an http.ResponseWriter that keeps what is written.
type capturedPage struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (p *capturedPage) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *capturedPage) WriteHeader(status int) { p.status = status }

// Write implements http.ResponseWriter.
func (p *capturedPage) Write(b []byte) (int, error) { return p.body.Write(b) }
