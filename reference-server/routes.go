package refserver

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// endpoint is one row of the route table.
type endpoint struct {
	method string
	path   string
	route  route
	turn   bool   // takes part in the gates: drain, in flight, rate limits
	role   string // needed role; empty: no token at all
	once   bool   // takes a one-time ticket for a token
	handle func(*exchange) error
}

// endpoints is the public route table, complete: a test holds every row
// against every kind of caller.
func (s *Server) endpoints() []endpoint {
	return []endpoint{
		{method: "POST", path: "/v1/chat", route: routeChat, turn: true, role: roleUser, handle: s.chat},
		{method: "POST", path: "/chat", route: routeChat, turn: true, role: roleUser, handle: s.chat},
		{method: "POST", path: "/v1/chat/stream", route: routeStream, turn: true, role: roleUser, handle: s.stream},
		{method: "POST", path: "/v1/chat/async", route: routeAsync, turn: true, role: roleUser, handle: s.async},
		{method: "GET", path: "/v1/jobs/{id}", route: routeJob, role: roleUser, handle: s.jobGet},
		{method: "DELETE", path: "/v1/jobs/{id}", route: routeJob, role: roleUser, handle: s.jobDelete},
		{method: "GET", path: "/v1/dialogs/{id}", route: routeDialog, role: roleUser, handle: s.dialogGet},
		{method: "DELETE", path: "/v1/dialogs/{id}", route: routeDialog, role: roleUser, handle: s.dialogDelete},
		{method: "GET", path: "/v1/tickets/{id}", route: routeTicket, role: roleUser, handle: s.ticketGet},
		{method: "POST", path: "/v1/agent/ticket", route: routeAgent, role: roleAgent, handle: s.agentTicket},
		{method: "GET", path: "/v1/agent/ws", route: routeAgent, role: roleAgent, once: true, handle: s.agentSocketOpen},
	}
}

func (s *Server) publicRoutes() http.Handler {
	mux := http.NewServeMux()
	for _, e := range s.endpoints() {
		mux.HandleFunc(e.method+" "+e.path, s.serve(e))
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.cfg.Dev {
		mux.HandleFunc("POST /dev/token", s.serve(endpoint{route: routeOther, handle: s.devToken}))
	}
	mux.HandleFunc("/", s.serve(endpoint{route: routeOther, handle: func(x *exchange) error { return unknownPath(mux, x.r) }}))
	return mux
}

// unknownPath tells a wrong method from a wrong path.
func unknownPath(mux *http.ServeMux, r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
			return problemMethod
		}
	}
	return problemNotFound
}

// exchange is one request and its answer.
type exchange struct {
	srv    *Server
	set    *settings
	w      http.ResponseWriter
	r      *http.Request
	tr     trace.Context
	start  time.Time
	who    identity
	turn   *turn // nil: no turn, or not yet
	status int   // 0: not answered yet
}

// serve wraps an endpoint: trace, gates, token, panics, errors, metrics, log.
func (s *Server) serve(e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{srv: s, set: s.set.Load(), w: w, r: r, tr: trace.From(r.Header.Get("Traceparent")), start: time.Now()}
		h := w.Header()
		h["Cache-Control"] = []string{"no-store"}
		h["X-Request-Id"] = []string{x.tr.ID}
		h["X-Content-Type-Options"] = []string{"nosniff"}
		err := x.guarded(e)
		if err != nil {
			x.fail(err)
		}
		took := time.Since(x.start)
		if p := min(max(x.status, 0), len(s.counts.outcomes)-1); e.turn {
			s.counts.outcomes[p].Add(1)
		}
		s.metrics.request(e.route, x.status, took)
		x.logLine(e.route, took)
	}
}

// guarded runs the endpoint behind its gates; a panic becomes an error.
func (x *exchange) guarded(e endpoint) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			x.srv.log.Error("panic", "trace_id", x.tr.ID, "value", v, "stack", string(debug.Stack()))
			x.w.Header().Set("Connection", "close")
			err = problemInternal
		}
	}()
	if e.turn && x.srv.draining.Load() {
		x.srv.metrics.rejected["draining"].Inc()
		return problemDraining
	}
	if e.role != "" {
		if q := x.srv.gates.refused.peek(address(x.r), x.set.limitRefused, x.start); q != nil {
			return x.limited(q)
		}
		if x.who, err = x.identify(e); err != nil {
			x.srv.gates.refused.take(address(x.r), x.set.limitRefused, x.start)
			return err
		}
		if x.who.role != e.role {
			return problemRole
		}
	}
	if q := x.quota(e); q != nil {
		return x.limited(q)
	}
	return e.handle(x)
}

// quota takes what the request costs its caller; nil when there was enough.
func (x *exchange) quota(e endpoint) *quota {
	switch {
	case e.turn:
		return x.srv.gates.allow(x.who, x.set, x.start)
	case e.role == roleUser:
		return x.srv.gates.reads.take(x.who.Tenant+"\x00"+x.who.UID, x.set.limitReads, x.start)
	}
	return nil
}

// address is where a request comes from, without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (x *exchange) limited(q *quota) error {
	x.srv.metrics.rejected[q.name].Inc()
	h := x.w.Header()
	h.Set("RateLimit-Policy", `"`+q.name+`";q=`+strconv.Itoa(q.limit))
	h.Set("RateLimit", `"`+q.name+`";r=0;t=`+strconv.Itoa(int(q.wait.Seconds())+1))
	p := *problemRateLimited
	p.retry = q.wait
	return &p
}

// fail answers with a problem. Errors that are none are bugs of ours.
func (x *exchange) fail(err error) {
	var p *problem
	if !errors.As(err, &p) {
		x.srv.log.Error("internal", "trace_id", x.tr.ID, "err", err.Error())
		p = problemInternal
	}
	if x.status != 0 {
		return // the answer has begun
	}
	x.status = p.status
	p.write(x.w, x.tr.ID)
}

// send answers with JSON, compressed when asked for and worth it.
func (x *exchange) send(status int, body []byte) {
	h := x.w.Header()
	h["Content-Type"] = []string{"application/json"}
	if len(body) >= gzipFrom && x.set.httpGzip {
		h["Vary"] = []string{"Accept-Encoding"}
		if acceptsGzip(x.r.Header.Get("Accept-Encoding")) {
			h["Content-Encoding"] = []string{"gzip"}
			body = x.srv.gzip.compress(body)
		}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.status = status
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// logLine writes a line about the request: no text, no secrets.
func (x *exchange) logLine(r route, took time.Duration) {
	switch {
	case x.set.logMode == "off" && x.status < 500:
		return
	case x.set.logMode == "sampled" && x.status < 500 && rand.Float64() >= float64(x.set.logSample):
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs, slog.String("trace_id", x.tr.ID), slog.String("route", routeNames[r]), slog.Int("status", x.status),
		slog.Float64("total_ms", millis(took)))
	if t := x.turn; t != nil {
		attrs = append(attrs, slog.String("tier", t.ans.tier.String()), slog.String("source", t.ans.source), slog.Bool("degraded", t.ans.degraded),
			slog.String("reason", t.ans.degradeReason), slog.String("intent", t.intent.String()), slog.String("group", t.ans.group),
			slog.Float64("redis_ms", millis(t.redisTime)), slog.Float64("llm_ms", millis(t.modelTime)), slog.Int("llm_attempts", t.attempts))
	}
	x.srv.log.LogAttrs(context.Background(), slog.LevelInfo, "request", attrs...)
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

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
