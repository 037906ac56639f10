package degrade

import "time"

// Tier is a level of service, best first.
type Tier uint8

// The tiers.
const (
	LLM     Tier = iota // the model, full context, hot-answer cache
	FAQ                 // retrieval and templates
	Handoff             // a ticket for a human
	Static              // a fixed text and a ticket kept locally: nothing is read
)

// TierNames are the tiers on the wire, in order.
var TierNames = [...]string{"llm", "faq", "handoff", "static"}

// String is the tier's name on the wire: llm, faq, handoff or static.
func (t Tier) String() string {
	if int(t) < len(TierNames) {
		return TierNames[t]
	}
	return "unknown"
}

// The table of transitions. Everything is evaluated once a second.
//
//	to       enter                                       leave, one step at a time
//	faq      model failures ≥ 30 % or slow ≥ 60 %        after the dwell, 20 probes in 10 s, ≥ 90 % good; then live
//	         twice; at once: ≥ 50 %, ≥ 70 % errors in    share 10, 25, 50, 100 %, one step each; a relapse doubles
//	         the last second, or breaker open            the dwell
//	handoff  at faq and FAQ unavailable or slow          cause gone for 30 s
//
// Whether Redis answers is a question of its own, beside this ladder: away at
// ≥ 50 % failures, back at < 5 % in 2 s. Away, the ladder goes on to say who asks
// the model, and the server says that it stands at static, for that is what those
// get who cannot be answered without state. Want of CPU is no tier at all: it is
// answered by turning turns away, because a cheaper answer for everybody draws
// more of them.
const (
	evaluateEvery  = time.Second
	signalWindow   = 3 * time.Second
	probeWindow    = 10 * time.Second
	minSamples     = 20
	enterFailures  = 0.30
	enterSlow      = 0.60
	enterAtOnce    = 0.50
	enterStorm     = 0.70 // errors within one second: a 3 s window alone takes 2 s to see a storm; lateness is left to it, a stall of this machine is no storm
	leaveProbes    = 20
	leaveGood      = 0.90
	relapseGood    = 0.70 // probes below this take the live share back
	fewProbes      = 5    // at low volume so many probes decide
	handoffGone    = 30 * time.Second
	staticEnter    = 0.50
	staticLeave    = 0.05
	backWindow     = 2 * time.Second // of Redis answering again
	backSamples    = 8
	relapseMemory  = time.Minute // trouble this soon after the way back is a relapse
	timerJitterMin = 0.8
	timerJitterMax = 1.2
)

// liveShares are the steps of the way back to the model, in percent of dialogs.
var liveShares = [...]int{10, 25, 50}

// tally counts calls in a window.
type tally struct {
	n, failed, slow int
	refused         int // of failed: answered with an error, not merely late
}

func (t tally) failures() float64 { return share(t.failed, t.n) }
func (t tally) slowness() float64 { return share(t.slow, t.n) }

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// signals are what one evaluation looks at.
type signals struct {
	now         time.Time
	llm         tally // users' calls in the last 3 s
	llmSecond   tally // and in the last second
	breakerOpen bool
	keyRefused  bool  // the model does not accept our key
	probes      tally // the last 20 probes, none older than 10 s
	faqDown     bool  // unavailable or slow
	redis       tally // operations in the last 3 s
	redisLately tally // and in the last 2 s
	pings       tally // of Redis alone, in the last second
	jitter      float64
}

// timers are the knobs of the way back.
type timers struct {
	dwell, dwellMax, step time.Duration
}

// Position is where the server stands, with what is needed to decide where to
// go from there. It is a value: next returns a new one.
type Position struct {
	Tier    Tier
	since   time.Time     // in this tier
	share   int           // percent of dialogs on the model while tier is faq
	stepped time.Time     // share was last raised
	dwell   time.Duration // least time at faq before probes may raise the share
	factor  float64       // jitter of the timers, drawn when the tier was entered
	strikes int           // evaluations in a row with the model in trouble
	back    time.Time     // all users last got the model back; zero: never away
	faqBad  time.Time     // FAQ last seen down
	Away    bool          // Redis does not answer: dialogs have no state
}

// next is the whole decision: where to stand after this evaluation, and why.
// The reason is empty while the tier and the live share stay.
func next(p Position, s signals, k timers) (Position, string) {
	if s.faqDown {
		p.faqBad = s.now
	}
	trouble, atOnce := modelTrouble(s)
	if trouble {
		p.strikes++
	} else {
		p.strikes = 0
	}
	p, reason := p.climb(s, k, atOnce)
	switch {
	case !p.Away && (s.redis.n >= minSamples && s.redis.failures() >= staticEnter || s.pings.n >= fewProbes && s.pings.failures() >= staticEnter):
		p.Away, reason = true, "redis_down"
	case p.Away && s.redisLately.n >= backSamples && s.redisLately.failures() < staticLeave:
		p.Away, reason = false, "redis_up"
	}
	return p, reason
}

// climb moves on the ladder from llm to handoff.
func (p Position) climb(s signals, k timers, atOnce string) (Position, string) {
	switch p.Tier {
	case LLM:
		if atOnce != "" || p.strikes >= 2 {
			return p.leaveModel(s, k, atOnce)
		}
	case FAQ:
		if s.faqDown {
			return p.enter(Handoff, s), "faq_down"
		}
		return p.towardsModel(s, k, atOnce != "" || p.strikes >= 2)
	case Handoff:
		if s.now.Sub(p.faqBad) >= p.timer(handoffGone) {
			return p.enter(FAQ, s), "faq_up"
		}
	case Static:
	}
	return p, ""
}

// modelTrouble says whether this evaluation speaks against the model, and with
// a reason if so strongly that one is enough.
func modelTrouble(s signals) (trouble bool, atOnce string) {
	switch {
	case s.keyRefused:
		return true, "llm_key_refused"
	case s.breakerOpen:
		return true, "breaker_open"
	case s.llm.n >= minSamples && s.llm.failures() >= enterAtOnce:
		return true, "llm_failures"
	case s.llmSecond.n >= minSamples && share(s.llmSecond.refused, s.llmSecond.n) >= enterStorm:
		return true, "llm_storm"
	case s.llm.n < minSamples && s.probes.n >= fewProbes && s.probes.failures() >= enterAtOnce:
		return true, "probe_failures"
	}
	return s.llm.n >= minSamples && (s.llm.failures() >= enterFailures || s.llm.slowness() >= enterSlow), ""
}

// enter moves to a tier.
func (p Position) enter(t Tier, s signals) Position {
	p.Tier, p.since, p.share, p.stepped, p.strikes, p.factor = t, s.now, 0, s.now, 0, s.jitter
	return p
}

func (p Position) timer(d time.Duration) time.Duration { return time.Duration(p.factor * float64(d)) }

func (p Position) leaveModel(s signals, k timers, reason string) (Position, string) {
	if reason == "" {
		reason = "llm_degraded"
	}
	relapse := !p.back.IsZero() && s.now.Sub(p.back) < relapseMemory
	p = p.enter(FAQ, s)
	if relapse {
		p.dwell = min(2*p.dwell, k.dwellMax)
	} else {
		p.dwell = k.dwell
	}
	return p, reason
}

// towardsModel is the way back: dwell, probes, live share in steps.
func (p Position) towardsModel(s signals, k timers, trouble bool) (Position, string) {
	if p.dwell == 0 {
		p.dwell = k.dwell // entered from a worse tier, not from trouble with the model
	}
	if p.share == 0 {
		ready := s.now.Sub(p.since) >= p.timer(p.dwell) && s.probes.n >= leaveProbes && 1-s.probes.failures() >= leaveGood
		if !ready {
			return p, ""
		}
		p.share, p.stepped, p.strikes = liveShares[0], s.now, 0
		return p, "probes_good"
	}
	if trouble || s.probes.n >= leaveProbes && 1-s.probes.failures() < relapseGood {
		p.share, p.since, p.strikes = 0, s.now, 0
		p.dwell, p.factor = min(2*p.dwell, k.dwellMax), s.jitter
		return p, "relapse"
	}
	if s.now.Sub(p.stepped) < p.timer(k.step) {
		return p, ""
	}
	for _, next := range liveShares {
		if next > p.share {
			p.share, p.stepped = next, s.now
			return p, "step"
		}
	}
	dwell := p.dwell
	p = p.enter(LLM, s)
	p.dwell, p.back = dwell, s.now
	return p, "llm_back"
}

// Shown is the tier the server says it stands at.
func (p Position) Shown() Tier {
	if p.Away {
		return Static
	}
	return p.Tier
}

// Serves is the tier for a dialog whose bucket is 0 … 99: the global tier, or
// the model for the live share on the way back.
func (p Position) Serves(bucket int) Tier {
	if p.Tier == FAQ && bucket < p.share {
		return LLM
	}
	return p.Tier
}
