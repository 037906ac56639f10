package admin

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the series of operators' requests.
type metrics struct{ requests *prometheus.CounterVec }

func newMetrics(to prometheus.Registerer) *metrics {
	m := &metrics{prometheus.NewCounterVec(prometheus.CounterOpts{Name: "admin_requests_total", Help: "Requests to the admin listener by status."}, []string{"status"})}
	to.MustRegister(m.requests)
	return m
}

func (m *metrics) request(status int) { m.requests.WithLabelValues(strconv.Itoa(status)).Inc() }
