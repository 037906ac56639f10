package refserver

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/reference-server/model"
)

// transition is one change of tier or live share.
type transition struct {
	AtMS   int64  `json:"t_unix_ms"`
	From   string `json:"from"`
	To     string `json:"to"`
	Share  int    `json:"live_share"`
	Reason string `json:"reason"`
}

const (
	maxTransitions = 1000
	starvedLag     = time.Second
	starvedTicks   = 3
)

// watch stands at the gauges: it counts how model, FAQ and Redis do, asks the
// model beside the users while they get a lower tier, and decides once a
// second. Safe for concurrent use.
type watch struct {
	set     func() *settings
	pos     atomic.Pointer[position]
	hand    atomic.Pointer[Switch] // nil: never touched
	llm     *window
	redis   *window
	faq     *window
	probes  probeLog
	refused atomic.Bool // the model does not accept our key

	probe   func(ctx context.Context, body []byte) model.Fault // one call past the breaker
	ping    func(ctx context.Context) error
	breaker *model.Breaker
	shadow  chan []byte // prompts of users on a lower tier, for probes
	changed func(from, to position, reason string)

	evaluated time.Time // last, and how many came late since
	lateTicks int

	mu          sync.Mutex
	transitions []transition
}

func newWatch(now time.Time, set func() *settings) *watch {
	w := &watch{set: set, llm: newWindow(now), redis: newWindow(now), faq: newWindow(now), shadow: make(chan []byte, 1),
		changed: func(position, position, string) {}}
	w.pos.Store(&position{tier: TierLLM, since: now, factor: 1})
	return w
}

// at is where the server stands: by its own decision, or by hand.
func (w *watch) at() position {
	p := *w.pos.Load()
	if w.hand.Load() != nil {
		if sw := w.currentSwitch(); sw.Mode == "force" {
			p.tier, p.share = sw.forced, 0
		}
	}
	return p
}

// sawModel counts a user's call.
func (w *watch) sawModel(f model.Fault, slow bool) {
	if f == model.FaultConfig {
		w.refused.Store(true)
	}
	if f != model.FaultCancelled && f != model.FaultPermanent {
		w.llm.count(time.Now(), f.Failure(), slow, f.Failure() && f != model.FaultTimeout)
	}
}

// offer hands a user's prompt to the next probe, if that still needs one.
func (w *watch) offer(body func() []byte) {
	if len(w.shadow) == 0 {
		select {
		case w.shadow <- body():
		default:
		}
	}
}

// run evaluates until ctx ends.
func (w *watch) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { w.probing(ctx) })
	all.Go(func() { w.pinging(ctx) })
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
func (w *watch) starved(now time.Time) bool {
	lag := now.Sub(w.evaluated) - evaluateEvery
	if w.evaluated.IsZero() || lag < starvedLag {
		w.lateTicks = 0
	} else {
		w.lateTicks++
	}
	w.evaluated = now
	return w.lateTicks >= starvedTicks
}

func (w *watch) evaluate(now time.Time) {
	starved := w.starved(now)
	if w.currentSwitch().Mode == "freeze" {
		return
	}
	from := *w.pos.Load()
	faq := w.faq.sum(now, signalWindow)
	set := w.set()
	to, reason := next(from, signals{
		now: now, llm: w.llm.sum(now, signalWindow), llmSecond: w.llm.sum(now, time.Second), probes: w.probes.sum(now),
		breakerOpen: w.breaker.State() == "open", keyRefused: w.refused.Load(),
		faqDown: faq.n >= fewProbes && (faq.failures() >= enterAtOnce || faq.slowness() >= enterSlow),
		redis:   w.redis.sum(now, signalWindow),
		cpu:     starved,
		jitter:  timerJitterMin + rand.Float64()*(timerJitterMax-timerJitterMin),
	}, timers{dwell: set.tierDwell.D(), dwellMax: set.tierDwellMax.D(), step: set.tierStep.D()})
	w.pos.Store(&to)
	if reason == "" {
		return
	}
	if to.tier == TierFAQ && to.share == liveShares[0] {
		// Probes are the evidence that calls may pass again.
		w.breaker.Close()
	}
	w.mu.Lock()
	if len(w.transitions) == maxTransitions {
		w.transitions = append(w.transitions[:0], w.transitions[1:]...)
	}
	w.transitions = append(w.transitions, transition{AtMS: now.UnixMilli(), From: from.tier.String(), To: to.tier.String(), Share: to.liveShare(), Reason: reason})
	w.mu.Unlock()
	w.changed(from, to, reason)
}

// liveShare is the percentage of dialogs that get the model.
func (p position) liveShare() int {
	switch p.tier {
	case TierLLM:
		return 100
	case TierFAQ:
		return p.share
	}
	return 0
}

func (w *watch) history() []transition {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]transition{}, w.transitions...)
}

// probing asks the model beside the users: at the probe rate below tier llm,
// once a second where too few users' calls leave a doubt.
func (w *watch) probing(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		now := time.Now()
		wait, ask := time.Second, false
		if w.at().tier != TierLLM {
			rate := max(0.1, float64(w.set().tierProbeRate))
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

func (w *watch) probeOnce(ctx context.Context) {
	var body []byte
	select {
	case body = <-w.shadow:
	default:
	}
	limit := w.set().llmTimeout.D()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	start := time.Now()
	f := w.probe(ctx, body)
	if f == model.FaultCancelled {
		return
	}
	if f != model.FaultConfig {
		w.refused.Store(false)
	}
	w.probes.add(time.Now(), f.Failure() || time.Since(start) > w.set().llmSlow.D())
}

// pinging keeps Redis measured where turns alone do not: ten times a second
// while there are few operations.
func (w *watch) pinging(ctx context.Context) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if w.redis.sum(time.Now(), signalWindow).n >= 4*minSamples {
			continue
		}
		err := w.ping(ctx)
		if ctx.Err() == nil {
			w.redis.add(time.Now(), err != nil, false)
		}
	}
}
