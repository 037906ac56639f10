package chat

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/gray"
)

// metrics are the series of turns. Labels come from closed sets, and the series
// of the hot path are looked up once, at the start.
type metrics struct {
	degraded *prometheus.CounterVec
	answers  [len(degrade.TierNames)][gray.NumGroups]prometheus.Counter
	intents  [answer.NumIntents]prometheus.Counter
	corrupt  prometheus.Counter
	grouped  [gray.NumGroups][2]prometheus.Counter // turns that the model was asked for: good, bad
	took     [gray.NumGroups]prometheus.Observer
}

func newMetrics(c *Chat) *metrics {
	m := &metrics{}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		c.Metrics.MustRegister(v)
		return v
	}
	m.degraded = counter("degraded_answers_total", "Answers of a worse tier than the question deserves.", "tier", "source")
	answers := counter("chat_answers_total", "Answered turns by tier and gray group.", "tier", "group")
	for t := range degrade.TierNames {
		for g := range gray.Names {
			m.answers[t][g] = answers.WithLabelValues(degrade.TierNames[t], gray.Names[g])
		}
	}
	grouped := counter("chat_group_turns_total", "Turns that the model was asked for, by gray group: bad where it gave no answer, or a late one.", "group", "result")
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "chat_group_duration_seconds", Help: "Time of turns that the model was asked for, by gray group.", Buckets: []float64{0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 1, 5, 20},
	}, []string{"group"})
	c.Metrics.MustRegister(took)
	for g := range gray.Names {
		m.grouped[g] = [2]prometheus.Counter{grouped.WithLabelValues(gray.Names[g], "good"), grouped.WithLabelValues(gray.Names[g], "bad")}
		m.took[g] = took.WithLabelValues(gray.Names[g])
	}
	in := counter("chat_intents_total", "Turns by intent.", "intent")
	for i := range answer.NumIntents {
		m.intents[i] = in.WithLabelValues(i.String())
	}
	m.corrupt = counter("redis_corrupt_records_total", "List elements that were not turns.").WithLabelValues()
	c.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chat_inflight_requests", Help: "Turns in flight."}, func() float64 { return float64(c.InFlight()) }))
	for result, n := range map[string]func() int64{"hit": c.hot.hits.Load, "miss": c.hot.misses.Load, "stale": c.hot.stale.Load} {
		c.Metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "cache_requests_total", Help: "Hot questions by result.", ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(n()) }))
	}
	return m
}

// count books an answered turn.
func (c *Chat) count(t *Turn) {
	c.counts.turns.Add(1)
	c.counts.answers[t.ans.tier].Add(1)
	c.metrics.answers[t.ans.tier][t.ans.group].Inc()
	c.metrics.intents[t.intent].Inc()
	if t.ans.degraded {
		c.counts.degraded.Add(1)
		c.metrics.degraded.WithLabelValues(t.ans.tier.String(), t.ans.source).Inc()
	}
}

// Figures are exact counts since the start.
type Figures struct {
	Turns, Degraded  int64
	Answers          [len(degrade.TierNames)]int64
	Hit, Miss, Stale int64 // of the hot cache
}

// Figures counts.
func (c *Chat) Figures() Figures {
	f := Figures{
		Turns: c.counts.turns.Load(), Degraded: c.counts.degraded.Load(),
		Hit: c.hot.hits.Load(), Miss: c.hot.misses.Load(), Stale: c.hot.stale.Load(),
	}
	for t := range f.Answers {
		f.Answers[t] = c.counts.answers[t].Load()
	}
	return f
}
