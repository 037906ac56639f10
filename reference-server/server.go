package refserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/pii"
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
		Breaker: s.caller.Breaker(), Probe: s.probe, Ping: s.store.Ping, Changed: s.tierChanged, Starved: func() { s.limiter.Pressed() },
	})
	s.intents, s.cache, s.masker, s.check = answer.NewIntents(), newHotCache(), pii.New(), answer.NewCheck(model.SystemPrompt)
	s.desk = desk.New(desk.Options{
		Store: s.store, IDs: s.ids, Shared: s.embedded == nil, Metrics: s.metrics.desk, Log: s.log,
		Live: func() desk.Live { return deskLive(s.set.Load()) }, Clean: s.cleanReply,
	})
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
		e, err := startEmbedded(set.redisAwayAt.D(), set.redisAwayFor.D())
		if err != nil {
			return err
		}
		s.embedded = e
		opt = &redis.Options{Addr: e.mini.Addr(), PoolTimeout: set.redisTimeout.D()}
		s.log.Info("embedded Redis: volatile, single lock, no capacity claims")
	} else {
		if set.redisAwayFor > 0 {
			return errors.New("knob redis.away_for: only the embedded Redis goes away when told")
		}
		o, err := dialog.RedisOptions(s.cfg.Redis)
		if err != nil {
			return err
		}
		opt = o
	}
	s.store = dialog.NewStore(opt, storeOptions(set, &s.background, s.sawRedis))
	return nil
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
