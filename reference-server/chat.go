package refserver

import (
	"net/http"
	"strconv"
	"time"
)

// chat answers one turn.
func (s *Server) chat(x *exchange) error {
	if prefersAsync(x.r) {
		x.w.Header().Set("Preference-Applied", "respond-async")
		return s.async(x)
	}
	t, err := s.open(x)
	if err != nil {
		return err
	}
	x.turn = t
	if err := t.enter(x.r.Context()); err != nil {
		return err
	}
	defer t.leave()
	body, err := t.run(x.r.Context())
	if err != nil {
		return err
	}
	h := x.w.Header()
	if t.replay != nil {
		h["Idempotent-Replay"] = []string{"true"}
	} else {
		s.count(t)
		h["X-Degrade-Tier"] = []string{t.ans.tier.String()}
	}
	h["Server-Timing"] = []string{t.timing()}
	x.send(http.StatusOK, body)
	return nil
}

// count books an answered turn.
func (s *Server) count(t *turn) {
	s.counts.turns.Add(1)
	s.counts.answers[t.ans.tier].Add(1)
	group := 0
	if t.ans.group == groupNames[1] {
		group = 1
	}
	s.metrics.answers[t.ans.tier][group].Inc()
	s.metrics.intents[t.intent].Inc()
	if t.ans.degraded {
		s.counts.degraded.Add(1)
		s.metrics.degraded.WithLabelValues(t.ans.tier.String(), t.ans.source).Inc()
	}
}

// timing is the Server-Timing header, in milliseconds.
func (t *turn) timing() string {
	total := time.Since(t.start)
	b := make([]byte, 0, 80)
	for _, part := range [...]struct {
		name string
		d    time.Duration
	}{{"pre", max(0, total-t.redisTime-t.modelTime)}, {"redis", t.redisTime}, {"llm", t.modelTime}, {"total", total}} {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, part.name...)
		b = append(b, ";dur="...)
		b = strconv.AppendFloat(b, millis(part.d), 'f', 3, 64)
	}
	return string(b)
}
