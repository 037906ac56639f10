package backflow

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the series of the backflow. Labels come from closed sets.
type metrics struct {
	recorded, lost, notes prometheus.Counter
	ends                  map[End]prometheus.Counter
	calls                 *prometheus.CounterVec
	reviews               map[string]prometheus.Counter
}

func newMetrics(to prometheus.Registerer, f *Flow) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		to.MustRegister(c)
		return c
	}
	m := &metrics{
		recorded: counter("backflow_recorded_total", "Questions kept to be asked again.").WithLabelValues(),
		lost:     counter("backflow_lost_total", "Questions that were not kept: too many waited for Redis, or it was away to the end.").WithLabelValues(),
		notes:    counter("backflow_notes_total", "Better answers that went into their dialogs.").WithLabelValues(),
		calls:    counter("backflow_calls_total", "Questions put to the model again, by its answer.", "outcome"),
		ends:     map[End]prometheus.Counter{},
		reviews:  map[string]prometheus.Counter{},
	}
	ends := counter("backflow_ended_total", "Questions that ended through this server, by how.", "end")
	for _, e := range Ends {
		m.ends[e] = ends.WithLabelValues(string(e))
	}
	reviews := counter("backflow_reviews_total", "Drafts for the FAQ that people decided on, by result.", "result")
	for _, r := range []string{"accepted", "rejected", "taken_back"} {
		m.reviews[r] = reviews.WithLabelValues(r)
	}
	for _, reason := range Pauses {
		to.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "backflow_paused", Help: "1 while nothing is asked again, by why.", ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 {
			if *f.paused.Load() == reason {
				return 1
			}
			return 0
		}))
	}
	gauge := func(name, help string, value func() float64) {
		to.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("backflow_outbox_length", "Questions on their way to Redis.", func() float64 {
		n, _ := f.outbox.length()
		return float64(n)
	})
	gauge("backflow_waiting", "Questions that wait to be asked again, -1 when Redis does not say.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := f.redis.XLen(ctx, streamKey).Result()
		if err != nil {
			return -1
		}
		return float64(n)
	})
	return m
}

// call counts a question that was put to the model.
func (m *metrics) call(outcome string) { m.calls.WithLabelValues(outcome).Inc() }
