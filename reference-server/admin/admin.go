package admin

import (
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/routes"
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
	Register prometheus.Registerer
	Refused  quota.Keyed // of addresses
	Log      *slog.Logger

	RoundTrips  func() int64              // to Redis
	Connections func() (open, most int64) // of callers
	Customers   func() int                // sockets of theirs that are open

	Token   string // that operators send; empty: none is asked for
	Keys    bool   // there are keys to check callers' tokens with
	Profile string
	Pprof   bool   // profiles of the process are there to be read
	Redis   string // embedded or external
}

// Admin answers operators. Safe for concurrent use.
type Admin struct {
	Rooms

	table   routes.Table[func(*exchange) error]
	metrics *metrics
	asked   atomic.Int64 // when somebody last wanted to know whether to send turns here, Unix ns
}

// New makes an admin side.
func New(r Rooms) *Admin {
	a := &Admin{Rooms: r, metrics: newMetrics(r.Register)}
	for _, e := range a.Endpoints() {
		a.table.Add(e.Method, e.Path, e.answer)
	}
	return a
}
