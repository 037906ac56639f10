package customer

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/ws"
)

// Metrics are the series of customers' sockets. Labels come from closed sets.
type Metrics struct {
	accepted prometheus.Counter
	refused  map[string]prometheus.Counter
	closes   map[string]prometheus.Counter
}

// NewMetrics registers the series; refusals are the codes that Refused takes.
func NewMetrics(to prometheus.Registerer, refusals ...string) *Metrics {
	upgrades := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "customer_upgrades_total", Help: "Requests for a customer's socket by result."}, []string{"result"})
	closes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "customer_closes_total", Help: "Customers' sockets that ended, by close code; gone: without one."}, []string{"code"})
	to.MustRegister(upgrades, closes)
	m := &Metrics{accepted: upgrades.WithLabelValues("accepted"), refused: map[string]prometheus.Counter{}, closes: map[string]prometheus.Counter{}}
	for _, code := range refusals {
		m.refused[code] = upgrades.WithLabelValues(code)
	}
	for _, code := range ws.CloseCodes() {
		m.closes[code] = closes.WithLabelValues(code)
	}
	return m
}

func (m *Metrics) closed(code int) {
	name := strconv.Itoa(code)
	if code == 0 {
		name = "gone"
	}
	c, ok := m.closes[name]
	if !ok {
		c = m.closes["other"]
	}
	c.Inc()
}
