package model

import (
	"context"
	"errors"
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
