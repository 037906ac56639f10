package mockllm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/mockllm/internal/admission"
	"github.com/cstest/cstest/mockllm/internal/answer"
	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/fault"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
	"github.com/cstest/cstest/unit"
)

// Server is a running mock LLM. Its methods are safe for concurrent use.
type Server struct {
	public        *transport.Server
	listen, admin net.Listener
	setup         atomic.Pointer[setup]
	schedule      *fault.Schedule
	ledger        atomic.Pointer[journal.Ledger]
	attempts      journal.Attempts
	journal       journal.Log
	strangers     canary.Strangers
	totals        journal.Counts // since Start, whatever is reset
	inFlight      atomic.Int64
	open          atomic.Int64 // of those, without the ones whose client has left
	chunks        atomic.Uint64
	metrics       http.Handler

	api   *http.Server
	done  chan struct{}
	once  sync.Once
	work  sync.WaitGroup
	mu    sync.Mutex // orders changes of configuration and epoch
	epoch time.Time  // zero when none is set
	lease lease
	base  *setup // what returns when a time-to-live is over
}

// setup is a configuration ready for use, replaced as a whole.
type setup struct {
	cfg     Config
	pace    draw.Pace
	answers *answer.Set
	limits  prompt.Limits
	quotas  *admission.Quotas
	gate    *admission.Gate
}

func newSetup(cfg Config) (*setup, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &setup{cfg: cfg, pace: draw.NewPace(cfg.Latency), gate: admission.NewGate(cfg.Capacity), quotas: admission.NewQuotas(cfg.Limits, time.Now())}
	s.limits.ContextTokens = int(cfg.ContextTokens)
	if len(cfg.Models) > 0 {
		s.limits.Models = map[string]struct{}{}
		for _, m := range cfg.Models {
			s.limits.Models[m] = struct{}{}
		}
	}
	var err error
	if s.answers, err = answer.New(cfg.Answers); err != nil {
		return nil, err
	}
	return s, nil
}

// Start validates cfg, binds both listeners and serves until Close. The error
// lists every problem of the configuration, or the address that could not be bound.
func Start(cfg Config) (*Server, error) {
	set, err := newSetup(cfg)
	if err != nil {
		return nil, err
	}
	s := newServer(set)
	if s.listen, err = net.Listen("tcp", set.cfg.Listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if s.admin, err = net.Listen("tcp", set.cfg.AdminListen); err != nil {
		return nil, errors.Join(fmt.Errorf("admin_listen: %w", err), s.listen.Close())
	}
	s.apply(set, 0)
	s.api = s.newAPI()
	s.public = transport.Serve(s.listen, handler{s})
	s.spawn(func() { s.schedule.Run(s.done) })
	s.spawn(s.look)
	s.spawn(func() { _ = s.api.Serve(s.admin) })
	return s, nil
}

// newServer makes a server without its listeners.
func newServer(set *setup) *Server {
	s := &Server{done: make(chan struct{}), schedule: fault.NewSchedule()}
	s.setup.Store(set)
	s.ledger.Store(journal.NewLedger(time.Now(), false))
	s.journal.Limit = int(set.cfg.JournalRecords)
	s.metrics = newMetrics(s)
	return s
}

// openLook is how often the calls that are open are looked at, and openLooks how often in
// a row as many must have been.
const (
	openLook  = 50 * time.Millisecond
	openLooks = 3
)

// look notes how many calls are open, until Close.
func (s *Server) look() {
	tick := time.NewTicker(openLook)
	defer tick.Stop()
	var last [openLooks]int64
	for i := 0; ; i++ {
		select {
		case now := <-tick.C:
			last[i%openLooks] = s.open.Load()
			s.ledger.Load().Look(now, slices.Min(last[:]))
		case <-s.done:
			return
		}
	}
}

func (s *Server) spawn(f func()) { s.work.Go(f) }

// TB is the part of testing.TB that RunT needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// RunT starts a server for a test and closes it when the test ends.
func RunT(t TB, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatalf("mockllm: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// URL is the base of the public API: "http://127.0.0.1:41234", without "/v1".
func (s *Server) URL() string { return "http://" + s.listen.Addr().String() }

// AdminURL is the base of the admin API.
func (s *Server) AdminURL() string { return "http://" + s.admin.Addr().String() }

// Shutdown stops accepting connections and waits for the calls being served, at
// most until ctx is done, then closes. It returns ctx's error when calls were cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.public.StopAccepting()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.inFlight.Load() > 0 {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.Close())
		case <-tick.C:
		}
	}
	return s.Close()
}

// Close ends every call and connection at once, and waits until all goroutines
// of the server have ended. Later calls do nothing.
func (s *Server) Close() error {
	s.once.Do(func() {
		close(s.done)
		_ = s.api.Close()
	})
	s.public.Close()
	s.work.Wait()
	return nil
}

// pause sleeps until t or Close.
func (s *Server) pause(t time.Time) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.done:
	}
}

// Config is the configuration in force, with defaults filled in.
func (s *Server) Config() Config { return s.setup.Load().cfg }

// Configure replaces the configuration but for addresses, token and journal
// size; what cfg leaves out gets its default. After ttl, when positive, the last
// configuration without one returns, unless another change comes first: nobody
// who dies can leave a storm on. A schedule that follows an epoch keeps doing so.
func (s *Server) Configure(cfg Config, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.setup.Load()
	cfg.Listen, cfg.AdminListen, cfg.AdminToken = former.cfg.Listen, former.cfg.AdminListen, former.cfg.AdminToken
	cfg.JournalRecords = former.cfg.JournalRecords
	set, err := newSetup(cfg)
	if err != nil {
		return err
	}
	if set.cfg.Capacity == former.cfg.Capacity {
		set.gate = former.gate // calls hold places in it
	}
	if set.cfg.Limits == former.cfg.Limits {
		set.quotas = former.quotas // what was used stays used
	}
	s.apply(set, ttl)
	return nil
}

// SetFaults replaces the faults alone. Without a ttl they also stay when a
// configuration on borrowed time, if one is in force, gives way.
func (s *Server) SetFaults(faults []Fault, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := s.Config()
	cfg.Faults = faults
	set, err := newSetup(cfg)
	if err != nil {
		return err
	}
	set.gate, set.quotas = s.setup.Load().gate, s.setup.Load().quotas // calls hold places in them
	if ttl <= 0 {
		base := *s.base
		base.cfg.Faults = faults
		s.base, ttl = &base, s.schedule.Remaining().D()
	}
	s.apply(set, ttl)
	return nil
}

// apply installs set; the caller holds mu.
func (s *Server) apply(set *setup, ttl time.Duration) {
	var revert func()
	if ttl > 0 {
		revert = func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.setup.Load() == set {
				s.apply(s.base, 0)
			}
		}
	} else {
		s.base = set
	}
	s.setup.Store(set)
	origin, waiting := s.epoch, false
	if origin.IsZero() {
		origin, waiting = time.Now(), set.cfg.AwaitEpoch
	}
	s.schedule.Install(fault.CompileAll(set.cfg.Faults), origin, waiting, ttl, revert)
}

// SetEpoch sets t = 0 of the fault schedule and of the facts, whose counters
// start anew. It may lie in the future or the past.
func (s *Server) SetEpoch(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setEpoch(t)
}

// SetRunEpoch is SetEpoch for a run whose trace ids all begin with 8 bytes: of the
// client is told what belongs to them alone. The journal begins anew.
func (s *Server) SetRunEpoch(t time.Time, prefix uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setEpoch(t)
	s.journal.Begin(prefix, true)
}

func (s *Server) setEpoch(t time.Time) {
	s.epoch = t
	s.ledger.Store(journal.NewLedger(t, true))
	s.schedule.Restart(t, false)
}

// Reset clears journal, facts, attempts, faults and epoch. The rest of the
// configuration stays, and so does a time-to-live under way.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = time.Time{}
	bare, base := *s.setup.Load(), *s.base
	bare.cfg.Faults, base.cfg.Faults = nil, nil
	ttl := s.schedule.Remaining().D()
	s.base = &base
	s.apply(&bare, ttl)
	now := time.Now()
	s.schedule.Restart(now, false)
	s.ledger.Store(journal.NewLedger(now, false))
	s.journal.Begin(0, false)
	s.attempts.Reset()
	s.strangers.Reset()
}

// Facts is the compact truth about the calls since the epoch.
func (s *Server) Facts() Facts { return s.ledger.Load().Facts(s.schedule.Snapshot()) }

// Journal returns at most limit records with a sequence number above after, and
// how many of those asked for had been overwritten already.
func (s *Server) Journal(after uint64, limit int) (records []Record, lost uint64) {
	return s.journal.After(after, limit)
}

// Client tells from the journal how the client under test treated this server.
func (s *Server) Client() ClientFacts { return s.ClientAbout(nil) }

// ClientAbout is Client, with what is asked about turns.
func (s *Server) ClientAbout(asked *Asked) ClientFacts {
	f := s.journal.Client(asked)
	f.InFlightMax = int(s.Facts().InFlightMax)
	return f
}

// Calls is the number of completion requests since Start, of any purpose.
func (s *Server) Calls() uint64 {
	return s.totals.By[0].Load() + s.totals.By[1].Load() + s.totals.By[2].Load()
}

// InFlight is the number of calls being served now.
func (s *Server) InFlight() int { return int(s.inFlight.Load()) }

// ttlLimit bounds a time-to-live.
const ttlLimit = unit.Duration(24 * time.Hour)
