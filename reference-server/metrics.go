package refserver

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/model"
)

// metrics are the series of what the server sees of its rooms; those of turns,
// requests and agents are their own rooms'. Labels come from closed sets. Safe
// for concurrent use.
type metrics struct {
	registry    *prometheus.Registry
	attempts    [len(model.FaultNames)]prometheus.Counter
	probes      [len(model.FaultNames)]prometheus.Counter
	grays       [len(model.FaultNames)]prometheus.Counter
	attemptTime prometheus.Observer
	transitions *prometheus.CounterVec
	redisOps    map[string]prometheus.Observer
	redisErrors map[string]prometheus.Counter
}

// callBuckets are for calls to the model, which take as long as turns.
var callBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 20}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), redisOps: map[string]prometheus.Observer{}, redisErrors: map[string]prometheus.Counter{}}
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
	attempts := counter("llm_attempts_total", "Calls to the model by outcome and purpose.", "outcome", "purpose")
	for f := range model.FaultNames {
		m.attempts[f] = attempts.WithLabelValues(model.FaultNames[f], "user")
		m.probes[f] = attempts.WithLabelValues(model.FaultNames[f], "probe")
		m.grays[f] = attempts.WithLabelValues(model.FaultNames[f], "gray")
	}
	m.attemptTime = histogram("llm_attempt_duration_seconds", "Time of one call to the model.", callBuckets).WithLabelValues()
	m.transitions = counter("degrade_transitions_total", "Changes of the global tier.", "from", "to", "reason")
	ops := histogram("redis_operation_duration_seconds", "Time of one round trip to Redis.", []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.06, 0.1, 0.5}, "op")
	errs := counter("redis_errors_total", "Redis operations that failed.", "op")
	for _, op := range []string{"begin", "commit", "ticket"} {
		m.redisOps[op], m.redisErrors[op] = ops.WithLabelValues(op), errs.WithLabelValues(op)
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) gauges(s *Server) {
	gauge := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	gauge("chat_admission_limit", "Turns in flight that are let in at the moment.", func() float64 { return float64(s.limiter.State().Limit) })
	gauge("chat_admission_waiting", "Turns that wait to be let in.", func() float64 { return float64(s.limiter.State().Waiting) })
	gauge("llm_breaker_state", "0 closed, 1 half-open, 2 open, -1 off.", func() float64 {
		return map[string]float64{"closed": 0, "half-open": 1, "open": 2, "off": -1}[s.caller.Breaker().State()]
	})
	gauge("degrade_tier", "The global tier: 0 llm, 1 faq, 2 handoff, 3 static.", func() float64 { return float64(s.watch.At().Shown()) })
	gauge("degrade_live_share", "Share of dialogs on the model, 0 to 1.", func() float64 { return float64(s.watch.At().LiveShare()) / 100 })
	gauge("ticket_journal_length", "Tickets waiting here for Redis.", func() float64 { return float64(s.desk.Journaled()) })
	gauge("ws_sockets", "Agents' sockets that are open.", func() float64 { return float64(s.desk.Sockets()) })
	gauge("customer_sockets", "Customers' sockets that are open.", func() float64 { return float64(s.customers.Open()) })
	gauge("chat_connections", "Connections of callers that are open.", func() float64 {
		open, _ := s.connections.now()
		return float64(open)
	})
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "redis_round_trips_total", Help: "Times that Redis was asked something: a command, or a pipeline of them."}, func() float64 {
		return float64(s.trips.Count())
	}))
	gauge("redis_pool_connections", "Open connections to Redis.", func() float64 { return float64(s.redis.PoolStats().TotalConns) })
	for _, state := range []jobs.State{jobs.Done, jobs.Failed, jobs.Cancelled} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "jobs_ended_total", Help: "Jobs that this server brought to an end.", ConstLabels: prometheus.Labels{"status": string(state)},
		}, func() float64 { return float64(s.jobs.Ended(state)) }))
	}
	gauge("job_queue_length", "Jobs on the queue, -1 when Redis does not say.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return float64(s.jobs.Length(ctx))
	})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
