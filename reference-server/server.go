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

	"github.com/cstest/cstest/reference-server/admin"
	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/customer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/surface"
	"github.com/cstest/cstest/reference-server/token"
)

// Server is a running reference server. All methods are safe for concurrent
// use.
type Server struct {
	cfg       Config
	log       *slog.Logger
	knobs     *knobs.Live
	metrics   *metrics
	tokens    *token.Verifier
	ids       *dialog.Minter
	embedded  *embedded
	redis     *redis.Client
	trips     dialog.RoundTrips // to Redis
	store     *dialog.Store
	pulse     *dialog.Pulse
	model     *model.Client
	caller    *model.Caller
	gray      *gray.Releases
	grays     *model.Caller // of the gray group
	watch     *degrade.Watch
	faq       *answer.Book // nil: could not be built
	desk      *desk.Desk
	customers *customer.Room
	backflow  *backflow.Flow
	limiter   *admission.Limiter
	chat      *chat.Chat
	jobs      *jobs.Queue
	gates     *quota.Gates
	surface   *surface.Surface
	operate   *admin.Admin

	public, admin         *http.Server
	publicAddr, adminAddr string
	connections           connections // of the public listener
	leaving               atomic.Bool // not ready any more
	draining              atomic.Bool // no turns any more
	stop                  context.CancelFunc
	background            sync.WaitGroup
	closing               sync.Once
	closed                chan struct{}
	closeErr              error
}

// Start runs a server until ctx ends or Close is called. Errors tell which
// field of cfg is wrong or which address cannot be listened on.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	set, err := knobs.Profile(cfg.Profile)
	if err == nil {
		set, err = set.Apply(cfg.Knobs, false)
	}
	if err := errors.Join(cfg.check(), err); err != nil {
		return nil, err
	}
	if _, given := cfg.Knobs["redis.timeout"]; cfg.Redis == "" && !given {
		// Nothing between here and there but this machine's own load.
		set.RedisTimeout = max(set.RedisTimeout, embeddedTimeout)
	}
	s := &Server{cfg: cfg, log: slog.New(slog.NewJSONHandler(cfg.Log, nil)), knobs: knobs.NewLive(set), metrics: newMetrics(), closed: make(chan struct{})}
	s.tokens, s.ids = token.NewVerifier(cfg.keys(), time.Now), dialog.NewMinter(cfg.idKey())
	if err := s.openRedis(&set); err != nil {
		return nil, err
	}
	s.build(&set)
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

// build furnishes the rooms, each with what it needs.
func (s *Server) build(set *knobs.Settings) {
	s.model = model.NewClient(s.cfg.LLM, string(s.cfg.LLMKey), modelOptions(set))
	s.caller = model.NewCaller(s.model, modelOptions(set), func() model.Live { return modelLive(s.knobs.Load(), s.watch) }, s.sawModel)
	s.gray = gray.New(gray.Options{Redis: s.redis, Knobs: s.knobs, Metrics: s.metrics.registry, Log: s.log})
	few := modelOptions(set)
	few.Bulkhead /= 2 // a release is for half of the users at most
	s.grays = model.NewCaller(s.model, few, func() model.Live { return modelLive(s.gray.Settings(gray.Gray), s.watch) }, s.sawGray)
	s.watch = degrade.NewWatch(time.Now(), func() degrade.Live { return tierLive(s.knobs.Load()) }, degrade.Hooks{
		Breaker: s.caller.Breaker(), Board: degrade.NewBoard(s.redis), Probe: s.probe, Ping: s.pulse.Feel, Changed: s.tierChanged, Starved: func() { s.limiter.Pressed() },
	})
	s.limiter = admission.NewLimiter(func() admission.Live { return admissionLive(s.knobs.Load()) })
	screen := chat.NewScreen(s.knobs, []string{model.SystemPrompt, model.BriefPrompt}, s.log, s.metrics.registry)
	s.desk = desk.New(desk.Options{
		Redis: s.redis, Dialogs: s.store, IDs: s.ids, Shared: s.embedded == nil, Metrics: desk.NewMetrics(s.metrics.registry, surface.UpgradeRefusals()...), Log: s.log,
		Observe: s.sawRedis, Live: func() desk.Live { return deskLive(s.knobs.Load()) }, Clean: func(traceID, text string) string {
			clean, _ := screen.Answer(traceID, text)
			return clean
		},
	})
	s.customers = customer.New(func() customer.Live { return customerLive(s.knobs.Load()) }, customer.NewMetrics(s.metrics.registry, surface.CustomerRefusals()...))
	var err error
	if s.faq, err = answer.NewBook(); err != nil {
		s.log.Error("no FAQ: degraded turns go to people", "err", err)
	}
	s.backflow = backflow.New(backflow.Options{
		Redis: s.redis, Live: func() backflow.Live { return backflowLive(s.knobs.Load()) }, World: s.around, Accept: s.acceptEntries, Metrics: s.metrics.registry, Log: s.log, CatchUp: s.store.CatchUp,
	})
	s.chat = chat.New(chat.Rooms{
		Knobs: s.knobs, Limiter: s.limiter, IDs: s.ids, Dialogs: s.store, Watch: s.watch, Intents: answer.NewIntents(), FAQ: s.faq, Backflow: s.backflow,
		Model: s.model, Caller: s.caller, Gray: s.gray, GrayCaller: s.grays, Desk: s.desk, Screen: screen, Metrics: s.metrics.registry, Log: s.log, Background: &s.background, Draining: s.draining.Load,
		Spent: func(who dialog.Owner, tokens int) {
			s.gates.Tokens.Spend(quota.Key(who), s.knobs.Load().LimitTokens, tokens, time.Now())
		},
		Ticket: func(who dialog.Owner) bool {
			return s.gates.Tickets.Take(quota.Key(who), s.knobs.Load().LimitTickets, time.Now()) == nil
		},
	})
	s.jobs = jobs.New(s.redis, s.chat.AnswerJob, s.log, time.Now)
	s.gates = quota.New()
	s.operate = admin.New(admin.Rooms{
		Knobs: s.knobs, Chat: s.chat, Watch: s.watch, Caller: s.caller, Desk: s.desk, Limiter: s.limiter, Backflow: s.backflow, Gray: s.gray,
		Attempts: func() int64 { return s.caller.Attempts() + s.grays.Attempts() },
		Outcomes: func() map[string]int64 { return s.surface.Outcomes() }, Leaving: s.leaving.Load, Draining: s.draining.Load, Metrics: s.metrics.handler(), Register: s.metrics.registry, Refused: s.gates.Refused, Log: s.log,
		Token: string(s.cfg.AdminToken), Keys: len(s.cfg.Secrets) > 0, Profile: s.cfg.Profile, Pprof: s.cfg.Pprof, Redis: s.redisKind(),
		RoundTrips: s.trips.Count, Connections: s.connections.now, Customers: s.customers.Open,
	})
	rooms := surface.Rooms{
		Knobs: s.knobs, Chat: s.chat, Jobs: s.jobs, Dialogs: s.store, Desk: s.desk, Backflow: s.backflow, Customers: s.customers, IDs: s.ids, Tokens: s.tokens, Passes: token.NewPasses(s.redis), Gates: s.gates,
		Metrics: s.metrics.registry, Log: s.log, Draining: s.draining.Load, Live: s.operate.Healthz, Ready: s.operate.Readyz,
		Origins: s.cfg.TrustedOrigins, Loopback: func() bool { return loopback(s.publicAddr) },
	}
	if s.cfg.Dev {
		rooms.Mint = func(who token.Identity) (string, error) { return s.tokens.Sign(who, s.cfg.firstKid(), token.DevLife) }
	}
	s.surface = surface.New(rooms)
	s.metrics.gauges(s)
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
