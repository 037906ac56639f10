package surface

import (
	"errors"
	"hash/maphash"
	"log/slog"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/customer"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/wire"
)

// Rooms are what the surface serves.
type Rooms struct {
	Knobs     *knobs.Live
	Chat      *chat.Chat
	Jobs      *jobs.Queue
	Dialogs   *dialog.Store
	Desk      *desk.Desk
	Customers *customer.Room
	Backflow  *backflow.Flow
	IDs       *dialog.Minter
	Tokens    *token.Verifier
	Passes    *token.Passes
	Gates     *quota.Gates
	Metrics   prometheus.Registerer
	Log       *slog.Logger
	Draining  func() bool                             // the server is going down
	Live      func() (status int, document wire.JSON) // GET /healthz
	Ready     func() (status int, document wire.JSON) // GET /readyz

	Mint     func(who token.Identity) (string, error) // POST /dev/token; nil: there is none
	Origins  []string                                 // that a browser may open a WebSocket from
	Loopback func() bool                              // only this machine can call
}

// Surface answers requests. Safe for concurrent use.
type Surface struct {
	Rooms

	callers  maphash.Seed
	bodies   quota.Held // being read
	polls    quota.Held // that wait
	gzip     gzipPool
	metrics  *metrics
	outcomes [600]atomic.Int64 // turns by HTTP status
}

// New makes a surface.
func New(r Rooms) *Surface {
	s := &Surface{Rooms: r, callers: maphash.MakeSeed(), metrics: newMetrics(r.Metrics)}
	for _, g := range []struct {
		name, help string
		held       *quota.Held
	}{{"chat_bodies_reading", "Bodies of turns being read.", &s.bodies}, {"chat_polls_waiting", "Polls that wait for the end of a job.", &s.polls}} {
		r.Metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help}, func() float64 { return float64(g.held.Now()) }))
	}
	return s
}

// Outcomes counts the turns so far by HTTP status.
func (s *Surface) Outcomes() map[string]int64 {
	m := map[string]int64{}
	for code := range s.outcomes {
		if n := s.outcomes[code].Load(); n > 0 {
			m[strconv.Itoa(code)] = n
		}
	}
	return m
}

// limits are those of turns, as the buckets want them.
func limits(set *knobs.Settings) quota.Limits {
	return quota.Limits{
		Global: set.LimitGlobal, Tenant: set.LimitTenant, User: set.LimitUser,
		GlobalBurst: int(set.LimitGlobalBurst), UserBurst: int(set.LimitUserBurst),
	}
}

// problemOf is what an error of a room means to the caller; nil: it is a bug of
// ours.
func problemOf(err error) *problem.Problem {
	var p *problem.Problem
	var turn chat.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &turn):
		return turnProblem(turn)
	case errors.Is(err, dialog.ErrErased):
		return problem.NotFound
	case errors.Is(err, dialog.ErrState):
		return problem.State
	case errors.Is(err, token.ErrNoKey):
		return problem.NoKey
	case errors.Is(err, token.ErrToken):
		return problem.Token
	}
	return nil
}

func turnProblem(e chat.Error) *problem.Problem {
	switch e {
	case chat.ErrNotFound:
		return problem.NotFound
	case chat.ErrBusy:
		return problem.Busy
	case chat.ErrReused:
		return problem.Reused
	case chat.ErrShed:
		return shed()
	case chat.ErrState:
		return problem.State
	case chat.ErrGone:
		return problem.Gone
	case chat.ErrCut:
		return problem.Cut
	}
	return nil
}
