package backflow

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
)

func question(dialog, turn int) Question {
	return Question{
		Tenant: "t", UID: fmt.Sprintf("u%d", dialog), DialogID: fmt.Sprintf("%032x", dialog), TurnID: fmt.Sprintf("turn-%d", turn),
		Text: fmt.Sprintf("问题%d", turn), Intent: "info", AskedMS: time.Now().UnixMilli(),
	}
}

// run runs a flow until the test ends or stop is called, which waits for it.
func run(t *testing.T, f *Flow, replay func(ctx context.Context, q Question) Result) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Run(ctx, func(ctx context.Context, q Question, _ func(context.Context) (bool, error)) Result {
			return replay(ctx, q)
		})
	}()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// Whatever happens to questions, each ends once and all are accounted for: on two
// servers, with panics, erasures, a bound that is too small, and a server that leaves
// and comes back.
func TestEveryQuestionIsAccountedFor(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		const dialogs, turns = 40, 10
		live := quick
		live.Max = 150
		small := func(o *Options) { o.Live = func() Live { return live } }
		var answered sync.Map // by question: how often it ended replayed
		ends := []End{Replayed, Replayed, Superseded, Expired, Dead, ""}
		replay := func(_ context.Context, q Question) Result {
			res := Result{End: ends[rand.IntN(len(ends))]}
			if rand.IntN(10) == 0 {
				panic("a question that cannot be asked")
			}
			if res.End == Replayed {
				n, _ := answered.LoadOrStore(q.DialogID+q.TurnID, new(atomic.Int64))
				n.(*atomic.Int64).Add(1)
				res.Draft, res.Key = "答"+q.Text, q.Text
			}
			return res
		}
		a, b := newFlow(rdb, small), newFlow(rdb, small)
		stopA := run(t, a, replay)
		run(t, b, replay)
		var all sync.WaitGroup
		for d := range dialogs {
			all.Go(func() {
				for n := range turns {
					f := []*Flow{a, b}[n%2]
					f.Record(t.Context(), question(d, n))
					f.Record(t.Context(), question(d, n)) // the same turn, sent again
				}
				if d%4 == 0 {
					if err := a.Erase(t.Context(), question(d, 0).DialogID); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 50 {
			state(t, b)
		}
		all.Wait()
		stopA()
		c := newFlow(rdb, small)
		run(t, c, replay)
		waitFor(t, "nothing waits", func() bool { s := state(t, c); return s.Waiting == 0 && s.Outbox == 0 })
		s := state(t, c)
		if s.In < dialogs*turns || s.In > dialogs*turns+dialogs/4*turns {
			t.Errorf("in %d, want one for each of %d turns, and perhaps those that were asked after an erasure", s.In, dialogs*turns)
		}
		for _, e := range []End{Replayed, Superseded, Expired, Dead} {
			if s.Ends[e] == 0 {
				t.Errorf("none ended %s: %v", e, s.Ends)
			}
		}
		count := int64(0)
		answered.Range(func(any, any) bool { count++; return true })
		if s.Ends[Replayed] > count {
			t.Errorf("%d ended replayed, but only %d were", s.Ends[Replayed], count)
		}
	})
}

// Redis fails again and again while questions come: those that were taken in are all
// there afterwards, once each.
func TestQuestionsSurviveRedisFaults(t *testing.T) {
	m := miniredis.RunT(t)
	f := newFlow(connect(t, m.Addr()), nil)
	asked := map[string]int{}
	var mu sync.Mutex
	run(t, f, func(_ context.Context, q Question) Result {
		mu.Lock()
		defer mu.Unlock()
		asked[q.TurnID]++
		return Result{End: Replayed}
	})
	for n := range 200 {
		if n%20 == 5 {
			m.SetError("LOADING")
		}
		f.Record(t.Context(), question(n%7, n))
		if n%20 == 10 {
			m.SetError("")
		}
	}
	waitFor(t, "all replayed", func() bool {
		s, err := f.State(t.Context())
		return err == nil && s.Ends[Replayed] == 200 && s.Waiting == 0
	})
	if s := state(t, f); s.In != 200 || s.Lost != 0 {
		t.Errorf("in %d, lost %d, want 200, 0", s.In, s.Lost)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) != 200 {
		t.Errorf("%d questions were asked, want 200", len(asked))
	}
}

// The reply of a write got lost: written again, a question is there once.
func TestAQuestionIsWrittenOnce(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		f := newFlow(rdb, nil)
		f.outbox.put(question(1, 1))
		batch := f.outbox.first()
		if n, err := f.write(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		f.outbox.put(batch[0].question)
		if _, err := f.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := state(t, f); s.In != 1 || s.Waiting != 1 {
			t.Errorf("in %d, %d waiting, want one", s.In, s.Waiting)
		}
	})
}

// A server that dies over a question leaves it to the others.
func TestAQuestionOfADeadServerIsTakenOver(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		dying, living := newFlow(rdb, nil), newFlow(rdb, nil)
		begun := make(chan struct{})
		stop := run(t, dying, func(ctx context.Context, _ Question) Result {
			close(begun)
			<-ctx.Done()
			return Result{} // says nothing any more
		})
		dying.Record(t.Context(), question(1, 1))
		<-begun
		stop()
		if s := state(t, living); s.Waiting != 1 {
			t.Fatalf("%d waiting, want the one that was begun", s.Waiting)
		}
		run(t, living, func(context.Context, Question) Result { return Result{End: Replayed} })
		waitFor(t, "it is replayed", func() bool { return state(t, living).Ends[Replayed] == 1 })
	})
}

// A question that never ends is given up.
func TestAQuestionIsTriedAFewTimes(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		f := newFlow(rdb, nil)
		var tries atomic.Int64
		run(t, f, func(context.Context, Question) Result { tries.Add(1); panic("again") })
		f.Record(t.Context(), question(1, 1))
		waitFor(t, "it is dead", func() bool { return state(t, f).Ends[Dead] == 1 })
		if n := tries.Load(); n != maxTries {
			t.Errorf("%d tries, want %d", n, maxTries)
		}
	})
}

func TestTheOldestGoesForTheNewest(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		live := quick
		live.Max = 3
		f := newFlow(rdb, func(o *Options) { o.Live = func() Live { return live } })
		for n := range 5 {
			f.outbox.put(question(n, n))
		}
		if _, err := f.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := state(t, f)
		if s.In != 5 || s.Ends[Dropped] != 2 || s.Waiting != 3 {
			t.Errorf("in %d, dropped %d, waiting %d, want 5, 2, 3", s.In, s.Ends[Dropped], s.Waiting)
		}
		left := rdb.XRange(t.Context(), streamKey, "-", "+").Val()
		if q, _ := decode(left[0]); q.TurnID != "turn-2" {
			t.Errorf("the oldest left is %s, want turn-2", q.TurnID)
		}
	})
}

// Too old, and nobody may ask it: it goes all the same.
func TestOldQuestionsExpireWhileTheModelIsIll(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		var later atomic.Int64
		f := newFlow(rdb, func(o *Options) {
			o.World = func() World { return World{} }
			o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
		})
		f.outbox.put(question(1, 1))
		if _, err := f.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.sweep(t.Context(), quick, f.now())
		if s := state(t, f); s.Waiting != 1 {
			t.Fatalf("%d waiting, want the young one", s.Waiting)
		}
		later.Store(int64(2 * time.Hour))
		run(t, f, func(context.Context, Question) Result { t.Error("it was asked"); return Result{} })
		waitFor(t, "it expires", func() bool { return state(t, f).Ends[Expired] == 1 })
		if s := state(t, f); s.Paused != pausedModel {
			t.Errorf("paused %q, want %q", s.Paused, pausedModel)
		}
	})
}

// Erased while it is asked: its end is counted once, and nobody wants the answer.
func TestErasureWhileAQuestionIsAsked(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		f := newFlow(rdb, nil)
		asking, erased, ended := make(chan struct{}), make(chan struct{}), make(chan bool, 1)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		gone := make(chan struct{})
		replay := func(ctx context.Context, q Question, wanted func(context.Context) (bool, error)) Result {
			if ok, err := wanted(ctx); !ok || err != nil {
				t.Errorf("wanted before: %v, %v", ok, err)
			}
			close(asking)
			<-erased
			ok, err := wanted(ctx)
			if err != nil {
				t.Error(err)
			}
			ended <- ok
			return Result{End: Replayed, Draft: "答", Key: q.Text}
		}
		go func() {
			defer close(gone)
			f.Run(ctx, replay)
		}()
		q := question(1, 1)
		f.Record(t.Context(), q)
		<-asking
		if err := f.Erase(t.Context(), q.DialogID); err != nil {
			t.Fatal(err)
		}
		close(erased)
		if <-ended {
			t.Error("the answer is wanted after the erasure")
		}
		cancel()
		<-gone
		s := state(t, f)
		if s.Ends[Erased] != 1 || s.Ends[Replayed] != 0 {
			t.Errorf("%v, want one erased", s.Ends)
		}
		if list, err := f.Drafts(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("drafts %v, %v, want none of it", list, err)
		}
		for _, key := range rdb.Keys(t.Context(), "*").Val() {
			if strings.Contains(key, q.DialogID) {
				t.Errorf("left: %s", key)
			}
		}
	})
}

// The outbox is bounded, and says what it had no place for.
func TestTheOutboxIsBounded(t *testing.T) {
	f := newFlow(connect(t, miniredis.RunT(t).Addr()), nil)
	for n := range outboxCap + 3 {
		f.outbox.put(question(n, n))
	}
	if n, lost := f.outbox.length(); n != outboxCap || lost != 3 {
		t.Errorf("%d kept, %d lost, want %d, 3", n, lost, outboxCap)
	}
}

// After an answer that did not come nothing is asked for a while, twice as long after
// the next.
func TestNothingIsAskedOfAnIllModel(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	f := newFlow(connect(t, miniredis.RunT(t).Addr()), func(o *Options) { o.Now = func() time.Time { return now } })
	for i, want := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
		f.sawModel(true)
		if !f.ill(now.Add(want-1)) || f.ill(now.Add(want)) {
			t.Errorf("after %d faults: not %v of rest", i+1, want)
		}
	}
	for range 20 {
		f.sawModel(true)
	}
	if f.ill(now.Add(faultLonger)) {
		t.Error("it rests for more than five minutes")
	}
	f.sawModel(false)
	f.sawModel(true)
	if f.ill(now.Add(faultFirst)) && !f.ill(now) {
		t.Error("an answer did not make it forget")
	}
}

func TestGate(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	well := World{Model: now.Add(-time.Minute), Limit: 100}
	live := Live{Max: 1, Rate: 1, AtOnce: 1, Hold: time.Minute, LiveMax: 100}
	for name, c := range map[string]struct {
		change func(*World, *Live)
		want   string
	}{
		"well":             {func(*World, *Live) {}, openGate},
		"no rate":          {func(_ *World, l *Live) { l.Rate = 0 }, pausedOff},
		"no room":          {func(_ *World, l *Live) { l.Max = 0 }, pausedOff},
		"going down":       {func(w *World, _ *Live) { w.Leaving = true }, pausedLeave},
		"lower tier":       {func(w *World, _ *Live) { w.Model = time.Time{} }, pausedModel},
		"well too shortly": {func(w *World, _ *Live) { w.Model = now.Add(-time.Minute + 1) }, pausedModel},
		"breaker open":     {func(w *World, _ *Live) { w.Breaker = true }, pausedModel},
		"users wait":       {func(w *World, _ *Live) { w.Waiting = 1 }, pausedBusy},
		"half is used":     {func(w *World, _ *Live) { w.InFlight = 50 }, openGate},
		"more than half":   {func(w *World, _ *Live) { w.InFlight = 51 }, pausedBusy},
		"many turns":       {func(w *World, _ *Live) { w.Turns = 1101 }, pausedBusy},
		"just not many":    {func(w *World, _ *Live) { w.Turns = 1100 }, openGate},
		"no bound":         {func(w *World, l *Live) { w.Turns, l.LiveMax = 1_000_000, 0 }, openGate},
	} {
		t.Run(name, func(t *testing.T) {
			w, l := well, live
			g := gate{turns: 1000, measured: now.Add(-time.Second)}
			w.Turns = 1000
			c.change(&w, &l)
			if got := g.closed(w, l, now); got != c.want {
				t.Errorf("closed: %q, want %q", got, c.want)
			}
		})
	}
}

// One clock paces all servers, and one budget bounds them.
func TestPaceIsOfAllServers(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		a, b := newFlow(rdb, nil), newFlow(rdb, nil)
		slow := Live{Rate: 0.001}
		if wait, err := a.permit(t.Context(), slow); wait != 0 || err != nil {
			t.Fatalf("the first: %v, %v", wait, err)
		}
		for _, f := range []*Flow{a, b} {
			if wait, err := f.permit(t.Context(), slow); wait <= 0 || wait > 1000*time.Second || err != nil {
				t.Errorf("right behind it: %v, %v, want to wait for up to 1000 s", wait, err)
			}
		}
		few := Live{Rate: 1e6, PerHour: 2}
		var wait time.Duration
		for range 3 { // the hour may end in between, once
			if _, err := a.permit(t.Context(), few); err != nil {
				t.Fatal(err)
			}
			if wait, _ = b.permit(t.Context(), few); wait == noBudget {
				break
			}
		}
		if wait != noBudget {
			t.Errorf("three calls in an hour of two: %v", wait)
		}
		a.giveBack(t.Context())
		if wait, err := b.permit(t.Context(), few); wait == noBudget || err != nil {
			t.Errorf("after one was given back: %v, %v", wait, err)
		}
	})
}

func TestNonsenseInTheStreamIsTakenOff(t *testing.T) {
	onEachRedis(t, func(t *testing.T, rdb *redis.Client) {
		for _, raw := range []string{"", "nonsense", `{"dialog_id":"x","turn_id":"y","text":"z"}`, strings.Repeat("x", maxQuestion+1)} {
			rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: streamKey, Values: []any{"q", raw}})
			rdb.HIncrBy(t.Context(), countsKey, "in", 1)
		}
		f := newFlow(rdb, nil)
		run(t, f, func(context.Context, Question) Result { t.Error("it was asked"); return Result{} })
		waitFor(t, "all are dead", func() bool { return state(t, f).Ends[Dead] == 4 })
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(question(1, 1).encode())
	f.Add(`{"text":1}`)
	f.Fuzz(func(t *testing.T, raw string) {
		q, ok := decode(redis.XMessage{Values: map[string]any{"q": raw}})
		if !ok {
			return
		}
		again, ok := decode(redis.XMessage{Values: map[string]any{"q": q.encode()}})
		if !ok || again != q {
			t.Errorf("%q becomes %+v", raw, again)
		}
	})
}

// A Redis that is killed and comes back with what it had written: nothing is counted
// twice or lost, and what waited is asked.
func TestQuestionsSurviveARedisThatIsKilled(t *testing.T) {
	server := redistest.StartKeeping(t)
	rdb := connect(t, server.Addr)
	f := newFlow(rdb, nil)
	var asked atomic.Int64
	run(t, f, func(context.Context, Question) Result {
		asked.Add(1)
		return Result{End: Replayed}
	})
	for n := range 100 {
		f.Record(t.Context(), question(n, n))
		if n == 50 {
			server.Kill()
		}
	}
	server.Restart(t)
	waitFor(t, "all are asked", func() bool {
		s, err := f.State(t.Context())
		return err == nil && s.Waiting == 0 && s.Outbox == 0
	})
	if s := state(t, f); s.In != 100 || s.Ends[Replayed] != 100 || s.Lost != 0 {
		t.Errorf("in %d, %v, lost %d, want 100 in and replayed", s.In, s.Ends, s.Lost)
	}
	if n := asked.Load(); n < 100 {
		t.Errorf("%d were asked, want each of 100 at least once", n)
	}
}
