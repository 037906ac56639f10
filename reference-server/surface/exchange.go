package surface

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/trace"
)

// exchange is one request and its answer.
type exchange struct {
	set    *knobs.Settings
	gzip   *gzipPool
	w      http.ResponseWriter
	r      *http.Request
	tr     trace.Context
	start  time.Time
	who    token.Identity
	turn   *chat.Turn // nil: no turn, or not yet
	status int        // 0: not answered yet
	code   string     // of the problem it ended in; empty: none
	values [12]string // of header fields; fields are their number
	fields int
}

// header sets a field of the answer, whose name is in canonical form: Header().Set
// without an allocation for each.
func (x *exchange) header(name, value string) {
	if x.fields == len(x.values) {
		x.w.Header()[name] = []string{value}
		return
	}
	i := x.fields
	x.values[i] = value
	x.fields++
	x.w.Header()[name] = x.values[i:x.fields:x.fields]
}

// serve wraps an endpoint: trace, gates, token, panics, errors, metrics, log.
func (s *Surface) serve(e Endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := s.exchange(w, r)
		err := s.run(x, e)
		if err != nil {
			s.fail(x, err)
		}
		took := time.Since(x.start)
		s.note(x, e.route, e.Turn, took)
	}
}

func (s *Surface) exchange(w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{set: s.Knobs.Load(), gzip: &s.gzip, w: w, r: r, tr: trace.From(r.Header.Get("Traceparent")), start: time.Now()}
	x.header("Cache-Control", "no-store")
	x.header("X-Request-Id", x.tr.ID)
	x.header("X-Content-Type-Options", "nosniff")
	return x
}

// note counts and logs what became of a request, or of a message over a socket.
func (s *Surface) note(x *exchange, r route, turn bool, took time.Duration) {
	if status := min(max(x.status, 0), len(s.outcomes)-1); turn {
		s.outcomes[status].Add(1)
	}
	s.metrics.request(r, x.status, took)
	s.logLine(x, r, took)
}

// run runs the Endpoint behind its gates; a panic becomes an error.
func (s *Surface) run(x *exchange, e Endpoint) (err error) {
	defer s.recovered(x, &err)
	if e.free {
		return e.handle(x)
	}
	if e.Turn && s.Draining() {
		s.metrics.rejected["draining"].Inc()
		return problem.Draining
	}
	if q := s.Gates.Refused.Peek(quota.Address(x.r.RemoteAddr), x.set.LimitRefused, x.start); q != nil {
		return s.limited(q)
	}
	if e.Role == "" {
		if err = e.handle(x); err != nil {
			s.Gates.Refused.Take(quota.Address(x.r.RemoteAddr), x.set.LimitRefused, x.start)
		}
		return err
	}
	if x.who, err = s.identify(x, e); err != nil {
		s.Gates.Refused.Take(quota.Address(x.r.RemoteAddr), x.set.LimitRefused, x.start)
		return err
	}
	if x.who.Role != e.Role {
		return problem.Role
	}
	if q := s.quota(x, e); q != nil {
		return s.limited(q)
	}
	return e.handle(x)
}

// recovered makes an error of a panic; it is deferred.
func (s *Surface) recovered(x *exchange, err *error) {
	v := recover()
	if v == nil {
		return
	}
	if abort, ok := v.(error); ok && errors.Is(abort, http.ErrAbortHandler) {
		panic(v)
	}
	s.Log.Error("panic", "trace_id", x.tr.ID, "value", v, "stack", string(debug.Stack()))
	if x.w != nil {
		x.w.Header().Set("Connection", "close")
	}
	*err = problem.Internal
}

// quota takes what the request costs its caller; nil when there was enough.
func (s *Surface) quota(x *exchange, e Endpoint) *quota.Refusal {
	switch {
	case e.Turn:
		return s.turnQuota(x)
	case e.Role == token.User:
		return s.Gates.Reads.Take(quota.Key(x.who.Owner), x.set.LimitReads, x.start)
	}
	return nil
}

// turnQuota takes what a turn costs before it is asked.
func (s *Surface) turnQuota(x *exchange) *quota.Refusal {
	if q := s.Gates.Tokens.Peek(quota.Key(x.who.Owner), x.set.LimitTokens, x.start); q != nil {
		return q
	}
	return s.Gates.Turn(x.who.Owner, limits(x.set), x.start)
}

// limited is the problem of a bucket that is empty.
func (s *Surface) limited(q *quota.Refusal) *problem.Problem {
	s.metrics.rejected[q.Name].Inc()
	return problem.Limited(q.Name, q.Limit, q.Wait)
}

// problem is what the caller is told of an error. One that is none is a bug of
// ours.
func (s *Surface) problem(x *exchange, err error) *problem.Problem {
	if p := problemOf(err); p != nil {
		x.code = p.Code
		return p
	}
	x.code = problem.Internal.Code
	s.Log.Error("internal", "trace_id", x.tr.ID, "err", err.Error())
	return problem.Internal
}

// fail answers with a problem.
func (s *Surface) fail(x *exchange, err error) {
	p := s.problem(x, err)
	if errors.Is(err, chat.ErrShed) {
		s.metrics.rejected["shed"].Inc()
	}
	if x.status != 0 {
		return // the answer has begun
	}
	x.status = p.Status
	p.Write(x.w, x.tr.ID)
}

// shed is the answer to a turn that is not let in. Those who come back must not
// all do so in the same moment.
func shed() *problem.Problem {
	p := *problem.Shed
	p.Retry = time.Duration(1+rand.IntN(3)) * time.Second
	return &p
}

// send answers with JSON, compressed when asked for and worth it.
func (x *exchange) send(status int, body []byte) {
	x.header("Content-Type", "application/json")
	if len(body) >= gzipFrom && x.set.HTTPGzip {
		x.header("Vary", "Accept-Encoding")
		if acceptsGzip(x.r.Header.Get("Accept-Encoding")) {
			x.header("Content-Encoding", "gzip")
			body = x.gzip.compress(body)
		}
	}
	x.header("Content-Length", strconv.Itoa(len(body)))
	x.status = status
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}
