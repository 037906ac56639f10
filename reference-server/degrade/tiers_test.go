package degrade

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/trace"
)

var testTimers = timers{dwell: 5 * time.Second, dwellMax: 300 * time.Second, step: 2 * time.Second}

func TestNextFollowsTheTable(t *testing.T) {
	t0 := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	at := func(tier Tier) Position { return Position{Tier: tier, since: t0, factor: 1, dwell: 5 * time.Second} }
	faqAt := func(share int) Position {
		p := at(FAQ)
		p.share, p.stepped = share, t0
		return p
	}
	away := func(tier Tier) Position {
		p := at(tier)
		p.Away = true
		return p
	}
	llmBack := at(LLM)
	llmBack.back = t0
	later := func(d time.Duration, s signals) signals { s.now, s.jitter = t0.Add(d), 1; return s }
	good, half := tally{n: 20}, tally{n: 20, failed: 10}
	for _, c := range []struct {
		name   string
		from   Position
		s      signals
		tier   Tier
		share  int
		reason string
	}{
		{"no samples: stay", at(LLM), later(time.Second, signals{}), LLM, 0, ""},
		{"19 failures are too few", at(LLM), later(time.Second, signals{llm: tally{n: 19, failed: 19}}), LLM, 0, ""},
		{"half failed: at once", at(LLM), later(time.Second, signals{llm: half}), FAQ, 0, "llm_failures"},
		{"70 % of one second: at once", at(LLM), later(time.Second, signals{llm: tally{n: 100, failed: 20}, llmSecond: tally{n: 20, failed: 14, refused: 14}}), FAQ, 0, "llm_storm"},
		{"a second of timeouts: stay", at(LLM), later(time.Second, signals{llm: tally{n: 100, failed: 20}, llmSecond: tally{n: 20, failed: 20}}), LLM, 0, ""},
		{"breaker open: at once", at(LLM), later(time.Second, signals{breakerOpen: true}), FAQ, 0, "breaker_open"},
		{"key refused: at once", at(LLM), later(time.Second, signals{keyRefused: true}), FAQ, 0, "llm_key_refused"},
		{"30 % once: stay", at(LLM), later(time.Second, signals{llm: tally{n: 20, failed: 6}}), LLM, 0, ""},
		{"low volume: five probes decide", at(LLM), later(time.Second, signals{llm: tally{n: 3, failed: 3}, probes: tally{n: 5, failed: 3}}), FAQ, 0, "probe_failures"},
		{"redis half down: away, the ladder stays", at(LLM), later(time.Second, signals{redis: half}), LLM, 0, "redis_down"},
		{"pings alone tell, whatever came through before", at(LLM), later(time.Second, signals{redis: tally{n: 900, failed: 10}, pings: tally{n: 8, failed: 8}}), LLM, 0, "redis_down"},
		{"four pings are too few", at(LLM), later(time.Second, signals{pings: tally{n: 4, failed: 4}}), LLM, 0, ""},
		{"redis down beside faq down", at(FAQ), later(time.Second, signals{redis: half, faqDown: true}), Handoff, 0, "redis_down"},
		{"faq down at llm: stay", at(LLM), later(time.Second, signals{faqDown: true}), LLM, 0, ""},
		{"faq down at faq: handoff", at(FAQ), later(time.Second, signals{faqDown: true}), Handoff, 0, "faq_down"},
		{"good probes before the dwell: stay", at(FAQ), later(4*time.Second, signals{probes: good}), FAQ, 0, ""},
		{"19 probes: stay", at(FAQ), later(9*time.Second, signals{probes: tally{n: 19}}), FAQ, 0, ""},
		{"17 of 20 good: stay", at(FAQ), later(9*time.Second, signals{probes: tally{n: 20, failed: 3}}), FAQ, 0, ""},
		{"18 of 20 good: first live share", at(FAQ), later(9*time.Second, signals{probes: tally{n: 20, failed: 2}}), FAQ, 10, "probes_good"},
		{"step too early", faqAt(10), later(time.Second, signals{probes: good}), FAQ, 10, ""},
		{"10 to 25", faqAt(10), later(2*time.Second, signals{probes: good}), FAQ, 25, "step"},
		{"25 to 50", faqAt(25), later(2*time.Second, signals{probes: good}), FAQ, 50, "step"},
		{"50 to all", faqAt(50), later(2*time.Second, signals{probes: good}), LLM, 0, "llm_back"},
		{"relapse by users' calls", faqAt(50), later(2*time.Second, signals{probes: good, llm: half}), FAQ, 0, "relapse"},
		{"relapse by probes", faqAt(10), later(2*time.Second, signals{probes: tally{n: 20, failed: 7}}), FAQ, 0, "relapse"},
		{"handoff before 30 s: stay", at(Handoff), later(29*time.Second, signals{}), Handoff, 0, "stay"},
		{"away and the model fails: the ladder moves", away(LLM), later(time.Second, signals{redis: half, llm: half}), FAQ, 0, "llm_failures"},
		{"redis back: where the model stands", away(LLM), later(time.Second, signals{redisLately: tally{n: 20}}), LLM, 0, "redis_up"},
		{"redis back at faq", away(FAQ), later(time.Second, signals{redisLately: tally{n: 20}}), FAQ, 0, "redis_up"},
		{"away with 5 % failures: stay", away(LLM), later(time.Second, signals{redisLately: tally{n: 20, failed: 1}}), LLM, 0, ""},
		{"away with few samples: stay", away(LLM), later(time.Second, signals{redisLately: tally{n: 7}}), LLM, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := c.from
			from.faqBad = t0
			got, reason := next(from, c.s, testTimers)
			if c.reason == "stay" {
				c.reason = ""
			}
			if got.Tier != c.tier || got.share != c.share || reason != c.reason {
				t.Errorf("next = %v share %d %q, want %v share %d %q", got.Tier, got.share, reason, c.tier, c.share, c.reason)
			}
		})
	}
	t.Run("30 % twice", func(t *testing.T) {
		s := later(time.Second, signals{llm: tally{n: 20, slow: 12}})
		p, _ := next(at(LLM), s, testTimers)
		p, reason := next(p, s, testTimers)
		if p.Tier != FAQ || reason != "llm_degraded" {
			t.Errorf("slow twice: %v %q, want faq llm_degraded", p.Tier, reason)
		}
	})
	t.Run("trouble soon after the way back doubles the dwell", func(t *testing.T) {
		p, _ := next(llmBack, later(59*time.Second, signals{llm: half}), testTimers)
		if p.dwell != 10*time.Second {
			t.Errorf("dwell %v, want 10s", p.dwell)
		}
		p, _ = next(llmBack, later(61*time.Second, signals{llm: half}), testTimers)
		if p.dwell != 5*time.Second {
			t.Errorf("dwell %v, want 5s", p.dwell)
		}
	})
}

// Whatever the signals: leaving goes one tier at a time, the live share climbs
// in its steps, the dwell stays within its cap, and no tier changes without a
// reason.
func TestNextInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
		p := Position{Tier: LLM, since: now, factor: 1}
		some := func(name string) tally {
			n := rapid.IntRange(0, 60).Draw(t, name)
			return tally{n: n, failed: rapid.IntRange(0, n).Draw(t, name+" failed"), slow: rapid.IntRange(0, n).Draw(t, name+" slow")}
		}
		allowed := map[[2]int]bool{{0, 10}: true, {10, 25}: true, {25, 50}: true}
		for range rapid.IntRange(1, 200).Draw(t, "evaluations") {
			now = now.Add(time.Second)
			s := signals{
				now: now, llm: some("llm"), probes: some("probes"), redis: some("redis"), redisLately: some("redis lately"),
				breakerOpen: rapid.IntRange(0, 9).Draw(t, "breaker") == 0, faqDown: rapid.IntRange(0, 9).Draw(t, "faq") == 0,
				jitter: rapid.Float64Range(0.8, 1.2).Draw(t, "jitter"),
			}
			q, reason := next(p, s, testTimers)
			if q.Tier < p.Tier && q.Tier+1 != p.Tier {
				t.Fatalf("left %v for %v", p.Tier, q.Tier)
			}
			if q.Tier == LLM && p.Tier == FAQ && p.share != 50 {
				t.Fatalf("the model is back for all from share %d", p.share)
			}
			if q.Tier == FAQ && p.Tier == FAQ && q.share > p.share && !allowed[[2]int{p.share, q.share}] {
				t.Fatalf("share %d to %d", p.share, q.share)
			}
			if (q.Tier != p.Tier || q.share != p.share || q.Away != p.Away) != (reason != "") {
				t.Fatalf("%v/%d to %v/%d with reason %q", p.Tier, p.share, q.Tier, q.share, reason)
			}
			if q.dwell > testTimers.dwellMax {
				t.Fatalf("dwell %v", q.dwell)
			}
			if s.redis.n >= minSamples && s.redis.failures() >= staticEnter && q.Shown() != Static && !p.Away {
				t.Fatalf("redis down, tier %v", q.Tier)
			}
			p = q
		}
	})
}

// fakeModel fails a share of its calls, decided by a counter so that every run
// is the same.
// testOptions and testLive are those of the hardened profile.
var testOptions = model.Options{
	API: model.Chat, Attempts: 2, BackoffBase: 20 * time.Millisecond, RetryBudget: 0.1, Bulkhead: 1024,
	Breaker: "ratio", BreakerOpen: 10 * time.Second, BreakerFailures: 0.5, BreakerSlow: 0.6,
}

func testLive() Live {
	return Live{
		Dwell: 5 * time.Second, DwellMax: 300 * time.Second, Step: 2 * time.Second, ProbeRate: 5,
		ModelTimeout: 350 * time.Millisecond, ModelSlow: 340 * time.Millisecond,
	}
}

type fakeModel struct {
	failing atomic.Bool
	calls   atomic.Int64
	share   int // of 10
	flap    func(time.Duration) bool
	start   time.Time
}

func (m *fakeModel) Ask(ctx context.Context, _ []byte, _ trace.Context, _ string) (string, error) {
	n := m.calls.Add(1)
	bad := m.failing.Load() && int(n%10) < m.share
	if m.flap != nil {
		bad = m.flap(time.Since(m.start))
	}
	if bad {
		return "", &model.Error{Fault: model.FaultTransient, Status: 503}
	}
	select {
	case <-time.After(110 * time.Millisecond):
		return "ok", nil
	case <-ctx.Done():
		return "", model.TransportError(ctx, ctx.Err())
	}
}

func (m *fakeModel) Stream(ctx context.Context, body []byte, tr trace.Context, add func(string) error) error {
	s, err := m.Ask(ctx, body, tr, "")
	if err != nil {
		return err
	}
	return add(s)
}

// storm runs watch and caller in fake time at 50 turns a second.
type storm struct {
	t       *testing.T
	watch   *Watch
	caller  *model.Caller
	model   *fakeModel
	start   time.Time
	byModel map[int]int // second → turns answered by the model
	turns   map[int]int
	asked   map[int]int // second → attempts
}

// hooks are a watch's of a caller and the model behind it, beside a Redis that answers.
func hooks(c *model.Caller, m *fakeModel) Hooks {
	return Hooks{Breaker: c.Breaker(), Ping: func(context.Context) error { return nil }, Probe: func(ctx context.Context, body []byte) model.Fault {
		_, err := m.Ask(ctx, body, trace.Context{}, "probe")
		return model.FaultOf(err)
	}}
}

func runStorm(t *testing.T, m *fakeModel, seconds int, at func(second int)) *storm {
	s := &storm{t: t, model: m, start: time.Now(), byModel: map[int]int{}, turns: map[int]int{}, asked: map[int]int{}}
	m.start = s.start
	s.caller = model.NewCaller(m, testOptions, func() model.Live { return model.Live{Timeout: 350 * time.Millisecond, Slow: 340 * time.Millisecond} }, func(f model.Fault, _ time.Duration, slow bool) { s.watch.SawModel(f, slow) })
	s.watch = NewWatch(time.Now(), testLive, hooks(s.caller, m))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.watch.Run(ctx); close(done) }()
	for second := range seconds {
		at(second)
		for i := range 50 {
			s.turns[second]++
			if s.watch.At().Serves((second*50+i*37)%100) == LLM {
				cctx, stop := context.WithTimeout(ctx, 380*time.Millisecond)
				go func() {
					defer stop()
					if _, _, err := s.caller.Call(cctx, time.Time{}, nil, trace.Context{}); err == nil {
						return
					}
				}()
				s.byModel[second]++
			}
			time.Sleep(20 * time.Millisecond)
		}
		s.asked[second] = int(s.caller.Attempts())
	}
	cancel()
	<-done
	synctest.Wait()
	return s
}

func TestStormIsAnsweredFromFAQWithin2sAndOverWithin20s(t *testing.T) {
	for run := range 5 {
		t.Run(fmt.Sprint(run), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := &fakeModel{share: 9}
				s := runStorm(t, m, 70, func(second int) {
					switch second {
					case 10:
						m.failing.Store(true)
					case 30:
						m.failing.Store(false)
					}
				})
				for second := 12; second < 30; second++ {
					if s.byModel[second] != 0 {
						t.Errorf("second %d of the storm: %d of %d turns went to the model", second-10, s.byModel[second], s.turns[second])
					}
				}
				for second := 50; second < 70; second++ {
					if s.byModel[second] != s.turns[second] {
						t.Errorf("%d s after the storm: %d of %d turns had the model", second-30, s.byModel[second], s.turns[second])
					}
				}
				inStorm := s.asked[29] - s.asked[9]
				if turns := 20 * 50; float64(inStorm) > 1.1*float64(turns) {
					t.Errorf("%d attempts for %d turns of the storm, want at most 1.1 a turn", inStorm, turns)
				}
				log := s.watch.History()
				if len(log) != 5 || log[0].To != "faq" || log[1].Share != 10 || log[2].Share != 25 || log[3].Share != 50 || log[4].To != "llm" {
					t.Errorf("transitions %+v, want faq, 10, 25, 50, llm", log)
				}
			})
		})
	}
}

func TestPartialTroubleStaysAtTheModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeModel{share: 2}
		m.failing.Store(true)
		s := runStorm(t, m, 60, func(int) {})
		if log := s.watch.History(); len(log) != 0 {
			t.Errorf("20 %% failures caused %+v, want no transition", log)
		}
	})
}

func TestFlappingModelIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeModel{flap: func(d time.Duration) bool { return int(d/(2*time.Second))%2 == 1 }}
		s := runStorm(t, m, 120, func(int) {})
		changes := 0
		for _, l := range s.watch.History() {
			if l.From != l.To {
				changes++
			}
		}
		if changes == 0 || changes > 12 {
			t.Errorf("%d changes of tier in 120 s of 2 s up, 2 s down; want 1 to 12: %+v", changes, s.watch.History())
		}
	})
}

func TestQuietServerNoticesADeadModelByProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeModel{share: 10}
		m.failing.Store(true)
		var w *Watch
		c := model.NewCaller(m, testOptions, func() model.Live { return model.Live{Timeout: 350 * time.Millisecond, Slow: 340 * time.Millisecond} }, func(f model.Fault, _ time.Duration, slow bool) { w.SawModel(f, slow) })
		w = NewWatch(time.Now(), testLive, hooks(c, m))
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		for range 4 {
			_, _, _ = c.Call(ctx, time.Time{}, nil, trace.Context{})
			time.Sleep(2 * time.Second)
		}
		if w.At().Tier != FAQ {
			t.Errorf("tier %v after 8 s of a dead model at one turn every 2 s, want faq", w.At().Tier)
		}
		cancel()
		synctest.Wait()
	})
}

func TestStarvedTakesThreeLateEvaluations(t *testing.T) {
	now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	w := NewWatch(now, testLive, Hooks{})
	for i, c := range []struct {
		after time.Duration
		want  bool
	}{{0, false}, {time.Second, false}, {2 * time.Second, false}, {2 * time.Second, false}, {2 * time.Second, true}, {3 * time.Second, true}, {time.Second, false}, {2 * time.Second, false}} {
		now = now.Add(c.after)
		if got := w.starved(now); got != c.want {
			t.Errorf("evaluation %d, %v after the last: %v, want %v", i, c.after, got, c.want)
		}
	}
}

// Redis goes away for 2 s: half of the users must not lose the model for longer
// than that, and the ladder forgets nothing.
func TestABlipOfRedisCostsFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		w := NewWatch(time.Now(), testLive, Hooks{
			Breaker: (*model.Breaker)(nil), Probe: func(context.Context, []byte) model.Fault { return model.FaultNone },
			Ping: func(context.Context) error {
				if down.Load() {
					return context.DeadlineExceeded
				}
				return nil
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		go w.Run(ctx)
		time.Sleep(5 * time.Second)
		down.Store(true)
		time.Sleep(3500 * time.Millisecond)
		if at := w.At(); at.Shown() != Static || at.Serves(99) != LLM {
			t.Errorf("away: shows %v, serves %v; want static, llm", at.Shown(), at.Serves(99))
		}
		down.Store(false)
		time.Sleep(5 * time.Second)
		if at := w.At(); at.Shown() != LLM || at.Serves(99) != LLM {
			t.Errorf("5 s after: shows %v, serves %v; want llm", at.Shown(), at.Serves(99))
		}
		cancel()
		synctest.Wait()
	})
}

// Calls that are late while this process is say nothing about the model: neither the
// breaker nor the ladder hears of them. Those of a model that answers errors do.
func TestStarvedCallsSayNothingAboutTheModel(t *testing.T) {
	for _, c := range []struct {
		starved bool
		fault   model.Fault
		want    Tier
		seen    model.Fault
	}{
		{false, model.FaultTimeout, FAQ, model.FaultTimeout},
		{true, model.FaultTimeout, LLM, model.FaultStarved},
		{true, model.FaultTransient, FAQ, model.FaultTransient},
	} {
		synctest.Test(t, func(t *testing.T) {
			var w *Watch
			seen := map[model.Fault]int{}
			live := func() model.Live {
				return model.Live{Timeout: 350 * time.Millisecond, Slow: 340 * time.Millisecond, Starved: c.starved}
			}
			caller := model.NewCaller(failing(c.fault), testOptions, live, func(f model.Fault, _ time.Duration, slow bool) {
				seen[f]++
				w.SawModel(f, slow)
			})
			w = NewWatch(time.Now(), testLive, Hooks{Breaker: caller.Breaker(), Probe: func(context.Context, []byte) model.Fault { return c.fault }, Ping: func(context.Context) error { return nil }})
			ctx, cancel := context.WithCancel(t.Context())
			go w.Run(ctx)
			for range 100 {
				_, _, _ = caller.Call(t.Context(), time.Time{}, nil, trace.From(""))
				_, _ = caller.Stream(t.Context(), nil, trace.From(""), time.Second, func() error { return nil }, func(string) error { return nil })
				time.Sleep(30 * time.Millisecond)
			}
			if got := w.At().Tier; got != c.want || seen[c.seen] == 0 || len(seen) != 1 {
				t.Errorf("starved %v, %v: tier %v and faults %v; want %v and %v", c.starved, c.fault, got, seen, c.want, c.seen)
			}
			cancel()
			synctest.Wait()
		})
	}
}

// A probe that is late while this process is says as little.
func TestStarvedProbesSayNothingAboutTheModel(t *testing.T) {
	for _, c := range []struct {
		lag   time.Duration
		fault model.Fault
		want  tally
	}{
		{0, model.FaultTimeout, tally{n: 1, failed: 1}},
		{2 * lagStarved, model.FaultTimeout, tally{}},
		{2 * lagStarved, model.FaultTransient, tally{n: 1, failed: 1}},
		{2 * lagStarved, model.FaultNone, tally{n: 1}},
	} {
		w := NewWatch(time.Now(), testLive, Hooks{Probe: func(context.Context, []byte) model.Fault { return c.fault }})
		w.lag.worst.Store(int64(c.lag))
		w.probeOnce(t.Context())
		if got := w.probes.sum(time.Now()); got.n != c.want.n || got.failed != c.want.failed {
			t.Errorf("%v late, %v: %+v, want %+v", c.lag, c.fault, got, c.want)
		}
	}
}

// failing is a model of which every call ends in a fault.
type failing model.Fault

func (f failing) Ask(context.Context, []byte, trace.Context, string) (string, error) {
	return "", &model.Error{Fault: model.Fault(f)}
}

func (f failing) Stream(context.Context, []byte, trace.Context, func(string) error) error {
	return &model.Error{Fault: model.Fault(f)}
}
