package model

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Fault is the type of a model error: what it means for retry, breaker and
// tiers.
type Fault uint8

// The faults.
const (
	FaultNone      Fault = iota // an answer
	FaultTransient              // fast and worth one more try: 5xx, reset, refused
	FaultBackOff                // asked to wait: 429 or 503 with Retry-After
	FaultTimeout                // no complete answer in time
	FaultGarbage                // an answer that is none
	FaultPermanent              // the request is at fault: 4xx
	FaultConfig                 // our key is not accepted: 401, 403
	FaultCancelled              // the caller left
	FaultRefused                // not sent: breaker open
	FaultFull                   // not sent: bulkhead full
	FaultStarved                // no complete answer in time, while this process did not get the CPU it needs
)

// FaultNames are the names of the faults, in their order.
var FaultNames = [...]string{"ok", "transient", "backoff", "timeout", "garbage", "permanent", "config", "cancelled", "breaker_open", "bulkhead_full", "starved"}

// String is the name used in metrics, logs and degrade_reason.
func (f Fault) String() string { return FaultNames[f] }

// Failure says whether the fault speaks against the model's health.
func (f Fault) Failure() bool {
	switch f {
	case FaultTransient, FaultBackOff, FaultTimeout, FaultGarbage, FaultConfig:
		return true
	case FaultNone, FaultPermanent, FaultCancelled, FaultRefused, FaultFull, FaultStarved:
	}
	return false
}

// Error is a typed model error.
type Error struct {
	Fault      Fault
	Status     int
	retryAfter time.Duration // 0 to 60 s
	Err        error
}

// Error says what happened, without anything the model sent.
func (e *Error) Error() string {
	s := "model: " + e.Fault.String()
	if e.Status != 0 {
		s += " (status " + strconv.Itoa(e.Status) + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Garbage is the error of an answer that is none.
func Garbage(what string) error { return &Error{Fault: FaultGarbage, Err: errors.New(what)} }

// FaultOf types any error of this package or of a context.
func FaultOf(err error) Fault {
	if err == nil {
		return FaultNone
	}
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Fault
	case errors.Is(err, context.Canceled):
		return FaultCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return FaultTimeout
	}
	return FaultTransient
}
