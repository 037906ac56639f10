package admin

import (
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/trace"
	"github.com/cstest/cstest/reference-server/wire"
)

// exchange is one request and its answer.
type exchange struct {
	w     recorder
	r     *http.Request
	tr    trace.Context
	start time.Time
	code  string // of the problem it ended in; empty: none
}

// recorder keeps the status of an answer; 0: not answered yet.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader is that of the writer below.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write is that of the writer below.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// ServeHTTP answers a request: who asks and for what, panics, errors, metrics, log.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: recorder{ResponseWriter: w}, r: r, tr: trace.From(r.Header.Get("Traceparent")), start: time.Now()}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Request-Id", x.tr.ID)
	h.Set("X-Content-Type-Options", "nosniff")
	if err := a.run(x); err != nil {
		a.fail(x, err)
	}
	a.note(x)
}

func (a *Admin) run(x *exchange) (err error) {
	defer a.recovered(x, &err)
	if p := a.stranger(x.r); p != nil {
		return a.refused(x, p)
	}
	answer, p := a.table.Find(x.r)
	if p != nil {
		return a.refused(x, p)
	}
	return answer(x)
}

// stranger is why the caller is no operator; nil: it is one. The admin token is asked for
// where there is one, and a literal address as Host: a name that a browser was made to
// resolve to loopback is turned away.
func (a *Admin) stranger(r *http.Request) *problem.Problem {
	if http.NewCrossOriginProtection().Check(r) != nil {
		return problem.Origin
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(r.Host); err == nil {
		host = h
	}
	if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
		return problem.Role
	}
	if a.Token != "" && subtle.ConstantTimeCompare([]byte("Bearer "+a.Token), []byte(r.Header.Get("Authorization"))) != 1 {
		return problem.Token
	}
	return nil
}

// refused counts a no against the caller's address: who guesses at tokens and paths is
// soon told no more than to wait. Operators are never held up by it.
func (a *Admin) refused(x *exchange, p *problem.Problem) *problem.Problem {
	if q := a.Refused.Take(quota.Address(x.r.RemoteAddr), a.Knobs.Load().LimitRefused, x.start); q != nil {
		return problem.Limited(q.Name, q.Limit, q.Wait)
	}
	return p
}

// recovered makes an error of a panic; it is deferred.
func (a *Admin) recovered(x *exchange, err *error) {
	v := recover()
	if v == nil {
		return
	}
	if abort, ok := v.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
		panic(v)
	}
	a.Log.Error("panic", "trace_id", x.tr.ID, "value", v, "stack", string(debug.Stack()))
	*err = problem.Internal
}

// fail answers with a problem. An error that is none is a bug of ours.
func (a *Admin) fail(x *exchange, err error) {
	var p *problem.Problem
	if !errors.As(err, &p) {
		a.Log.Error("internal", "trace_id", x.tr.ID, "err", err.Error())
		p = problem.Internal
	}
	x.code = p.Code
	if x.w.status == 0 {
		p.Write(&x.w, x.tr.ID)
	}
}

// note counts and logs what became of a request.
func (a *Admin) note(x *exchange) {
	a.metrics.request(x.w.status)
	set := a.Knobs.Load()
	if x.w.status < 500 && !set.LogsOne() {
		return
	}
	outcome := x.code
	if outcome == "" {
		outcome = "ok"
	}
	a.Log.LogAttrs(x.r.Context(), slog.LevelInfo, "request", slog.String("trace_id", x.tr.ID), slog.String("route", "admin"), slog.Int("status", x.w.status),
		slog.String("outcome", outcome), slog.Float64("total_ms", float64(time.Since(x.start).Microseconds())/1000))
}

// decode reads the body; want tells a caller who sent another what it should be.
func (x *exchange) decode(v any, want string) error {
	if !wire.IsJSON(x.r.Header) {
		return problem.Type
	}
	if err := wire.Decode(x.r.Body, v); err != nil {
		return problem.Fields(want + ": " + err.Error())
	}
	return nil
}

// send answers with JSON. It gives no error.
func (x *exchange) send(status int, body wire.JSON) error {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_, _ = x.w.Write(append(body, '\n'))
	return nil
}

// done answers that it was done, with nothing to say. It gives no error.
func (x *exchange) done() error {
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}
