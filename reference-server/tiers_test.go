package refserver

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/reference-server/model"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/reference-server/trace"
)

var testTimers = timers{dwell: 5 * time.Second, dwellMax: 300 * time.Second, step: 2 * time.Second}

func TestNextFollowsTheTable(t *testing.T) {
	t0 := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	at := func(tier Tier) position { return position{tier: tier, since: t0, factor: 1, dwell: 5 * time.Second} }
	faqAt := func(share int) position {
		p := at(TierFAQ)
		p.share, p.stepped = share, t0
		return p
	}
	llmBack := at(TierLLM)
	llmBack.back = t0
	later := func(d time.Duration, s signals) signals { s.now, s.jitter = t0.Add(d), 1; return s }
	good, half := tally{n: 20}, tally{n: 20, failed: 10}
	for _, c := range []struct {
		name   string
		from   position
		s      signals
		tier   Tier
		share  int
		reason string
	}{
		{"no samples: stay", at(TierLLM), later(time.Second, signals{}), TierLLM, 0, ""},
		{"19 failures are too few", at(TierLLM), later(time.Second, signals{llm: tally{n: 19, failed: 19}}), TierLLM, 0, ""},
		{"half failed: at once", at(TierLLM), later(time.Second, signals{llm: half}), TierFAQ, 0, "llm_failures"},
		{"70 % of one second: at once", at(TierLLM), later(time.Second, signals{llm: tally{n: 100, failed: 20}, llmSecond: tally{n: 20, failed: 14, refused: 14}}), TierFAQ, 0, "llm_storm"},
		{"a second of timeouts: stay", at(TierLLM), later(time.Second, signals{llm: tally{n: 100, failed: 20}, llmSecond: tally{n: 20, failed: 20}}), TierLLM, 0, ""},
		{"breaker open: at once", at(TierLLM), later(time.Second, signals{breakerOpen: true}), TierFAQ, 0, "breaker_open"},
		{"key refused: at once", at(TierLLM), later(time.Second, signals{keyRefused: true}), TierFAQ, 0, "llm_key_refused"},
		{"30 % once: stay", at(TierLLM), later(time.Second, signals{llm: tally{n: 20, failed: 6}}), TierLLM, 0, ""},
		{"low volume: five probes decide", at(TierLLM), later(time.Second, signals{llm: tally{n: 3, failed: 3}, probes: tally{n: 5, failed: 3}}), TierFAQ, 0, "probe_failures"},
		{"redis half down: static", at(TierLLM), later(time.Second, signals{redis: half}), TierStatic, 0, "redis_down"},
		{"redis down skips tiers from faq", at(TierFAQ), later(time.Second, signals{redis: half, faqDown: true}), TierStatic, 0, "redis_down"},
		{"cpu emergency: static", at(TierLLM), later(time.Second, signals{cpu: true}), TierStatic, 0, "cpu"},
		{"faq down at llm: stay", at(TierLLM), later(time.Second, signals{faqDown: true}), TierLLM, 0, ""},
		{"faq down at faq: handoff", at(TierFAQ), later(time.Second, signals{faqDown: true}), TierHandoff, 0, "faq_down"},
		{"good probes before the dwell: stay", at(TierFAQ), later(4*time.Second, signals{probes: good}), TierFAQ, 0, ""},
		{"19 probes: stay", at(TierFAQ), later(9*time.Second, signals{probes: tally{n: 19}}), TierFAQ, 0, ""},
		{"17 of 20 good: stay", at(TierFAQ), later(9*time.Second, signals{probes: tally{n: 20, failed: 3}}), TierFAQ, 0, ""},
		{"18 of 20 good: first live share", at(TierFAQ), later(9*time.Second, signals{probes: tally{n: 20, failed: 2}}), TierFAQ, 10, "probes_good"},
		{"step too early", faqAt(10), later(time.Second, signals{probes: good}), TierFAQ, 10, ""},
		{"10 to 25", faqAt(10), later(2*time.Second, signals{probes: good}), TierFAQ, 25, "step"},
		{"25 to 50", faqAt(25), later(2*time.Second, signals{probes: good}), TierFAQ, 50, "step"},
		{"50 to all", faqAt(50), later(2*time.Second, signals{probes: good}), TierLLM, 0, "llm_back"},
		{"relapse by users' calls", faqAt(50), later(2*time.Second, signals{probes: good, llm: half}), TierFAQ, 0, "relapse"},
		{"relapse by probes", faqAt(10), later(2*time.Second, signals{probes: tally{n: 20, failed: 7}}), TierFAQ, 0, "relapse"},
		{"handoff before 30 s: stay", at(TierHandoff), later(29*time.Second, signals{}), TierHandoff, 0, "stay"},
		{"static before 15 s: stay", at(TierStatic), later(14*time.Second, signals{redis: tally{n: 30}}), TierStatic, 0, "stay"},
		{"static after 15 s: one step only", at(TierStatic), later(15*time.Second, signals{redis: tally{n: 30}}), TierHandoff, 0, "redis_up"},
		{"static with redis at 5 %: stay", at(TierStatic), later(15*time.Second, signals{redis: tally{n: 20, failed: 1}}), TierStatic, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := c.from
			from.faqBad, from.redisBad = t0, t0
			got, reason := next(from, c.s, testTimers)
			if c.reason == "stay" {
				c.reason = ""
			}
			if got.tier != c.tier || got.share != c.share || reason != c.reason {
				t.Errorf("next = %v share %d %q, want %v share %d %q", got.tier, got.share, reason, c.tier, c.share, c.reason)
			}
		})
	}
	t.Run("30 % twice", func(t *testing.T) {
		s := later(time.Second, signals{llm: tally{n: 20, slow: 12}})
		p, _ := next(at(TierLLM), s, testTimers)
		p, reason := next(p, s, testTimers)
		if p.tier != TierFAQ || reason != "llm_degraded" {
			t.Errorf("slow twice: %v %q, want faq llm_degraded", p.tier, reason)
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
		p := position{tier: TierLLM, since: now, factor: 1}
		some := func(name string) tally {
			n := rapid.IntRange(0, 60).Draw(t, name)
			return tally{n: n, failed: rapid.IntRange(0, n).Draw(t, name+" failed"), slow: rapid.IntRange(0, n).Draw(t, name+" slow")}
		}
		allowed := map[[2]int]bool{{0, 10}: true, {10, 25}: true, {25, 50}: true}
		for range rapid.IntRange(1, 200).Draw(t, "evaluations") {
			now = now.Add(time.Second)
			s := signals{now: now, llm: some("llm"), probes: some("probes"), redis: some("redis"),
				breakerOpen: rapid.IntRange(0, 9).Draw(t, "breaker") == 0, faqDown: rapid.IntRange(0, 9).Draw(t, "faq") == 0,
				jitter: rapid.Float64Range(0.8, 1.2).Draw(t, "jitter")}
			q, reason := next(p, s, testTimers)
			if q.tier < p.tier && q.tier+1 != p.tier {
				t.Fatalf("left %v for %v", p.tier, q.tier)
			}
			if q.tier == TierLLM && p.tier == TierFAQ && p.share != 50 {
				t.Fatalf("the model is back for all from share %d", p.share)
			}
			if q.tier == TierFAQ && p.tier == TierFAQ && q.share > p.share && !allowed[[2]int{p.share, q.share}] {
				t.Fatalf("share %d to %d", p.share, q.share)
			}
			if (q.tier != p.tier || q.share != p.share) != (reason != "") {
				t.Fatalf("%v/%d to %v/%d with reason %q", p.tier, p.share, q.tier, q.share, reason)
			}
			if q.dwell > testTimers.dwellMax {
				t.Fatalf("dwell %v", q.dwell)
			}
			if s.redis.n >= minSamples && s.redis.failures() >= staticEnter && q.tier != TierStatic {
				t.Fatalf("redis down, tier %v", q.tier)
			}
			p = q
		}
	})
}

// fakeModel fails a share of its calls, decided by a counter so that every run
// is the same.
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
	watch   *watch
	caller  *model.Caller
	model   *fakeModel
	start   time.Time
	byModel map[int]int // second → turns answered by the model
	turns   map[int]int
	asked   map[int]int // second → attempts
}

func runStorm(t *testing.T, m *fakeModel, seconds int, at func(second int)) *storm {
	set := hardened()
	s := &storm{t: t, model: m, start: time.Now(), byModel: map[int]int{}, turns: map[int]int{}, asked: map[int]int{}}
	m.start = s.start
	get := func() *settings { return &set }
	s.watch = newWatch(time.Now(), get)
	s.caller = model.NewCaller(m, modelOptions(&set), func() model.Live { return modelLive(&set) }, func(f model.Fault, _ time.Duration, slow bool) { s.watch.sawModel(f, slow) })
	s.watch.breaker = s.caller.Breaker
	s.watch.probe = func(ctx context.Context, body []byte) model.Fault {
		_, err := m.Ask(ctx, body, trace.Context{}, "probe")
		return model.FaultOf(err)
	}
	s.watch.ping = func(context.Context) error { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.watch.run(ctx); close(done) }()
	for second := range seconds {
		at(second)
		for i := range 50 {
			s.turns[second]++
			if s.watch.at().serves((second*50+i*37)%100) == TierLLM {
				cctx, stop := context.WithTimeout(ctx, 380*time.Millisecond)
				go func() {
					defer stop()
					if _, _, err := s.caller.Call(cctx, nil, trace.Context{}); err == nil {
						return
					}
				}()
				s.byModel[second]++
			}
			time.Sleep(20 * time.Millisecond)
		}
		s.asked[second] = int(s.caller.Attempts.Load())
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
				log := s.watch.history()
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
		if log := s.watch.history(); len(log) != 0 {
			t.Errorf("20 %% failures caused %+v, want no transition", log)
		}
	})
}

func TestFlappingModelIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &fakeModel{flap: func(d time.Duration) bool { return int(d/(2*time.Second))%2 == 1 }}
		s := runStorm(t, m, 120, func(int) {})
		changes := 0
		for _, l := range s.watch.history() {
			if l.From != l.To {
				changes++
			}
		}
		if changes == 0 || changes > 12 {
			t.Errorf("%d changes of tier in 120 s of 2 s up, 2 s down; want 1 to 12: %+v", changes, s.watch.history())
		}
	})
}

func TestQuietServerNoticesADeadModelByProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := hardened()
		m := &fakeModel{share: 10}
		m.failing.Store(true)
		get := func() *settings { return &set }
		w := newWatch(time.Now(), get)
		c := model.NewCaller(m, modelOptions(&set), func() model.Live { return modelLive(&set) }, func(f model.Fault, _ time.Duration, slow bool) { w.sawModel(f, slow) })
		w.breaker = c.Breaker
		w.probe = func(ctx context.Context, b []byte) model.Fault {
			_, err := m.Ask(ctx, b, trace.Context{}, "probe")
			return model.FaultOf(err)
		}
		w.ping = func(context.Context) error { return nil }
		ctx, cancel := context.WithCancel(t.Context())
		go w.run(ctx)
		for range 4 {
			_, _, _ = c.Call(ctx, nil, trace.Context{})
			time.Sleep(2 * time.Second)
		}
		if w.at().tier != TierFAQ {
			t.Errorf("tier %v after 8 s of a dead model at one turn every 2 s, want faq", w.at().tier)
		}
		cancel()
		synctest.Wait()
	})
}

func TestStarvedTakesThreeLateEvaluations(t *testing.T) {
	set := hardened()
	now := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	w := newWatch(now, func() *settings { return &set })
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
