package admin

import (
	"crypto/subtle"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"sync/atomic"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

// Rooms are what operators see and change.
type Rooms struct {
	Knobs    *knobs.Live
	Chat     *chat.Chat
	Watch    *degrade.Watch
	Caller   *model.Caller
	Desk     *desk.Desk
	Backflow *backflow.Flow
	Gray     *gray.Releases
	Attempts func() int64 // at the model, for users
	Limiter  *admission.Limiter
	Outcomes func() map[string]int64 // turns by HTTP status
	Leaving  func() bool             // the server is going down, and wants no more turns
	Draining func() bool             // it takes none any more
	Metrics  http.Handler
	Log      *slog.Logger

	RoundTrips  func() int64              // to Redis
	Connections func() (open, most int64) // of callers
	Windows     func() int                // of customers, that are open

	Token   string // that operators send; empty: none is asked for
	Keys    bool   // there are keys to check callers' tokens with
	Profile string
	Pprof   bool   // profiles of the process are there to be read
	Redis   string // embedded or external
}

// Admin answers operators. Safe for concurrent use.
type Admin struct {
	Rooms

	asked atomic.Int64 // when somebody last wanted to know whether to send turns here, Unix ns
}

// New makes an admin side.
func New(r Rooms) *Admin { return &Admin{Rooms: r} }

// Handler serves all of it.
func (a *Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.Healthz)
	mux.HandleFunc("GET /readyz", a.Readyz)
	mux.Handle("GET /metrics", a.Metrics)
	mux.HandleFunc("GET /admin/state", a.state)
	mux.HandleFunc("GET /admin/knobs", a.showKnobs)
	mux.HandleFunc("PUT /admin/knobs", a.setKnobs)
	mux.HandleFunc("GET /admin/switches", a.showSwitch)
	mux.HandleFunc("PUT /admin/switches", a.setSwitch)
	mux.HandleFunc("GET /admin/gray", a.showGray)
	mux.HandleFunc("PUT /admin/gray", a.startGray)
	mux.HandleFunc("POST /admin/gray/promote", a.promoteGray)
	mux.HandleFunc("POST /admin/gray/rollback", a.rollbackGray)
	mux.HandleFunc("GET /admin/backflow", a.showBackflow)
	mux.HandleFunc("GET /admin/backflow/drafts", a.showDrafts)
	mux.HandleFunc("POST /admin/backflow/drafts/{id}/accept", a.acceptDraft)
	mux.HandleFunc("POST /admin/backflow/drafts/{id}/reject", a.rejectDraft)
	mux.HandleFunc("GET /admin/backflow/faq", a.showShelf)
	mux.HandleFunc("DELETE /admin/backflow/faq/{id}", a.takeBack)
	mux.HandleFunc("POST /admin/cache/purge", func(w http.ResponseWriter, _ *http.Request) {
		a.Chat.Forget()
		w.WriteHeader(http.StatusNoContent)
	})
	if a.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return http.NewCrossOriginProtection().Handler(a.onlyOperators(mux))
}

// onlyOperators asks for the admin token where there is one, and for a literal
// address as Host: a name that a browser was made to resolve to loopback is
// turned away.
func (a *Admin) onlyOperators(next http.Handler) http.Handler {
	want := []byte("Bearer " + a.Token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(r.Host); err == nil {
			host = h
		}
		if host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil {
			problem.Role.Write(w, "")
			return
		}
		if a.Token != "" && subtle.ConstantTimeCompare(want, []byte(r.Header.Get("Authorization"))) != 1 {
			problem.Token.Write(w, "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func send(w http.ResponseWriter, status int, body wire.JSON) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) //nolint:gosec // JSON, escaped as such and named so
}
