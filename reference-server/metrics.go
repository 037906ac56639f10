package refserver

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/model"
)

// metrics are the server's Prometheus series. Labels come from closed sets, and
// the series of the hot path are looked up once, at the start. Safe for
// concurrent use.
type metrics struct {
	registry    *prometheus.Registry
	requests    [numRoutes][len(statusClasses)]prometheus.Counter
	durations   [numRoutes]prometheus.Observer
	rejected    map[string]prometheus.Counter
	attempts    [len(model.FaultNames)]prometheus.Counter
	probes      [len(model.FaultNames)]prometheus.Counter
	attemptTime prometheus.Observer
	transitions *prometheus.CounterVec
	degraded    *prometheus.CounterVec
	answers     [len(degrade.TierNames)][2]prometheus.Counter // by group
	redisOps    map[string]prometheus.Observer
	redisErrors map[string]prometheus.Counter
	corrupt     prometheus.Counter
	pii         *prometheus.CounterVec
	flaws       *prometheus.CounterVec
	intents     [answer.NumIntents]prometheus.Counter

	desk *desk.Metrics
}

// statusClasses are the values of the label status.
var statusClasses = [...]string{"101", "200", "202", "2xx", "400", "401", "403", "404", "409", "413", "415", "422", "429", "4xx", "500", "503", "5xx"}

func statusClass(code int) int {
	text := strconv.Itoa(code)
	rest := -1
	for i, c := range statusClasses {
		if c == text {
			return i
		}
		if c[0] == text[0] && c[1] == 'x' {
			rest = i
		}
	}
	if rest < 0 {
		rest = len(statusClasses) - 1
	}
	return rest
}

// route is the label of an endpoint.
type route int

const (
	routeChat route = iota
	routeStream
	routeAsync
	routeJob
	routeDialog
	routeTicket
	routeAgent
	routeOther
	numRoutes
)

var routeNames = [numRoutes]string{"chat", "stream", "async", "job", "dialog", "ticket", "agent", "other"}

var groupNames = [2]string{"base", "gray"}

// durationBuckets have an edge exactly at the 0.5 s of the usual objective.
var durationBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 20}

func newMetrics(s *Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), rejected: map[string]prometheus.Counter{}, redisOps: map[string]prometheus.Observer{}, redisErrors: map[string]prometheus.Counter{}}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
		m.registry.MustRegister(h)
		return h
	}
	requests := counter("chat_requests_total", "Requests by route and status.", "route", "status")
	durations := histogram("chat_request_duration_seconds", "Time from the request's headers to the end of the answer.", durationBuckets, "route")
	for r := range numRoutes {
		for i, c := range statusClasses {
			m.requests[r][i] = requests.WithLabelValues(routeNames[r], c)
		}
		m.durations[r] = durations.WithLabelValues(routeNames[r])
	}
	rejected := counter("chat_rejected_total", "Requests turned away before a turn began, by reason.", "reason")
	for _, reason := range []string{"user", "tenant", "global", "reads", "refused", "bodies", "shed", "draining"} {
		m.rejected[reason] = rejected.WithLabelValues(reason)
	}
	attempts := counter("llm_attempts_total", "Calls to the model by outcome and purpose.", "outcome", "purpose")
	for f := range model.FaultNames {
		m.attempts[f] = attempts.WithLabelValues(model.FaultNames[f], "user")
		m.probes[f] = attempts.WithLabelValues(model.FaultNames[f], "probe")
	}
	m.attemptTime = histogram("llm_attempt_duration_seconds", "Time of one call to the model.", durationBuckets).WithLabelValues()
	m.transitions = counter("degrade_transitions_total", "Changes of the global tier.", "from", "to", "reason")
	m.degraded = counter("degraded_answers_total", "Answers of a worse tier than the question deserves.", "tier", "source")
	answers := counter("chat_answers_total", "Answered turns by tier and gray group.", "tier", "group")
	for t := range degrade.TierNames {
		for g := range groupNames {
			m.answers[t][g] = answers.WithLabelValues(degrade.TierNames[t], groupNames[g])
		}
	}
	ops := histogram("redis_operation_duration_seconds", "Time of one round trip to Redis.", []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.06, 0.1, 0.5}, "op")
	errs := counter("redis_errors_total", "Redis operations that failed.", "op")
	for _, op := range []string{"begin", "commit", "ticket"} {
		m.redisOps[op], m.redisErrors[op] = ops.WithLabelValues(op), errs.WithLabelValues(op)
	}
	m.corrupt = counter("redis_corrupt_records_total", "List elements that were not turns.").WithLabelValues()
	m.pii = counter("pii_masked_total", "Personal data masked, by type and direction.", "type", "direction")
	m.flaws = counter("output_flaws_total", "What was taken out of answers, by flaw.", "flaw")
	in := counter("chat_intents_total", "Turns by intent.", "intent")
	for i := range answer.NumIntents {
		m.intents[i] = in.WithLabelValues(i.String())
	}
	m.desk = desk.NewMetrics(m.registry, problemUpgrade.code, problemHandshake.code, problemOrigin.code, problemSubprotocol.code, problemSockets.code, problemDraining.code)
	m.gauges(s)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) gauges(s *Server) {
	gauge := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	count := func(name, help, label, value string, f func() float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: prometheus.Labels{label: value}}, f))
	}
	gauge("chat_inflight_requests", "Turns in flight.", func() float64 { return float64(s.inFlight.Load()) })
	gauge("chat_admission_limit", "Turns in flight that are let in at the moment.", func() float64 { return float64(s.limiter.State().Limit) })
	gauge("chat_admission_waiting", "Turns that wait to be let in.", func() float64 { return float64(s.limiter.State().Waiting) })
	gauge("llm_breaker_state", "0 closed, 1 half-open, 2 open, -1 off.", func() float64 {
		return map[string]float64{"closed": 0, "half-open": 1, "open": 2, "off": -1}[s.caller.Breaker().State()]
	})
	gauge("degrade_tier", "The global tier: 0 llm, 1 faq, 2 handoff, 3 static.", func() float64 { return float64(s.watch.At().Shown()) })
	gauge("degrade_live_share", "Share of dialogs on the model, 0 to 1.", func() float64 { return float64(s.watch.At().LiveShare()) / 100 })
	gauge("ticket_journal_length", "Tickets waiting here for Redis.", func() float64 { return float64(s.desk.Journaled()) })
	gauge("ws_sockets", "Agents' sockets that are open.", func() float64 { return float64(s.desk.Sockets()) })
	gauge("redis_pool_connections", "Open connections to Redis.", func() float64 { return float64(s.store.Redis.PoolStats().TotalConns) })
	gauge("job_queue_length", "Jobs on the queue, -1 when Redis does not say.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return float64(s.jobs.Length(ctx))
	})
	count("cache_requests_total", "Hot questions by result.", "result", "hit", func() float64 { return float64(s.cache.hits.Load()) })
	count("cache_requests_total", "Hot questions by result.", "result", "miss", func() float64 { return float64(s.cache.misses.Load()) })
	count("cache_requests_total", "Hot questions by result.", "result", "stale", func() float64 { return float64(s.cache.stale.Load()) })
}

func (m *metrics) request(r route, status int, took time.Duration) {
	m.requests[r][statusClass(status)].Inc()
	m.durations[r].Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
