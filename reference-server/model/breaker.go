package model

import (
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// Breaker stops calls to a model that fails. With ratio it opens on the share
// of failed or of slow calls in 10 s, with consecutive on failures in a row,
// as the article has it. A nil breaker lets everything pass. Safe for
// concurrent use.
type Breaker struct {
	gate circuitbreaker.CircuitBreaker[any]
	slow circuitbreaker.CircuitBreaker[any] // a sensor only: where it opens, the gate does
}

const (
	breakerWindow = 10 * time.Second
	breakerCalls  = 20
)

func newBreaker(o Options) *Breaker {
	switch o.Breaker {
	case "ratio":
		gate := circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(float64(o.BreakerFailures), breakerCalls, breakerWindow).
			WithSuccessThresholdRatio(4, 5).
			WithDelay(o.BreakerOpen).WithJitterFactor(0.2).Build()
		slow := circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(float64(o.BreakerSlow), breakerCalls, breakerWindow).
			WithDelay(time.Hour).Build()
		return &Breaker{gate: gate, slow: slow}
	case "consecutive":
		gate := circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(uint(max(1, o.BreakerConsecutive))).
			WithSuccessThreshold(1).WithDelay(o.BreakerOpen).Build()
		return &Breaker{gate: gate}
	}
	return nil
}

// allow asks for one call. Every allowed call must be recorded.
func (b *Breaker) allow() bool { return b == nil || b.gate.TryAcquirePermit() }

// record tells how an allowed call went. One that was cancelled, or starved, says
// nothing about the model, but a half-open gate needs its permit back.
func (b *Breaker) record(f Fault, slow bool) {
	silent := f == FaultCancelled || f == FaultStarved
	if b == nil || silent && b.gate.State() == circuitbreaker.ClosedState {
		return
	}
	if f.Failure() || silent {
		b.gate.RecordFailure()
	} else {
		b.gate.RecordSuccess()
	}
	if f == FaultConfig {
		b.gate.Open()
	}
	if b.slow == nil || silent {
		return
	}
	if slow {
		b.slow.RecordFailure()
	} else {
		b.slow.RecordSuccess()
	}
	if b.slow.IsOpen() {
		b.slow.Close()
		b.gate.Open()
	}
}

// Close lets calls pass again, on evidence from beside the gate.
func (b *Breaker) Close() {
	if b != nil {
		b.gate.Close()
	}
}

// State is closed, open, half-open or off.
func (b *Breaker) State() string {
	if b == nil {
		return "off"
	}
	switch b.gate.State() {
	case circuitbreaker.OpenState:
		return "open"
	case circuitbreaker.HalfOpenState:
		return "half-open"
	case circuitbreaker.ClosedState:
	}
	return "closed"
}
