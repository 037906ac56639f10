package refserver

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
)

// minAttempt is the least time left for which another attempt is worth it.
const minAttempt = 40 * time.Millisecond

// asker makes one attempt at the model. The real one is *model.
type asker interface {
	ask(ctx context.Context, body []byte, tr trace, purpose string) (string, error)
	stream(ctx context.Context, body []byte, tr trace, add func(string) error) error
}

// caller surrounds attempts with bulkhead, retry and breaker. Safe for
// concurrent use.
type caller struct {
	model    asker
	set      func() *settings
	breaker  *breaker
	bulkhead bulkhead.Bulkhead[string] // nil: unbounded
	retry    failsafe.Executor[string]
	workers  chan struct{} // nil: a goroutine each
	every    bool          // the article retries whatever failed
	seen     func(f fault, took time.Duration, slow bool)
	attempts atomic.Int64
}

func newCaller(m asker, s *settings, set func() *settings, seen func(fault, time.Duration, bool)) *caller {
	c := &caller{model: m, set: set, breaker: newBreaker(s), seen: seen, every: s.llmBackoff == "linear"}
	if s.llmBulkhead > 0 {
		c.bulkhead = bulkhead.NewBuilder[string](uint(s.llmBulkhead)).Build()
	}
	if s.chatBlockingWorkers > 0 {
		c.workers = make(chan struct{}, int(s.chatBlockingWorkers))
	}
	base, linear := s.llmBackoffBase.D(), s.llmBackoff == "linear"
	policy := retrypolicy.NewBuilder[string]().
		WithMaxAttempts(int(s.llmAttempts)).ReturnLastFailure().
		HandleIf(func(_ string, err error) bool { return retryable(err) }).
		WithDelayFunc(func(e failsafe.ExecutionAttempt[string]) time.Duration {
			return backoff(e.LastError(), e.Attempts(), base, linear)
		})
	if s.llmRetryBudget < 1 {
		policy = policy.WithBudget(budget.NewBuilder().WithMaxRate(float64(s.llmRetryBudget)).WithMinConcurrency(1).Build())
	}
	c.retry = failsafe.With[string](policy.Build())
	return c
}

// retryErr marks an error that another attempt may cure in the time left.
type retryErr struct{ error }

func (e retryErr) Unwrap() error { return e.error }

func retryable(err error) bool {
	var r retryErr
	return errors.As(err, &r)
}

func backoff(err error, attempts int, base time.Duration, linear bool) time.Duration {
	if linear {
		return base * time.Duration(attempts)
	}
	var e *llmError
	if errors.As(err, &e) && e.retryAfter > 0 {
		return e.retryAfter
	}
	return time.Duration(float64(base) * (0.5 + rand.Float64()))
}

// call asks the model within ctx. attempts counts what was sent. Errors are
// *llmError.
func (c *caller) call(ctx context.Context, body []byte, tr trace) (text string, attempts int, err error) {
	if c.workers != nil {
		select {
		case c.workers <- struct{}{}:
			defer func() { <-c.workers }()
		case <-ctx.Done():
			return "", 0, transportError(ctx, ctx.Err())
		}
	}
	if c.bulkhead != nil {
		if !c.bulkhead.TryAcquirePermit() {
			return "", 0, &llmError{fault: faultFull}
		}
		defer c.bulkhead.ReleasePermit()
	}
	var last error
	text, err = c.retry.WithContext(ctx).Get(func() (string, error) {
		var s string
		var sent bool
		s, sent, last = c.attempt(ctx, body, tr)
		if sent {
			attempts++
		}
		return s, last
	})
	if err == nil {
		return text, attempts, nil
	}
	var e *llmError
	if !errors.As(last, &e) {
		e = &llmError{fault: faultOf(err), err: err}
	}
	if ctx.Err() != nil && e.fault != faultCancelled && errors.Is(ctx.Err(), context.Canceled) {
		e = &llmError{fault: faultCancelled, err: ctx.Err()}
	}
	return "", attempts, e
}

func (c *caller) attempt(ctx context.Context, body []byte, tr trace) (string, bool, error) {
	if !c.breaker.allow() {
		return "", false, &llmError{fault: faultRefused}
	}
	set := c.set()
	actx, cancel := context.WithTimeout(ctx, set.llmTimeout.D())
	defer cancel()
	c.attempts.Add(1)
	start := time.Now()
	text, err := c.model.ask(actx, body, tr, "")
	took := time.Since(start)
	f := faultOf(err)
	slow := took > set.llmSlow.D()
	c.breaker.record(f, slow)
	c.seen(f, took, slow)
	if err != nil && c.again(ctx, err, f) {
		err = retryErr{err}
	}
	return text, true, err
}

// again says whether another attempt may help before ctx ends.
func (c *caller) again(ctx context.Context, err error, f fault) bool {
	if f == faultCancelled || ctx.Err() != nil {
		return false
	}
	if c.every {
		return true
	}
	left := time.Hour
	if d, ok := ctx.Deadline(); ok {
		left = time.Until(d)
	}
	switch f {
	case faultTransient:
		return left > 2*c.set().llmBackoffBase.D()+minAttempt
	case faultBackOff:
		var e *llmError
		return errors.As(err, &e) && e.retryAfter > 0 && left > e.retryAfter+minAttempt
	}
	return false
}
