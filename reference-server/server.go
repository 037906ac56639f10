package refserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/net/netutil"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/pii"
	"github.com/cstest/cstest/reference-server/trace"
)

// Server is a running reference server. All methods are safe for concurrent
// use.
type Server struct {
	cfg      Config
	set      atomic.Pointer[settings]
	log      *slog.Logger
	verifier *verifier
	ids      *dialog.Minter
	embedded *embedded
	store    *dialog.Store
	model    *model.Client
	caller   *model.Caller
	watch    *degrade.Watch
	faq      *answer.FAQ // nil: could not be built
	intents  *answer.Intents
	desk     *desk.Desk
	cache    *hotCache
	jobs     *jobs.Queue
	gates    *gates
	limiter  *admission.Limiter
	bodies   bodies
	metrics  *metrics
	masker   *pii.Masker
	check    *answer.Check
	gzip     gzipPool
	counts   counts

	public, admin         *http.Server
	publicAddr, adminAddr string
	inFlight              atomic.Int64
	draining              atomic.Bool
	stop                  context.CancelFunc
	background            sync.WaitGroup
	closing               sync.Once
	closed                chan struct{}
	closeErr              error
}

// counts are the exact figures of /admin/state.
type counts struct {
	turns    atomic.Int64
	degraded atomic.Int64
	answers  [len(degrade.TierNames)]atomic.Int64
	outcomes [600]atomic.Int64 // by HTTP status
}

const (
	drainTime  = 25 * time.Second
	flushEvery = time.Second // the journal of tickets, while Redis answers
)

// Start runs a server until ctx ends or Close is called. Errors tell which
// field of cfg is wrong or which address cannot be listened on.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	base, err := profile(cfg.Profile)
	if err == nil {
		base, err = base.apply(cfg.Knobs, false)
	}
	if err := errors.Join(cfg.check(), err); err != nil {
		return nil, err
	}
	if _, set := cfg.Knobs["redis.timeout"]; cfg.Redis == "" && !set {
		// Nothing between here and there but this machine's own load.
		base.redisTimeout = max(base.redisTimeout, embeddedTimeout)
	}
	s := &Server{cfg: cfg, log: slog.New(slog.NewJSONHandler(cfg.Log, nil)), closed: make(chan struct{})}
	s.set.Store(&base)
	s.metrics = newMetrics(s)
	s.verifier = newVerifier(cfg.Secrets, time.Now)
	s.ids = dialog.NewMinter(s.idKey())
	if err := s.openRedis(&base); err != nil {
		return nil, err
	}
	s.model = model.NewClient(cfg.LLM, string(cfg.LLMKey), modelOptions(&base))
	s.caller = model.NewCaller(s.model, modelOptions(&base), func() model.Live { return modelLive(s.set.Load()) }, s.sawModel)
	s.watch = degrade.NewWatch(time.Now(), func() degrade.Live { return tierLive(s.set.Load()) }, degrade.Hooks{
		Breaker: s.caller.Breaker(), Probe: s.probe, Ping: s.store.Ping, Changed: s.tierChanged, Starved: func() { s.limiter.Pressed() }})
	s.intents, s.cache, s.masker, s.check = answer.NewIntents(), newHotCache(), pii.New(), answer.NewCheck(model.SystemPrompt)
	s.desk = desk.New(desk.Options{Store: s.store, IDs: s.ids, Shared: s.embedded == nil, Metrics: s.metrics.desk, Log: s.log,
		Live: func() desk.Live { return deskLive(s.set.Load()) }, Clean: s.cleanReply})
	if s.faq, err = answer.NewFAQ(); err != nil {
		s.log.Error("no FAQ: degraded turns go to people", "err", err)
	}
	s.jobs = jobs.New(s.store.Redis, s.answerJob, s.log, time.Now)
	s.limiter = admission.NewLimiter(func() admission.Live { return admissionLive(s.set.Load()) })
	s.gates = newGates(&base)
	if err := s.listen(); err != nil {
		s.release()
		return nil, err
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.start(run)
	context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		_ = s.Close(end)
	})
	return s, nil
}

func (s *Server) openRedis(set *settings) error {
	var opt *redis.Options
	if s.cfg.Redis == "" {
		e, err := startEmbedded()
		if err != nil {
			return err
		}
		s.embedded = e
		opt = &redis.Options{Addr: e.mini.Addr(), PoolTimeout: set.redisTimeout.D()}
		s.log.Info("embedded Redis: volatile, single lock, no capacity claims")
	} else {
		o, err := dialog.RedisOptions(s.cfg.Redis)
		if err != nil {
			return err
		}
		opt = o
	}
	s.store = dialog.NewStore(opt, storeOptions(set, &s.background, s.sawRedis))
	return nil
}

func (s *Server) listen() error {
	pub, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("public listener: %w", err)
	}
	adm, err := net.Listen("tcp", s.cfg.AdminListen)
	if err != nil {
		pub.Close()
		return fmt.Errorf("admin listener: %w", err)
	}
	s.publicAddr, s.adminAddr = pub.Addr().String(), adm.Addr().String()
	quiet := slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)
	s.public = &http.Server{Handler: s.publicRoutes(), ReadHeaderTimeout: 3 * time.Second, ReadTimeout: 13 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: quiet, Protocols: s.protocols(),
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 1000}}
	s.admin = &http.Server{Handler: s.adminRoutes(), ReadHeaderTimeout: 3 * time.Second, ReadTimeout: 13 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: quiet}
	serve := func(srv *http.Server, ln net.Listener, tls bool) {
		s.background.Go(func() {
			var err error
			if tls {
				err = srv.ServeTLS(ln, s.cfg.TLSCert, s.cfg.TLSKey)
			} else {
				err = srv.Serve(ln)
			}
			if err != nil && !errors.Is(err, http.ErrServerClosed) {
				s.log.Error("listener ended", "err", err)
			}
		})
	}
	serve(s.public, netutil.LimitListener(pub, s.cfg.MaxConnections), s.cfg.TLSCert != "")
	serve(s.admin, adm, false)
	return nil
}

func (s *Server) protocols() *http.Protocols {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(s.cfg.H2C)
	return &p
}

// start runs what goes on beside requests.
func (s *Server) start(ctx context.Context) {
	s.background.Go(func() { s.jobs.Run(ctx) })
	s.background.Go(func() { s.desk.Run(ctx) })
	if !s.set.Load().tiers {
		return
	}
	s.background.Go(func() { s.watch.Run(ctx) })
	s.background.Go(func() {
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if s.watch.At().Shown() != degrade.Static {
					s.desk.Flush(ctx)
				}
			}
		}
	})
}

// sawModel hears of every attempt made for a user.
func (s *Server) sawModel(f model.Fault, took time.Duration, slow bool) {
	s.watch.SawModel(f, slow)
	s.metrics.attempts[f].Inc()
	s.metrics.attemptTime.Observe(took.Seconds())
}

// sawRedis hears of every operation on a dialog.
func (s *Server) sawRedis(op string, took time.Duration, err error) {
	s.metrics.redisOps[op].Observe(took.Seconds())
	if err != nil && errors.Is(err, dialog.ErrState) {
		s.metrics.redisErrors[op].Inc()
	}
	failed := errors.Is(err, dialog.ErrState)
	if errors.Is(err, dialog.ErrCrowded) || !s.watch.SawRedis(time.Now(), failed, errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)) {
		s.limiter.Pressed() // says nothing about Redis, but that we ask too much at once
	}
}

// probe asks the model once, past the breaker.
func (s *Server) probe(ctx context.Context, body []byte) model.Fault {
	if body == nil {
		body = s.model.Body(model.Prompt{Text: "你好"})
	}
	_, err := s.model.Ask(ctx, body, trace.From(""), "probe")
	f := model.FaultOf(err)
	s.metrics.probes[f].Inc()
	return f
}

func (s *Server) tierChanged(from, to degrade.Position, reason string) {
	s.metrics.transitions.WithLabelValues(from.Shown().String(), to.Shown().String(), reason).Inc()
	s.log.Warn("tier", "from", from.Shown().String(), "to", to.Shown().String(), "live_share", to.LiveShare(), "reason", reason)
}

// URL is the base URL of the public listener.
func (s *Server) URL() string {
	if s.cfg.TLSCert != "" {
		return "https://" + s.publicAddr
	}
	return "http://" + s.publicAddr
}

// AdminURL is the base URL of the admin listener.
func (s *Server) AdminURL() string { return "http://" + s.adminAddr }

// Done is closed when the server has gone down, by Close or with the context
// given to Start.
func (s *Server) Done() <-chan struct{} { return s.closed }

// Close drains: not ready at once, no new connections, turns in flight are
// finished until ctx ends. Further calls wait for the first and return the
// same error.
func (s *Server) Close(ctx context.Context) error {
	s.closing.Do(func() {
		s.draining.Store(true)
		var people sync.WaitGroup
		people.Go(func() { s.desk.Drain(ctx) })
		err := s.public.Shutdown(ctx)
		people.Wait()
		if err != nil {
			err = fmt.Errorf("drain: %d turns cut off: %w", s.inFlight.Load(), err)
			s.public.Close()
		}
		s.stop()
		s.store.StopRetries()
		s.admin.Close()
		s.background.Wait()
		s.desk.Close()
		s.release()
		s.closeErr = err
		close(s.closed)
	})
	<-s.closed
	return s.closeErr
}

func (s *Server) release() {
	if s.model != nil {
		s.model.Close()
	}
	if s.store != nil {
		s.store.Redis.Close()
	}
	s.embedded.close()
	s.faq.Close()
	if s.cache != nil {
		s.cache.answers.StopAllGoroutines()
	}
	if s.gates != nil {
		s.gates.close()
	}
}

// idKey derives the key of ids from the token keys, so that servers that share
// those accept each other's dialogs. Without any, nothing is served anyway.
func (s *Server) idKey() []byte { return []byte(s.cfg.Secrets[s.firstKid()]) }

// firstKid is the least key id.
func (s *Server) firstKid() string {
	least := ""
	for kid := range s.cfg.Secrets {
		if least == "" || kid < least {
			least = kid
		}
	}
	return least
}
