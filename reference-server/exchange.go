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
		err := x.run(e)
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

// run runs the endpoint behind its gates; a panic becomes an error.
func (x *exchange) run(e endpoint) (err error) {
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
