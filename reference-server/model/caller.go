package model

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/cstest/cstest/reference-server/trace"
)

// minAttempt is the least time left for which another attempt is worth it.
const minAttempt = 40 * time.Millisecond

// Asker makes one attempt at the model. The real one is *Client.
type Asker interface {
	Ask(ctx context.Context, body []byte, tr trace.Context, purpose string) (string, error)
	Stream(ctx context.Context, body []byte, tr trace.Context, add func(string) error) error
}

// Caller surrounds attempts with bulkhead, retry and breaker. Safe for
// concurrent use.
type Caller struct {
	model       Asker
	live        func() Live
	breaker     *Breaker
	bulkhead    bulkhead.Bulkhead[string] // nil: unbounded
	retry       failsafe.Executor[string]
	workers     chan struct{} // nil: a goroutine each
	every       bool          // the article retries whatever failed
	backoffBase time.Duration
	seen        func(f Fault, took time.Duration, slow bool)
	attempts    atomic.Int64
}

// NewCaller surrounds m. live is asked on every call; seen hears of each attempt.
func NewCaller(m Asker, o Options, live func() Live, seen func(Fault, time.Duration, bool)) *Caller {
	c := &Caller{model: m, live: live, breaker: newBreaker(o), seen: seen, every: o.LinearBackoff, backoffBase: o.BackoffBase}
	if o.Bulkhead > 0 {
		c.bulkhead = bulkhead.NewBuilder[string](uint(o.Bulkhead)).Build()
	}
	if o.BlockingWorkers > 0 {
		c.workers = make(chan struct{}, o.BlockingWorkers)
	}
	base, linear := o.BackoffBase, o.LinearBackoff
	policy := retrypolicy.NewBuilder[string]().
		WithMaxAttempts(o.Attempts).ReturnLastFailure().
		HandleIf(func(_ string, err error) bool { return retryable(err) }).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[string]) time.Duration {
			return backoff(e.LastError(), e.Attempts(), base, linear)
		})
	if o.RetryBudget < 1 {
		policy = policy.WithBudget(budget.NewBuilder().WithMaxRate(float64(o.RetryBudget)).WithMinConcurrency(1).Build())
	}
	c.retry = failsafe.With[string](policy.Build())
	return c
}

// Breaker is the one in front of every call.
func (c *Caller) Breaker() *Breaker { return c.breaker }

// Attempts is how many calls were made so far.
func (c *Caller) Attempts() int64 { return c.attempts.Load() }

// retryErr marks an error that another attempt may cure in the time left.
type retryErr struct{ error }

// Unwrap gives the error of the attempt.
func (e retryErr) Unwrap() error { return e.error }

func retryable(err error) bool {
	if err == nil {
		return false
	}
	var r retryErr
	return errors.As(err, &r)
}

func backoff(err error, attempts int, base time.Duration, linear bool) time.Duration {
	if linear {
		return base * time.Duration(attempts)
	}
	var e *Error
	if errors.As(err, &e) && e.retryAfter > 0 {
		return e.retryAfter
	}
	return time.Duration(float64(base) * (0.5 + rand.Float64()))
}

// Call asks the model within ctx, until then; the zero time is no bound. attempts counts
// what was sent. Errors are *Error.
func (c *Caller) Call(ctx context.Context, until time.Time, body []byte, tr trace.Context) (text string, attempts int, err error) {
	if !until.IsZero() && (c.workers != nil || c.every) {
		// These wait. Elsewhere an attempt minds the time, and none is made that has none.
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	if c.workers != nil {
		select {
		case c.workers <- struct{}{}:
			defer func() { <-c.workers }()
		case <-ctx.Done():
			return "", 0, TransportError(ctx, ctx.Err())
		}
	}
	if c.bulkhead != nil {
		if !c.bulkhead.TryAcquirePermit() {
			return "", 0, &Error{Fault: FaultFull}
		}
		defer c.bulkhead.ReleasePermit()
	}
	var last error
	text, err = c.retry.WithContext(ctx).Get(func() (string, error) {
		var s string
		var sent bool
		s, sent, last = c.attempt(ctx, until, body, tr)
		if sent {
			attempts++
		}
		return s, last
	})
	if err == nil {
		return text, attempts, nil
	}
	var e *Error
	if !errors.As(last, &e) {
		e = &Error{Fault: FaultOf(err), Err: err}
	}
	if ctx.Err() != nil && e.Fault != FaultCancelled && errors.Is(ctx.Err(), context.Canceled) {
		e = &Error{Fault: FaultCancelled, Err: ctx.Err()}
	}
	return "", attempts, e
}

func (c *Caller) attempt(ctx context.Context, until time.Time, body []byte, tr trace.Context) (string, bool, error) {
	if !c.breaker.allow() {
		return "", false, &Error{Fault: FaultRefused}
	}
	start := time.Now()
	late := start.Add(c.live().Timeout)
	if !until.IsZero() && until.Before(late) {
		late = until
	}
	actx, cancel := context.WithDeadline(ctx, late)
	defer cancel()
	c.attempts.Add(1)
	text, err := c.model.Ask(actx, body, tr, "")
	took := time.Since(start)
	f := FaultOf(err)
	c.saw(f, took, took)
	if err != nil && c.again(ctx, until, err, f) {
		err = retryErr{err}
	}
	return text, true, err
}

// saw tells who judges the model of a call that took so long, and was slow if wait
// was: to its answer, or to the first piece of one.
func (c *Caller) saw(f Fault, took, wait time.Duration) {
	live := c.live()
	slow := wait > live.Slow
	if live.Starved {
		if slow = false; f == FaultTimeout {
			f = FaultStarved
		}
	}
	c.breaker.record(f, slow)
	c.seen(f, took, slow)
}

// again says whether another attempt may help in time.
func (c *Caller) again(ctx context.Context, until time.Time, err error, f Fault) bool {
	if f == FaultCancelled || ctx.Err() != nil {
		return false
	}
	if c.every {
		return true
	}
	left := time.Hour
	if d, ok := ctx.Deadline(); ok {
		left = time.Until(d)
	}
	if !until.IsZero() {
		left = min(left, time.Until(until))
	}
	switch f {
	case FaultTransient:
		return left > 2*c.backoffBase+minAttempt
	case FaultBackOff:
		var e *Error
		return errors.As(err, &e) && e.retryAfter > 0 && left > e.retryAfter+minAttempt
	case FaultNone, FaultTimeout, FaultGarbage, FaultPermanent, FaultConfig, FaultCancelled, FaultRefused, FaultFull, FaultStarved:
	}
	return false
}
