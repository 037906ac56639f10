package surface

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the series of requests. Labels come from closed sets, and the
// series are looked up once, at the start.
type metrics struct {
	requests  [numRoutes][len(statusClasses)]prometheus.Counter
	durations [numRoutes]prometheus.Observer
	rejected  map[string]prometheus.Counter
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
	routeCustomer
	routeCustomerTurn
	routeHealth
	routeOther
	numRoutes
)

var routeNames = [numRoutes]string{"chat", "stream", "async", "job", "dialog", "ticket", "agent", "customer", "customer_turn", "health", "other"}

// durationBuckets have an edge exactly at the 0.5 s of the usual objective.
var durationBuckets = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 20}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{rejected: map[string]prometheus.Counter{}}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chat_requests_total", Help: "Requests by route and status."}, []string{"route", "status"})
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chat_request_duration_seconds", Help: "Time from the request's headers to the end of the answer.", Buckets: durationBuckets}, []string{"route"})
	rejected := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chat_rejected_total", Help: "Requests turned away before a turn began, by reason."}, []string{"reason"})
	reg.MustRegister(requests, durations, rejected)
	for r := range numRoutes {
		for i, c := range statusClasses {
			m.requests[r][i] = requests.WithLabelValues(routeNames[r], c)
		}
		m.durations[r] = durations.WithLabelValues(routeNames[r])
	}
	for _, reason := range []string{"user", "tenant", "global", "dialogs", "tokens", "reads", "refused", "bodies", "polls", "shed", "draining"} {
		m.rejected[reason] = rejected.WithLabelValues(reason)
	}
	return m
}

func (m *metrics) request(r route, status int, took time.Duration) {
	m.requests[r][statusClass(status)].Inc()
	m.durations[r].Observe(took.Seconds())
}
