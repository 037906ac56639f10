package gray

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the series of releases, and what was last seen of one.
type metrics struct {
	ended *prometheus.CounterVec

	mu     sync.Mutex
	sums   [NumGroups]Tally
	excess float64
}

func newMetrics(to prometheus.Registerer, r *Releases) *metrics {
	m := &metrics{ended: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "gray_rollbacks_total", Help: "Releases that were rolled back, by whom."}, []string{"by"})}
	to.MustRegister(m.ended)
	for _, by := range []string{ByOperator, ByBudget} {
		m.ended.WithLabelValues(by)
	}
	gauge := func(name, help string, value func() float64) {
		to.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("gray_release_running", "1 while a group of users has knobs of its own.", func() float64 {
		if r.Running() {
			return 1
		}
		return 0
	})
	gauge("gray_release_version", "How often the release was changed.", func() float64 { return float64(r.Current().Version) })
	gauge("gray_share", "Share of users in the gray group, 0 to 1.", func() float64 { return r.view().share })
	gauge("gray_excess", "By how much larger the gray group's share of bad turns is than the rest's, in the last minute.", func() float64 {
		_, excess := m.shown()
		return excess
	})
	return m
}

func (m *metrics) rollbacks(by string) {
	if by != ByBudget {
		by = ByOperator
	}
	m.ended.WithLabelValues(by).Inc()
}

func (m *metrics) show(sums [NumGroups]Tally, excess float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sums, m.excess = sums, excess
}

func (m *metrics) shown() ([NumGroups]Tally, float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sums, m.excess
}
