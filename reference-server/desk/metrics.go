package desk

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/ws"
)

// Metrics are the series of the agents' side. Labels come from closed sets.
type Metrics struct {
	accepted  prometheus.Counter
	refused   map[string]prometheus.Counter
	closes    map[string]prometheus.Counter
	in, out   map[string]prometheus.Counter
	claims    map[outcome]prometheus.Counter
	replies   map[outcome]prometheus.Counter
	published map[string]prometheus.Counter
	heard     prometheus.Counter
	released  prometheus.Counter
	pushDelay prometheus.Observer
	full      prometheus.Counter
}

// NewMetrics registers the series; refusals are the codes that Refused takes.
func NewMetrics(to prometheus.Registerer, refusals ...string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		to.MustRegister(c)
		return c
	}
	upgrades := counter("ws_upgrades_total", "Requests for an agent's socket by result.", "result")
	messages := counter("ws_messages_total", "Messages on agents' sockets by direction and type.", "direction", "type")
	delay := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "ws_push_delay_seconds", Help: "Time from a question to the queues of the agents on this server.",
		Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30},
	})
	to.MustRegister(delay)
	return &Metrics{
		accepted: upgrades.WithLabelValues("accepted"),
		refused:  each(upgrades, nil, refusals...),
		closes:   each(counter("ws_closes_total", "Agents' sockets that ended, by close code; gone: without one.", "code"), nil, ws.CloseCodes()...),
		in:       each(messages, []string{"in"}, requestTypes[:]...),
		out:      each(messages, []string{"out"}, "ticket", "gone", "subscribed", "error", string(outcomeClaimed), string(outcomeLost), string(outcomeReplied)),
		claims:   each(counter("ws_claims_total", "Claims by outcome.", "outcome"), nil, outcomeClaimed, outcomeLost, outcomeNotFound, outcomeUnavailable),
		replies: each(counter("ws_replies_total", "Replies by outcome.", "outcome"), nil,
			outcomeReplied, outcomeNotFound, outcomeNotClaimed, outcomeClosed, outcomeUnavailable, codeTooLong, codeEmpty),
		published: each(counter("ws_published_total", "Tickets told to other servers, by result.", "result"), nil, "ok", "failed", "dropped"),
		heard:     counter("ws_heard_total", "Tickets that other servers told of.").WithLabelValues(),
		released:  counter("ws_released_total", "Claims that ran out without a reply.").WithLabelValues(),
		pushDelay: delay,
		full:      counter("ticket_declined_total", "Degraded turns that got no ticket because people have too much to do.").WithLabelValues(),
	}
}

// each looks up the series of these values once, behind fixed labels.
func each[V ~string](c *prometheus.CounterVec, fixed []string, values ...V) map[V]prometheus.Counter {
	of := make(map[V]prometheus.Counter, len(values))
	for _, v := range values {
		of[v] = c.WithLabelValues(append(fixed, string(v))...)
	}
	return of
}

// Refused counts a request for a socket that was turned away before it came here.
func (d *Desk) Refused(code string) { d.metrics.refused[code].Inc() }

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
