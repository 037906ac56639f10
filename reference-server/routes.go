package refserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"
)

func (s *Server) publicRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat", s.chat)
	mux.HandleFunc("POST /chat", s.chat)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux
}

func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /admin/state", s.adminState)
	return mux
}

// chat answers one turn.
func (s *Server) chat(w http.ResponseWriter, r *http.Request) {
	tr := traceFrom(r.Header.Get("Traceparent"))
	h := w.Header()
	h["Cache-Control"] = []string{"no-store"}
	h["X-Request-Id"] = []string{tr.id}
	s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	t, err := s.open(r, tr)
	var body []byte
	if err == nil {
		body, err = t.run(r.Context())
	}
	if err != nil {
		var p *problem
		if !errors.As(err, &p) {
			p = problemInternal
		}
		s.counts.outcomes[p.status].Add(1)
		p.write(w, tr.id)
		return
	}
	s.counts.outcomes[http.StatusOK].Add(1)
	s.counts.turns.Add(1)
	s.counts.answers[t.ans.tier].Add(1)
	h["Content-Type"] = []string{"application/json"}
	h["X-Degrade-Tier"] = []string{t.ans.tier.String()}
	h["Server-Timing"] = []string{t.timing()}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body)
}

// timing is the Server-Timing header, in milliseconds.
func (t *turn) timing() string {
	total := time.Since(t.start)
	b := make([]byte, 0, 80)
	for _, part := range []struct {
		name string
		d    time.Duration
	}{{"pre", total - t.redisTime - t.modelTime}, {"redis", t.redisTime}, {"llm", t.modelTime}, {"total", total}} {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, part.name...)
		b = append(b, ";dur="...)
		b = strconv.AppendFloat(b, float64(part.d.Microseconds())/1000, 'f', 3, 64)
	}
	return string(b)
}

func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"status": "ok"})
}

// readyz is 503 only while draining or without keys: a Redis or a model that
// is down is reported, not failed, because the lower tiers still serve.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	status, code := "ready", http.StatusOK
	switch {
	case s.draining.Load():
		status, code = "draining", http.StatusServiceUnavailable
	case len(s.cfg.Secrets) == 0:
		status, code = "no key to check tokens with", http.StatusServiceUnavailable
	}
	writeJSON(w, code, map[string]any{"status": status, "breaker": s.caller.breaker.state()})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"status":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

func (s *Server) adminState(w http.ResponseWriter, _ *http.Request) {
	set := s.set.Load()
	answers := map[string]int64{}
	for t := range tierNames {
		answers[tierNames[t]] = s.counts.answers[t].Load()
	}
	outcomes := map[string]int64{}
	for code := range s.counts.outcomes {
		if n := s.counts.outcomes[code].Load(); n > 0 {
			outcomes[strconv.Itoa(code)] = n
		}
	}
	kind := "external"
	if s.embedded != nil {
		kind = "embedded"
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"profile": s.cfg.Profile, "knobs": set.values(), "knobs_sha256": set.sha256(), "tier": TierLLM.String(), "redis": kind,
		"turns": s.counts.turns.Load(), "answers": answers, "llm_attempts": s.caller.attempts.Load(),
		"breaker": s.caller.breaker.state(), "transitions": []any{}, "outcomes": outcomes,
	})
}
