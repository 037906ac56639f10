package model

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// asker answers as ask says.
type asker struct {
	ask func(ctx context.Context) (string, error)
}

func (a asker) Ask(ctx context.Context, _ []byte, _ trace.Context, _ string) (string, error) {
	return a.ask(ctx)
}

func (a asker) Stream(context.Context, []byte, trace.Context, func(string) error) error {
	return errors.New("not asked for")
}

// A call ends when its time does, however long an attempt might take, and no attempt is
// made for which too little of it is left.
func TestACallEndsInTime(t *testing.T) {
	hang := func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "", TransportError(ctx, ctx.Err())
	}
	fail := func(context.Context) (string, error) { return "", &Error{Fault: FaultTransient} }
	jitter := Options{Attempts: 2, BackoffBase: 20 * time.Millisecond, RetryBudget: 1}
	linear := Options{Attempts: 2, BackoffBase: time.Second, RetryBudget: 1, LinearBackoff: true}
	for name, c := range map[string]struct {
		o            Options
		ask          func(context.Context) (string, error)
		until        time.Duration // 0: no bound
		wantFault    Fault
		wantAttempts int
		wantTook     func(time.Duration) bool
	}{
		"hangs, without a bound": {jitter, hang, 0, FaultTimeout, 1, func(d time.Duration) bool { return d == time.Second }},
		"hangs":                  {jitter, hang, 300 * time.Millisecond, FaultTimeout, 1, func(d time.Duration) bool { return d == 300*time.Millisecond }},
		"fails, with time":       {jitter, fail, 300 * time.Millisecond, FaultTransient, 2, func(d time.Duration) bool { return d >= 10*time.Millisecond && d < 40*time.Millisecond }},
		"fails, with too little": {jitter, fail, 70 * time.Millisecond, FaultTransient, 1, func(d time.Duration) bool { return d == 0 }},
		"waits as the article":   {linear, fail, 300 * time.Millisecond, FaultTransient, 1, func(d time.Duration) bool { return d == 300*time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller := NewCaller(asker{c.ask}, c.o, func() Live { return Live{Timeout: time.Second, Slow: time.Second} }, func(Fault, time.Duration, bool) {})
				start := time.Now()
				var until time.Time
				if c.until > 0 {
					until = start.Add(c.until)
				}
				_, attempts, err := caller.Call(t.Context(), until, nil, trace.From(""))
				if took := time.Since(start); FaultOf(err) != c.wantFault || attempts != c.wantAttempts || !c.wantTook(took) {
					t.Errorf("%v in %d attempts after %v, want %v in %d", err, attempts, took, c.wantFault, c.wantAttempts)
				}
			})
		})
	}
}

// scripted answers attempts in their order, the last one over and over, each after some
// time or when its context ends.
type scripted struct {
	steps []step

	mu   sync.Mutex
	n    int
	when []time.Time // attempts came
}

type step struct {
	after time.Duration
	text  string
	err   error
}

func (s *scripted) Ask(ctx context.Context, _ []byte, _ trace.Context, _ string) (string, error) {
	s.mu.Lock()
	st := s.steps[min(s.n, len(s.steps)-1)]
	s.n++
	s.when = append(s.when, time.Now())
	s.mu.Unlock()
	select {
	case <-time.After(st.after):
		return st.text, st.err
	case <-ctx.Done():
		return "", TransportError(ctx, ctx.Err())
	}
}

func (s *scripted) Stream(ctx context.Context, _ []byte, _ trace.Context, add func(string) error) error {
	text, err := s.Ask(ctx, nil, trace.Context{}, "")
	if err != nil {
		return err
	}
	return add(text)
}

// saw is what the caller told of an attempt.
type saw struct {
	fault Fault
	took  time.Duration
	slow  bool
}

// calls is a caller with its model and what was seen of it.
type calls struct {
	*Caller
	model *scripted
	live  Live
	seen  []saw
	mu    sync.Mutex
}

func newCalls(o Options, steps ...step) *calls {
	if o.Attempts == 0 {
		o.Attempts = 1
	}
	if o.RetryBudget == 0 {
		o.RetryBudget = 1
	}
	c := &calls{model: &scripted{steps: steps}, live: Live{Timeout: time.Minute, Slow: time.Minute}}
	c.Caller = NewCaller(c.model, o, func() Live { return c.live }, func(f Fault, took time.Duration, slow bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen = append(c.seen, saw{f, took, slow})
	})
	return c
}

// within asks once, with a deadline unless it is 0.
func (c *calls) within(d time.Duration) (string, int, error) {
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	return c.Call(context.Background(), until, nil, trace.Context{})
}

func fail(f Fault) error                      { return &Error{Fault: f} }
func askedToWait(d time.Duration) error       { return &Error{Fault: FaultBackOff, retryAfter: d} }
func bubble(t *testing.T, f func(*testing.T)) { t.Helper(); synctest.Test(t, f) }

const ms = time.Millisecond

func TestACallIsAnAttempt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{Attempts: 3}, step{30 * ms, "好的", nil})
		text, attempts, err := c.within(0)
		if text != "好的" || attempts != 1 || err != nil || c.Attempts() != 1 {
			t.Errorf("%q, %d attempts, %v, %d counted", text, attempts, err, c.Attempts())
		}
		if want := []saw{{FaultNone, 30 * ms, false}}; !slices.Equal(c.seen, want) {
			t.Errorf("seen %v, want %v", c.seen, want)
		}
	})
}

// Which faults are tried again, and how often, with the hour that is there.
func TestWhatIsTriedAgain(t *testing.T) {
	for _, c := range []struct {
		err   error
		every bool // as the article has it
		want  int  // attempts
		fault Fault
	}{
		{fail(FaultTransient), false, 3, FaultTransient},
		{askedToWait(50 * ms), false, 3, FaultBackOff},
		{askedToWait(0), false, 1, FaultBackOff},
		{askedToWait(1), false, 3, FaultBackOff},
		{fail(FaultTimeout), false, 1, FaultTimeout},
		{fail(FaultGarbage), false, 1, FaultGarbage},
		{fail(FaultPermanent), false, 1, FaultPermanent},
		{fail(FaultConfig), false, 1, FaultConfig},
		{fail(FaultCancelled), false, 1, FaultCancelled},
		{errors.New("reset"), false, 3, FaultTransient},
		{context.DeadlineExceeded, false, 1, FaultTimeout},
		{fail(FaultTimeout), true, 3, FaultTimeout},
		{fail(FaultGarbage), true, 3, FaultGarbage},
		{fail(FaultPermanent), true, 3, FaultPermanent},
		{fail(FaultCancelled), true, 1, FaultCancelled},
	} {
		bubble(t, func(t *testing.T) {
			call := newCalls(Options{Attempts: 3, BackoffBase: 20 * ms, LinearBackoff: c.every}, step{ms, "", c.err})
			text, attempts, err := call.within(0)
			var e *Error
			if text != "" || attempts != c.want || !errors.As(err, &e) || e.Fault != c.fault || call.Attempts() != int64(c.want) {
				t.Errorf("%v, every %v: %d attempts, %v; want %d, %v", c.err, c.every, attempts, err, c.want, c.fault)
			}
			if len(call.seen) != c.want {
				t.Errorf("%v: seen %v", c.err, call.seen)
			}
		})
	}
}

// A retry is worth it only where there is time for the wait and an attempt.
func TestRetriesFitInTheTimeLeft(t *testing.T) {
	const base = 20 * ms
	for _, c := range []struct {
		err  error
		left time.Duration // after the first attempt
		want int
	}{
		{fail(FaultTransient), 2*base + minAttempt, 1},
		{fail(FaultTransient), 2*base + minAttempt + 1, 2},
		{askedToWait(100 * ms), 100*ms + minAttempt, 1},
		{askedToWait(100 * ms), 100*ms + minAttempt + 1, 2},
	} {
		bubble(t, func(t *testing.T) {
			call := newCalls(Options{Attempts: 2, BackoffBase: base}, step{10 * ms, "", c.err}, step{ms, "好", nil})
			if _, attempts, err := call.within(10*ms + c.left); attempts != c.want || (err == nil) != (c.want == 2) {
				t.Errorf("%v with %v left: %d attempts, %v; want %d", c.err, c.left, attempts, err, c.want)
			}
			call.model.n = 0
			ctx, cancel := context.WithTimeout(t.Context(), 10*ms+c.left)
			defer cancel()
			if _, attempts, _ := call.Call(ctx, time.Time{}, nil, trace.Context{}); attempts != c.want {
				t.Errorf("%v with %v left of the caller's own: %d attempts, want %d", c.err, c.left, attempts, c.want)
			}
		})
	}
}

func TestWaitsBeforeRetries(t *testing.T) {
	wait := func(t *testing.T, o Options, err error) (waits []time.Duration) {
		o.Attempts, o.BackoffBase = 3, 100*ms
		c := newCalls(o, step{0, "", err})
		_, _, _ = c.within(0)
		for i := 1; i < len(c.model.when); i++ {
			waits = append(waits, c.model.when[i].Sub(c.model.when[i-1]))
		}
		return waits
	}
	bubble(t, func(t *testing.T) {
		if got := wait(t, Options{LinearBackoff: true}, fail(FaultTransient)); !slices.Equal(got, []time.Duration{100 * ms, 200 * ms}) {
			t.Errorf("linear: %v", got)
		}
		if got := wait(t, Options{}, askedToWait(3*time.Second)); !slices.Equal(got, []time.Duration{3 * time.Second, 3 * time.Second}) {
			t.Errorf("as asked: %v", got)
		}
		if got := wait(t, Options{}, askedToWait(1)); !slices.Equal(got, []time.Duration{1, 1}) {
			t.Errorf("as asked, hardly: %v", got)
		}
		low, high := time.Hour, time.Duration(0)
		for range 200 {
			for _, w := range wait(t, Options{}, fail(FaultTransient)) {
				low, high = min(low, w), max(high, w)
			}
		}
		if low < 50*ms || low > 60*ms || high > 150*ms || high < 140*ms {
			t.Errorf("with jitter from %v to %v, want 50ms to 150ms", low, high)
		}
	})
}

// With a budget of a tenth few of the calls that fail at the same time are tried again.
func TestRetriesHaveABudget(t *testing.T) {
	for budget, want := range map[float64][2]int64{0.1: {21, 30}, 1: {40, 40}} {
		bubble(t, func(t *testing.T) {
			c := newCalls(Options{Attempts: 2, BackoffBase: 20 * ms, RetryBudget: budget}, step{10 * ms, "", fail(FaultTransient)})
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() { _, _, _ = c.within(0) })
			}
			all.Wait()
			if n := c.Attempts(); n < want[0] || n > want[1] {
				t.Errorf("budget %v: %d attempts of 20 calls, want %v", budget, n, want)
			}
		})
	}
}

func TestBulkhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{Bulkhead: 2}, step{10 * ms, "好", nil})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, n, err := c.within(0); n != 1 || err != nil {
					t.Errorf("within it: %d, %v", n, err)
				}
			})
		}
		synctest.Wait()
		if _, n, err := c.within(0); n != 0 || FaultOf(err) != FaultFull {
			t.Errorf("above it: %d, %v", n, err)
		}
		if n, err := c.Stream(t.Context(), nil, trace.Context{}, time.Second, nil, nil); n != 0 || FaultOf(err) != FaultFull {
			t.Errorf("a stream above it: %d, %v", n, err)
		}
		all.Wait()
		if _, n, err := c.within(0); n != 1 || err != nil {
			t.Errorf("behind it: %d, %v", n, err)
		}
		if len(c.seen) != 3 {
			t.Errorf("seen %v", c.seen)
		}
		one := newCalls(Options{Bulkhead: 1}, step{10 * ms, "好", nil})
		all.Go(func() { _, _, _ = one.within(0) })
		synctest.Wait()
		if _, _, err := one.within(0); FaultOf(err) != FaultFull {
			t.Errorf("above a bulkhead of one: %v", err)
		}
		all.Wait()
	})
}

func TestWorkersAreHeldThroughACall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{BlockingWorkers: 1}, step{100 * ms, "好", nil})
		start := time.Now()
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { _, _, _ = c.within(0) })
		}
		synctest.Wait()
		if _, n, err := c.within(50 * ms); n != 0 || FaultOf(err) != FaultTimeout {
			t.Errorf("who waits for a worker: %d, %v", n, err)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, n, err := c.Call(ctx, time.Time{}, nil, trace.Context{}); n != 0 || FaultOf(err) != FaultCancelled {
			t.Errorf("who leaves: %d, %v", n, err)
		}
		all.Wait()
		if took := time.Since(start); took != 300*ms {
			t.Errorf("three calls took %v", took)
		}
	})
}

// What ends a call while it waits to be tried again is told as it was.
func TestEndsOfACall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{Attempts: 2, BackoffBase: time.Second}, step{ms, "", fail(FaultTransient)})
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*ms, leave)
		if _, n, err := c.Call(ctx, time.Time{}, nil, trace.Context{}); n != 1 || FaultOf(err) != FaultCancelled {
			t.Errorf("left: %d, %v", n, err)
		}
		c = newCalls(Options{Attempts: 2, BackoffBase: time.Second, LinearBackoff: true}, step{ms, "", fail(FaultGarbage)})
		if _, n, err := c.within(500 * ms); n != 1 || FaultOf(err) != FaultGarbage {
			t.Errorf("too late: %d, %v", n, err)
		}
		c = newCalls(Options{Attempts: 3, BackoffBase: ms, LinearBackoff: true}, step{time.Hour, "", nil})
		if _, n, err := c.within(500 * ms); n != 1 || FaultOf(err) != FaultTimeout || c.Attempts() != 1 {
			t.Errorf("out of time within an attempt: %d, %v", n, err)
		}
	})
}

func TestAnAttemptHasATimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{}, step{time.Hour, "", nil})
		c.live = Live{Timeout: 350 * ms, Slow: 340 * ms}
		if _, _, err := c.within(0); FaultOf(err) != FaultTimeout {
			t.Errorf("%v", err)
		}
		c.live.Starved = true
		if _, _, err := c.within(0); FaultOf(err) != FaultTimeout {
			t.Errorf("starved: %v", err)
		}
		want := []saw{{FaultTimeout, 350 * ms, true}, {FaultStarved, 350 * ms, false}}
		if !slices.Equal(c.seen, want) {
			t.Errorf("seen %v, want %v", c.seen, want)
		}
		c = newCalls(Options{}, step{340 * ms, "好", nil}, step{340*ms + 1, "好", nil}, step{ms, "", fail(FaultGarbage)})
		c.live = Live{Timeout: time.Second, Slow: 340 * ms}
		for range 3 {
			_, _, _ = c.within(0)
		}
		c.live.Starved = true
		_, _, _ = c.within(0)
		want = []saw{{FaultNone, 340 * ms, false}, {FaultNone, 340*ms + 1, true}, {FaultGarbage, ms, false}, {FaultGarbage, ms, false}}
		if !slices.Equal(c.seen, want) {
			t.Errorf("seen %v, want %v", c.seen, want)
		}
	})
}

// An open breaker refuses, which is neither sent nor seen.
func TestAnOpenBreakerRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCalls(Options{Attempts: 2, Breaker: "consecutive", BreakerConsecutive: 3, BreakerOpen: 10 * time.Second}, step{ms, "", fail(FaultGarbage)})
		for range 3 {
			_, _, _ = c.within(0)
		}
		if got := c.Breaker().State(); got != "open" {
			t.Fatal(got)
		}
		if _, n, err := c.within(0); n != 0 || FaultOf(err) != FaultRefused {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := c.Stream(t.Context(), nil, trace.Context{}, time.Second, nil, nil); n != 0 || FaultOf(err) != FaultRefused {
			t.Errorf("a stream: %d, %v", n, err)
		}
		if len(c.seen) != 3 || c.Attempts() != 3 {
			t.Errorf("seen %v, %d attempts", c.seen, c.Attempts())
		}
	})
}
