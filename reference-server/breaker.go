package refserver

import (
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// breaker stops calls to a model that fails. With ratio it opens on the share
// of failed or of slow calls in 10 s, with consecutive on failures in a row,
// as the article has it. A nil breaker lets everything pass. Safe for
// concurrent use.
type breaker struct {
	gate circuitbreaker.CircuitBreaker[any]
	slow circuitbreaker.CircuitBreaker[any] // a sensor only: where it opens, the gate does
}

const (
	breakerWindow = 10 * time.Second
	breakerCalls  = 20
)

func newBreaker(s *settings) *breaker {
	switch s.llmBreaker {
	case "ratio":
		gate := circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(float64(s.llmBreakerFailures), breakerCalls, breakerWindow).
			WithSuccessThresholdRatio(4, 5).
			WithDelay(s.llmBreakerOpen.D()).WithJitterFactor(0.2).Build()
		slow := circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(float64(s.llmBreakerSlow), breakerCalls, breakerWindow).
			WithDelay(time.Hour).Build()
		return &breaker{gate: gate, slow: slow}
	case "consecutive":
		gate := circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(uint(max(1, s.llmBreakerConsecutive))).
			WithSuccessThreshold(1).WithDelay(s.llmBreakerOpen.D()).Build()
		return &breaker{gate: gate}
	}
	return nil
}

// allow asks for one call. Every allowed call must be recorded.
func (b *breaker) allow() bool { return b == nil || b.gate.TryAcquirePermit() }

// record tells how an allowed call went. A cancelled call says nothing about
// the model, but a half-open gate needs its permit back.
func (b *breaker) record(f fault, slow bool) {
	if b == nil || f == faultCancelled && b.gate.State() == circuitbreaker.ClosedState {
		return
	}
	if f.failure() || f == faultCancelled {
		b.gate.RecordFailure()
	} else {
		b.gate.RecordSuccess()
	}
	if f == faultConfig {
		b.gate.Open()
	}
	if b.slow == nil || f == faultCancelled {
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

// close lets calls pass again, on evidence from beside the gate.
func (b *breaker) close() {
	if b != nil {
		b.gate.Close()
	}
}

// state is closed, open, half-open or off.
func (b *breaker) state() string {
	if b == nil {
		return "off"
	}
	switch b.gate.State() {
	case circuitbreaker.OpenState:
		return "open"
	case circuitbreaker.HalfOpenState:
		return "half-open"
	}
	return "closed"
}
