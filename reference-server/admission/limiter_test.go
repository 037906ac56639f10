package admission

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func fixed(l Live) func() Live { return func() Live { return l } }

func as(p Priority) func() Priority { return func() Priority { return p } }

// server is a machine with one CPU that works turns off in order of arrival:
// half of the work before the model is asked, half after it.
type server struct {
	limiter *Limiter
	refusal time.Duration // of CPU to turn a turn away
	mu      sync.Mutex
	free    time.Time // when the CPU has worked off what waits
}

const (
	work      = 2 * time.Millisecond // of CPU for a turn: the knee is at 500/s
	modelTime = 110 * time.Millisecond
	deadline  = 450 * time.Millisecond
	kneeRate  = 500
)

// cpu takes d of CPU, behind whoever came before.
func (s *server) cpu(d time.Duration) {
	s.mu.Lock()
	now := time.Now()
	if s.free.Before(now) {
		s.free = now
	}
	s.free = s.free.Add(d)
	wait := s.free.Sub(now)
	s.mu.Unlock()
	time.Sleep(wait)
}

// turn says whether a turn was answered, and in time.
func (s *server) turn(caller uint64, p Priority) (good bool) {
	start := time.Now()
	if err := s.limiter.Enter(context.Background(), caller, as(p)); err != nil {
		s.cpu(s.refusal)
		return false
	}
	began := time.Now()
	s.cpu(work / 2)
	time.Sleep(modelTime)
	s.cpu(work / 2)
	s.limiter.Leave(time.Since(began) - modelTime)
	return time.Since(start) <= deadline
}

func newServer() *server {
	return &server{refusal: work / 20, limiter: NewLimiter(fixed(Live{Target: 40 * time.Millisecond, Wait: 100 * time.Millisecond, Hold: time.Second, Floor: 8}))}
}

// open offers rate turns a second for d and returns the good ones a second,
// those of the first skip not counted.
func open(s *server, rate float64, d, skip time.Duration) float64 {
	var good atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for i := 0; ; i++ {
		at := start.Add(time.Duration(float64(i) / rate * float64(time.Second)))
		if at.Sub(start) >= d {
			break
		}
		time.Sleep(time.Until(at))
		counts := at.Sub(start) >= skip
		p := Priority(i % 2)
		all.Go(func() {
			if s.turn(uint64(i), p) && counts {
				good.Add(1)
			}
		})
	}
	all.Wait()
	return float64(good.Load()) / (d - skip).Seconds()
}

// closed has users who ask again at once, whatever they were told.
func closed(s *server, users int, d, skip time.Duration) float64 {
	var good atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for u := range users {
		all.Go(func() {
			for time.Since(start) < d {
				counts := time.Since(start) >= skip
				if s.turn(uint64(u), Priority(u%2)) && counts {
					good.Add(1)
				}
			}
		})
	}
	all.Wait()
	return float64(good.Load()) / (d - skip).Seconds()
}

// The goodput at 4x of the knee is at least 80 % of the knee's, open and closed.
func TestGoodputHoldsBeyondTheKnee(t *testing.T) {
	for _, x := range []float64{1.5, 2, 4} {
		t.Run(fmt.Sprintf("open %gx", x), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := open(newServer(), x*kneeRate, 12*time.Second, 4*time.Second); got < 0.8*kneeRate {
					t.Errorf("%.0f good turns/s, want %.0f or more", got, 0.8*kneeRate)
				}
			})
		})
		t.Run(fmt.Sprintf("closed %gx", x), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				users := int(x * kneeRate * modelTime.Seconds())
				if got := closed(newServer(), users, 12*time.Second, 4*time.Second); got < 0.8*kneeRate {
					t.Errorf("%.0f good turns/s of %d users, want %.0f or more", got, users, 0.8*kneeRate)
				}
			})
		})
	}
}

// Where turning a turn away costs a third of what answering it does, the CPU that is
// left by the refusals goes to answers, and 3 s after the overload nobody is turned
// away any more.
func TestGoodputHoldsWhereRefusalsAreDear(t *testing.T) {
	for _, c := range []struct{ share, times float64 }{{0.2, 1.5}, {0.2, 2}, {0.2, 3}, {0.33, 1.5}, {0.33, 2}, {0.5, 1.5}} {
		t.Run(fmt.Sprintf("%g of an answer, %gx", c.share, c.times), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.refusal = time.Duration(c.share * float64(work))
				possible := kneeRate * (1 - c.share*c.times) / (1 - c.share)
				if got := open(s, c.times*kneeRate, 15*time.Second, 5*time.Second); got < 0.8*possible {
					t.Errorf("%.0f good turns/s of the %.0f that are possible, limit %d", got, possible, s.limiter.State().Limit)
				}
				open(s, kneeRate/2, 3*time.Second, 0)
				before := s.limiter.State().Sheds
				if got := open(s, kneeRate/2, 5*time.Second, 0); got != kneeRate/2 || s.limiter.State().Sheds != before {
					t.Errorf("3 s after the overload %.1f turns/s and %d sheds, limit %d", got, s.limiter.State().Sheds-before, s.limiter.State().Limit)
				}
			})
		})
	}
}

// Below the knee nobody is turned away, and after an overload it is so again
// within 10 s.
func TestNobodyIsTurnedAwayBelowTheKnee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		if got := open(s, kneeRate/2, 5*time.Second, 0); got != kneeRate/2 {
			t.Errorf("at half the knee %.1f turns/s, want %d", got, kneeRate/2)
		}
		open(s, 4*kneeRate, 5*time.Second, 0)
		open(s, kneeRate/2, 10*time.Second, 0)
		before := s.limiter.State().Sheds
		if got := open(s, kneeRate/2, 5*time.Second, 0); got != kneeRate/2 || s.limiter.State().Sheds != before {
			t.Errorf("10 s after the overload %.1f turns/s and %d sheds", got, s.limiter.State().Sheds-before)
		}
	})
}

// Of turns that wait, people come first, then dialogs under way; of too many,
// new dialogs go first.
func TestPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(fixed(Live{Target: time.Second, Wait: time.Second, Cap: 1}))
		if err := l.Enter(t.Context(), 1, as(New)); err != nil {
			t.Fatal(err)
		}
		var order []Priority
		var all sync.WaitGroup
		for _, p := range []Priority{New, UnderWay, Person, New, UnderWay} {
			all.Go(func() {
				if err := l.Enter(t.Context(), 1, as(p)); err != nil {
					t.Errorf("%d: %v", p, err)
					return
				}
				order = append(order, p)
				time.Sleep(time.Millisecond)
				l.Leave(0)
			})
			synctest.Wait()
		}
		l.Leave(0)
		all.Wait()
		if want := []Priority{2, 1, 1, 0, 0}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
		if st := l.State(); st.InFlight != 0 || st.Waiting != 0 {
			t.Errorf("in the end %+v", st)
		}
	})
}

func TestTheWorstGivesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(fixed(Live{Target: time.Second, Wait: time.Second, Cap: 1}))
		l.maxWaiting = 2
		if err := l.Enter(t.Context(), 1, as(New)); err != nil {
			t.Fatal(err)
		}
		results := map[string]error{}
		var all sync.WaitGroup
		for _, c := range []struct {
			name string
			p    Priority
		}{{"new", New}, {"under way", UnderWay}, {"person", Person}, {"late new", New}} {
			all.Go(func() {
				results[c.name] = l.Enter(t.Context(), 1, as(c.p))
				if results[c.name] == nil {
					l.Leave(0)
				}
			})
			synctest.Wait()
		}
		l.Leave(0)
		all.Wait()
		for name, want := range map[string]error{"new": ErrShed, "under way": nil, "person": nil, "late new": ErrShed} {
			if got := results[name]; !errors.Is(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(fixed(Live{Target: time.Second, Wait: 100 * time.Millisecond, Cap: 1}))
		if err := l.Enter(t.Context(), 1, as(New)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := l.Enter(t.Context(), 1, as(Person)); !errors.Is(err, ErrShed) || time.Since(start) != 100*time.Millisecond {
			t.Errorf("%v after %v, want ErrShed after 100ms", err, time.Since(start))
		}
		l.live = fixed(Live{Target: time.Second, Wait: 100 * time.Millisecond, Hold: time.Second, Cap: 1})
		for _, want := range []time.Duration{100 * time.Millisecond, time.Second} {
			start = time.Now()
			if err := l.Enter(t.Context(), 1, as(New)); !errors.Is(err, ErrShed) || time.Since(start) != want {
				t.Errorf("%v after %v, want ErrShed after %v", err, time.Since(start), want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := l.Enter(ctx, 1, as(Person)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want that the caller left", err)
		}
		if st := l.State(); st.InFlight != 1 || st.Waiting != 0 || st.Sheds != 3 {
			t.Errorf("in the end %+v", st)
		}
	})
}

// Who comes back at once is kept waiting, each time; others, and who stays away as long
// as he was told to, are turned away at once.
func TestOnlyHastyCallersAreKeptWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(fixed(Live{Target: time.Second, Hold: time.Second, Cap: 1}))
		if err := l.Enter(t.Context(), 0, as(New)); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct {
			caller     uint64
			stays, was time.Duration // away, kept waiting
		}{{1, 0, 0}, {1, 0, time.Second}, {2, 0, 0}, {1, 0, time.Second}, {1, 999 * time.Millisecond, time.Second}, {1, time.Second, 0}, {2, 0, 0}, {2, 0, time.Second}} {
			time.Sleep(c.stays)
			start := time.Now()
			if err := l.Enter(t.Context(), c.caller, as(New)); !errors.Is(err, ErrShed) || time.Since(start) != c.was {
				t.Errorf("%d: caller %d: %v after %v, want ErrShed after %v", i, c.caller, err, time.Since(start), c.was)
			}
		}
	})
}

// The last so many are remembered, whoever they are: one that is forgotten may ask again
// as fast as he likes.
func TestHastyCallersAreRemembered(t *testing.T) {
	var h hasty
	now := time.Now()
	for round := range 3 {
		for caller := range uint64(hastyKept) {
			if again := h.again(caller*8192, now, time.Second); again != (round > 0) {
				t.Fatalf("round %d, caller %d: too soon is %v", round, caller, again)
			}
		}
	}
	for caller := range uint64(3 * hastyKept) {
		h.again(1<<40+caller, now, time.Second)
	}
	if len(h.young)+len(h.old) > 2*hastyKept {
		t.Errorf("%d callers are remembered", len(h.young)+len(h.old))
	}
	if h.again(0, now, time.Second) {
		t.Error("one of long ago is remembered")
	}
}

func TestOffLetsEverybodyIn(t *testing.T) {
	l := NewLimiter(fixed(Live{}))
	for range 10_000 {
		if err := l.Enter(t.Context(), 1, as(New)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnteringAllocatesNothing(t *testing.T) {
	l := NewLimiter(fixed(Live{Target: time.Second, Wait: time.Second}))
	p := as(New)
	if n := testing.AllocsPerRun(1000, func() {
		if l.Enter(context.Background(), 1, p) == nil {
			l.Leave(0)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// In a queue that does not end only people wait long; once it was empty all do again.
func TestWaitingIsShortInAStandingQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const wait = 100 * time.Millisecond
		l := NewLimiter(fixed(Live{Target: time.Hour, Wait: wait, Cap: 1}))
		if err := l.Enter(t.Context(), 1, as(New)); err != nil {
			t.Fatal(err)
		}
		waited := func(p Priority) time.Duration {
			start := time.Now()
			if err := l.Enter(t.Context(), 1, as(p)); !errors.Is(err, ErrShed) {
				t.Fatalf("%v, want ErrShed", err)
			}
			return time.Since(start)
		}
		var all sync.WaitGroup
		for range 100 { // one more every 10 ms: somebody always waits
			all.Go(func() { _ = l.Enter(t.Context(), 1, as(Person)) })
			time.Sleep(10 * time.Millisecond)
		}
		for p, want := range []time.Duration{New: wait / 10, UnderWay: wait / 10, Person: wait} { // in this order: behind a person's wait the queue is empty
			if got := waited(Priority(p)); got != want {
				t.Errorf("priority %d waited %v in a standing queue, want %v", p, got, want)
			}
		}
		all.Wait()
		if got := waited(New); got != wait {
			t.Errorf("waited %v once the queue was empty, want %v", got, wait)
		}
	})
}

// While many are turned away turns may take longer before the limit falls.
func TestTheTargetGrowsWithWhatIsRefused(t *testing.T) {
	const target = 40 * time.Millisecond
	for _, c := range []struct {
		share float64
		want  time.Duration
	}{{0, target}, {0.5, 3 * target}, {1, 5 * target}} {
		l := Limiter{refusing: c.share}
		if got := l.bearable(Live{Target: target}); got != c.want {
			t.Errorf("%g refused: %v, want %v", c.share, got, c.want)
		}
	}
}

// Refuse turns away whom Enter would turn away at once, and nobody else: while many are
// turned away, new dialogs for which there is no room, counting those that are expected.
func TestRefuseIsTheRefusalOfEnter(t *testing.T) {
	const crowded, calm = overShare + 0.01, overShare
	for _, c := range []struct {
		name               string
		refusing           float64
		inFlight, expected int
		waiting            bool
		want               bool
	}{
		{"no room", crowded, 9, 0, false, true},
		{"room", crowded, 8, 0, false, false},
		{"room that others will take", crowded, 7, 2, false, true},
		{"room for which others wait", crowded, 8, 0, true, true},
		{"few are turned away", calm, 9, 0, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := NewLimiter(fixed(Live{Target: time.Second, Wait: time.Second}))
			l.limit, l.refusing, l.inFlight = 10, c.refusing, c.inFlight
			if c.waiting {
				l.waiting[Person] = []*waiter{{}}
			}
			for range c.expected {
				arrived := l.Expect()
				l.Expect()()
				defer arrived()
			}
			if got := l.Crowded(); got != (c.refusing > overShare) {
				t.Errorf("crowded is %v", got)
			}
			if _, got := l.Refuse(1); got != c.want || l.State().Sheds != map[bool]int64{true: 1}[c.want] {
				t.Errorf("refused is %v, want %v; %d are counted", got, c.want, l.State().Sheds)
			}
			if c.expected > 0 || !c.want {
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := l.Enter(ctx, 2, as(New)); !errors.Is(err, ErrShed) {
				t.Errorf("Enter: %v, want ErrShed at once", err)
			}
		})
	}
}

// Refuse and Enter know the same callers.
func TestRefuseKnowsWhoComesBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(fixed(Live{Target: time.Second, Hold: time.Second, Cap: 1}))
		if err := l.Enter(t.Context(), 0, as(New)); err != nil {
			t.Fatal(err)
		}
		l.refusing = 1
		for i, want := range []time.Duration{0, time.Second, time.Second} {
			if hold, refused := l.Refuse(1); !refused || hold != want {
				t.Errorf("%d: refused %v, held back for %v, want %v", i, refused, hold, want)
			}
		}
		start := time.Now()
		if err := l.Enter(t.Context(), 1, as(New)); !errors.Is(err, ErrShed) || time.Since(start) != time.Second {
			t.Errorf("Enter: %v after %v, want ErrShed after 1s", err, time.Since(start))
		}
	})
}
