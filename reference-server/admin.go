package refserver

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/degrade"
)

const (
	maxAdminBody  = 64 << 10
	switchDefault = 30 * time.Minute // a switch that nobody takes back is an incident in waiting
	switchLongest = 24 * time.Hour
)

func (s *Server) adminRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /admin/state", s.adminState)
	mux.HandleFunc("GET /admin/knobs", s.adminKnobs)
	mux.HandleFunc("PUT /admin/knobs", s.adminSetKnobs)
	mux.HandleFunc("GET /admin/switches", s.adminSwitch)
	mux.HandleFunc("PUT /admin/switches", s.adminSetSwitch)
	mux.HandleFunc("POST /admin/cache/purge", s.adminPurge)
	return http.NewCrossOriginProtection().Handler(s.onlyOperators(mux))
}

// onlyOperators asks for the admin token where there is one, and for a literal
// address as Host: a name that a browser was made to resolve to loopback is
// turned away.
func (s *Server) onlyOperators(next http.Handler) http.Handler {
	want := []byte("Bearer " + string(s.cfg.AdminToken))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(r.Host); err == nil {
			host = h
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			problemRole.write(w, "")
			return
		}
		if s.cfg.AdminToken != "" && subtle.ConstantTimeCompare(want, []byte(r.Header.Get("Authorization"))) != 1 {
			problemToken.write(w, "")
			return
		}
		next.ServeHTTP(w, r)
	})
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
	writeJSON(w, code, map[string]any{
		"status": status, "tier": s.watch.At().Shown().String(), "breaker": s.caller.Breaker().State(),
		"redis": map[bool]string{true: "failing", false: "ok"}[s.watch.RedisFails(time.Now())],
	})
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
	for t := range degrade.TierNames {
		answers[degrade.TierNames[t]] = s.counts.answers[t].Load()
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
	at := s.watch.At()
	writeJSON(w, http.StatusOK, map[string]any{
		"profile": s.cfg.Profile, "knobs": set.values(), "knobs_sha256": set.sha256(), "redis": kind,
		"tier": at.Shown().String(), "live_share": at.LiveShare(), "switch": s.watch.CurrentSwitch(), "transitions": s.watch.History(),
		"turns": s.counts.turns.Load(), "degraded": s.counts.degraded.Load(), "answers": answers, "outcomes": outcomes,
		"llm_attempts": s.caller.Attempts(), "breaker": s.caller.Breaker().State(),
		"cache":   map[string]int64{"hit": s.cache.hits.Load(), "miss": s.cache.misses.Load(), "stale": s.cache.stale.Load()},
		"tickets": map[string]int{"journal": s.desk.Journaled()},
		"agents":  map[string]any{"sockets": s.desk.Sockets(), "on_duty": s.desk.OnDuty()}, "in_flight": s.inFlight.Load(), "admission": s.limiter.State(), "draining": s.draining.Load(),
	})
}

func (s *Server) adminKnobs(w http.ResponseWriter, _ *http.Request) {
	set := s.set.Load()
	writeJSON(w, http.StatusOK, map[string]any{"knobs": set.values(), "knobs_sha256": set.sha256(), "list": Knobs()})
}

// adminSetKnobs changes live knobs: {"limit.global": "1k/s"}. All or nothing.
func (s *Server) adminSetKnobs(w http.ResponseWriter, r *http.Request) {
	var values map[string]string
	if err := strictJSON(r.Body, &values); err != nil {
		problemFields("want an object of knob names and their values as strings: "+err.Error()).write(w, "")
		return
	}
	for {
		old := s.set.Load()
		next, err := old.apply(values, true)
		if err != nil {
			problemFields(err.Error()).write(w, "")
			return
		}
		if s.set.CompareAndSwap(old, &next) {
			s.log.Warn("knobs changed", "values", values, "sha256", next.sha256())
			break
		}
	}
	s.adminKnobs(w, r)
}

func (s *Server) adminSwitch(w http.ResponseWriter, _ *http.Request) {
	sw := s.watch.CurrentSwitch()
	w.Header().Set("ETag", `"`+strconv.FormatInt(sw.Version, 10)+`"`)
	writeJSON(w, http.StatusOK, sw)
}

// adminSetSwitch takes {mode, tier, reason, expires_in} with If-Match.
func (s *Server) adminSetSwitch(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Mode      string `json:"mode"`
		Tier      string `json:"tier"`
		Reason    string `json:"reason"`
		ExpiresIn string `json:"expires_in"`
	}
	if err := strictJSON(r.Body, &in); err != nil {
		problemFields("want {mode: auto|freeze|force, tier, reason, expires_in}: "+err.Error()).write(w, "")
		return
	}
	sw := degrade.Switch{Mode: in.Mode, Reason: in.Reason}
	life := switchDefault
	if in.ExpiresIn != "" {
		d, err := time.ParseDuration(in.ExpiresIn)
		if err != nil || d <= 0 || d > switchLongest {
			problemFields("expires_in: want a duration up to 24h, such as 30m").write(w, "")
			return
		}
		life = d
	}
	sw.Expires = time.Now().Add(life)
	if p := sw.Check(in.Tier); p != "" {
		problemFields(p).write(w, "")
		return
	}
	version, err := strconv.ParseInt(strings.Trim(r.Header.Get("If-Match"), `"`), 10, 64)
	if err != nil {
		(&problem{status: http.StatusPreconditionRequired, code: "precondition-required", detail: "send If-Match with the version that GET shows"}).write(w, "")
		return
	}
	if !s.watch.SetSwitch(sw, version) {
		(&problem{status: http.StatusPreconditionFailed, code: "stale-version", detail: "the switch was changed in between: read it again"}).write(w, "")
		return
	}
	s.log.Warn("switch", "mode", sw.Mode, "tier", sw.Tier, "reason", sw.Reason, "expires_at", sw.Expires.UTC())
	s.adminSwitch(w, r)
}

func (s *Server) adminPurge(w http.ResponseWriter, _ *http.Request) {
	s.cache.answers.InvalidateAll()
	w.WriteHeader(http.StatusNoContent)
}

// strictJSON decodes one value of at most 64 KiB without unknown fields.
func strictJSON(body io.Reader, v any) error {
	d := json.NewDecoder(io.LimitReader(body, maxAdminBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}
