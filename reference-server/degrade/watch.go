package degrade

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/reference-server/model"
)

// Transition is one change of tier or live share.
type Transition struct {
	AtMS     int64 // Unix
	From, To string
	Share    int // percent of dialogs on the model
	Reason   string
}

const (
	maxTransitions = 1000
	starvedLag     = time.Second
	starvedTicks   = 3
	pingEvery      = 100 * time.Millisecond
	pingLimit      = 300 * time.Millisecond
)

// Live are the knobs of the watch, which may change while the server runs.
type Live struct {
	Dwell, DwellMax, Step   time.Duration // of the way back
	ProbeRate               float64       // probes a second below tier llm
	ModelTimeout, ModelSlow time.Duration // of a probe
}

// Breaker is what the watch needs of the model's breaker.
type Breaker interface {
	State() string // "open" when it lets nothing pass
	Close()        // lets calls pass again, on evidence from beside it
}

// Hooks are what a watch asks and tells of the world around it.
type Hooks struct {
	Breaker Breaker
	Board   *Board                                             // the switch of all processes; nil: of this one alone
	Probe   func(ctx context.Context, body []byte) model.Fault // one call to the model, past the breaker
	Ping    func(ctx context.Context) error                    // asks whether Redis answers
	Changed func(from, to Position, reason string)             // nil: nobody hears of it
	Starved func()                                             // the process does not get the CPU it needs; nil: nobody hears of it
}

// Watch stands at the gauges: it counts how model, FAQ and Redis do, asks the
// model beside the users while they get a lower tier, and decides once a
// second. Safe for concurrent use.
type Watch struct {
	live    func() Live
	pos     atomic.Pointer[Position]
	hand    atomic.Pointer[Switch] // nil: never touched
	setting sync.Mutex             // held while hand changes
	shared  atomic.Bool            // the other processes know it
	llm     *window
	redis   *window
	pings   *window // of Redis
	faq     *window
	probes  probeLog
	refused atomic.Bool // the model does not accept our key
	lag     lag

	hooks  Hooks
	shadow chan []byte // prompts of users on a lower tier, for probes

	evaluated time.Time // last, and how many came late since
	lateTicks int

	mu          sync.Mutex
	transitions []Transition
}

// NewWatch makes a watch that stands at tier llm.
func NewWatch(now time.Time, live func() Live, h Hooks) *Watch {
	if h.Changed == nil {
		h.Changed = func(Position, Position, string) {}
	}
	if h.Starved == nil {
		h.Starved = func() {}
	}
	w := &Watch{live: live, hooks: h, llm: newWindow(now), redis: newWindow(now), pings: newWindow(now), faq: newWindow(now), shadow: make(chan []byte, 1)}
	w.pos.Store(&Position{Tier: LLM, since: now, factor: 1})
	return w
}

// At is where the server stands: by its own decision, or by hand.
func (w *Watch) At() Position { return w.For("", "") }

// For is where it stands for the users of a tenant and a release group.
func (w *Watch) For(tenant, group string) Position {
	p := *w.pos.Load()
	if w.hand.Load() != nil {
		if sw := w.CurrentSwitch(); sw.Mode == modeForce && sw.covers(tenant, group) {
			p.Tier, p.share = sw.forced, 0
		}
	}
	return p
}

// SawModel counts a user's call.
func (w *Watch) SawModel(f model.Fault, slow bool) {
	if f == model.FaultConfig {
		w.refused.Store(true)
	}
	if f != model.FaultCancelled && f != model.FaultPermanent && f != model.FaultStarved {
		w.llm.count(time.Now(), f.Failure(), slow, f.Failure() && f != model.FaultTimeout)
	}
}

// SawFAQ counts a look into the FAQ.
func (w *Watch) SawFAQ(at time.Time, failed, slow bool) { w.faq.add(at, failed, slow) }

// Lag is how late this process got the CPU, at worst in the last half second.
func (w *Watch) Lag() time.Duration { return w.lag.now() }

// Starved says whether this process gets the CPU so late that what a call to the
// model takes says nothing about the model.
func (w *Watch) Starved() bool { return w.lag.now() > lagStarved }

// SawRedis counts an operation on Redis. A timeout while this process does not
// get the CPU it needs says nothing about Redis: counted is false, and pings,
// which are given more time, decide alone.
func (w *Watch) SawRedis(at time.Time, failed, timeout bool) (counted bool) {
	if failed && timeout && w.lag.now() > lagShort {
		return false
	}
	w.redis.add(at, failed, false)
	return true
}

// RedisFails says whether Redis failed as often in the last seconds as sends
// everybody to tier static.
func (w *Watch) RedisFails(now time.Time) bool {
	return w.redis.sum(now, signalWindow).failures() >= staticEnter
}

// Offer hands a user's prompt to the next probe, if that still needs one.
func (w *Watch) Offer(body func() []byte) {
	if len(w.shadow) == 0 {
		select {
		case w.shadow <- body():
		default:
		}
	}
}

// Run evaluates until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { w.probing(ctx) })
	all.Go(func() { w.pinging(ctx) })
	all.Go(func() { w.lag.run(ctx) })
	all.Go(func() { w.sharing(ctx) })
	tick := time.NewTicker(evaluateEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.evaluate(time.Now())
		}
	}
}

// starved says whether this evaluation was the third in a row that came a
// second late or more: the process does not get the CPU it needs. Only run
// calls it, through evaluate.
func (w *Watch) starved(now time.Time) bool {
	lag := now.Sub(w.evaluated) - evaluateEvery
	if w.evaluated.IsZero() || lag < starvedLag {
		w.lateTicks = 0
	} else {
		w.lateTicks++
	}
	w.evaluated = now
	return w.lateTicks >= starvedTicks
}

func (w *Watch) evaluate(now time.Time) {
	if w.starved(now) {
		w.hooks.Starved()
	}
	if w.CurrentSwitch().Mode == modeFreeze {
		return
	}
	from := *w.pos.Load()
	faq := w.faq.sum(now, signalWindow)
	live := w.live()
	to, reason := next(from, signals{
		now: now, llm: w.llm.sum(now, signalWindow), llmSecond: w.llm.sum(now, time.Second), probes: w.probes.sum(now),
		breakerOpen: w.hooks.Breaker.State() == "open", keyRefused: w.refused.Load(),
		faqDown:     faq.n >= fewProbes && (faq.failures() >= enterAtOnce || faq.slowness() >= enterSlow),
		redis:       w.redis.sum(now, signalWindow),
		redisLately: w.redis.sum(now, backWindow), pings: w.pings.sum(now, time.Second),
		jitter: timerJitterMin + rand.Float64()*(timerJitterMax-timerJitterMin),
	}, timers{dwell: live.Dwell, dwellMax: live.DwellMax, step: live.Step})
	w.pos.Store(&to)
	if reason == "" {
		return
	}
	if to.Tier == FAQ && to.share == liveShares[0] {
		// Probes are the evidence that calls may pass again.
		w.hooks.Breaker.Close()
	}
	w.mu.Lock()
	if len(w.transitions) == maxTransitions {
		w.transitions = append(w.transitions[:0], w.transitions[1:]...)
	}
	w.transitions = append(w.transitions, Transition{AtMS: now.UnixMilli(), From: from.Shown().String(), To: to.Shown().String(), Share: to.LiveShare(), Reason: reason})
	w.mu.Unlock()
	w.hooks.Changed(from, to, reason)
}

// ModelSince is since when everybody has had the model; zero where not everybody has,
// or dialogs have no state.
func (p Position) ModelSince() time.Time {
	if p.Tier != LLM || p.Away {
		return time.Time{}
	}
	return p.since
}

// LiveShare is the percentage of dialogs that get the model.
func (p Position) LiveShare() int {
	switch p.Tier {
	case LLM:
		return 100
	case FAQ:
		return p.share
	case Handoff, Static:
	}
	return 0
}

// History lists the changes of tier and live share, oldest first, the last 1,000.
func (w *Watch) History() []Transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Transition{}, w.transitions...)
}

// probing asks the model beside the users: at the probe rate below tier llm,
// once a second where too few users' calls leave a doubt.
func (w *Watch) probing(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		now := time.Now()
		wait, ask := time.Second, false
		if w.At().Tier != LLM {
			rate := max(0.1, w.live().ProbeRate)
			wait, ask = time.Duration(float64(time.Second)/rate), true
		} else if t := w.llm.sum(now, probeWindow); t.failed+t.slow > 0 && w.llm.sum(now, signalWindow).n < minSamples {
			ask = true
		}
		if ask {
			all.Go(func() { w.probeOnce(ctx) })
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (w *Watch) probeOnce(ctx context.Context) {
	var body []byte
	select {
	case body = <-w.shadow:
	default:
	}
	live := w.live()
	ctx, cancel := context.WithTimeout(ctx, live.ModelTimeout)
	defer cancel()
	start := time.Now()
	f := w.hooks.Probe(ctx, body)
	slow := time.Since(start) > live.ModelSlow
	if f == model.FaultCancelled || w.Starved() && (f == model.FaultTimeout || f == model.FaultNone && slow) {
		return
	}
	if f != model.FaultConfig {
		w.refused.Store(false)
	}
	w.probes.add(time.Now(), f.Failure() || slow)
}

// pinging keeps Redis measured whatever turns do, ten times a second. Pings have
// more time than turns do: a server that is short of CPU is late with its own
// operations, and must not take that for a Redis that is away.
func (w *Watch) pinging(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, pingLimit)
			defer cancel()
			err := w.hooks.Ping(ctx)
			if !errors.Is(ctx.Err(), context.Canceled) {
				w.redis.add(time.Now(), err != nil, false)
				w.pings.add(time.Now(), err != nil, false)
			}
		})
	}
}
