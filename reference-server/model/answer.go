package model

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"
)

// LongestRetryAfter is how long the model may ask to be left alone.
const LongestRetryAfter = 60 * time.Second

const (
	maxModelBody = 256 << 10
	maxModelHead = 64 << 10
	maxDiscard   = 4 << 10
)

var errTooLarge = fmt.Errorf("answer is larger than %d bytes", maxModelBody)

// request is what differs between two requests to the model.
type request struct {
	body        []byte
	traceparent string
	purpose     string // of calls that are no user's turn
}

// carrier takes requests to the model's server, each once. Safe for concurrent
// use.
type carrier interface {
	// post sends r and waits for the head of its answer.
	post(ctx context.Context, r request) (answer, error)
	// close closes connections that are idle.
	close()
}

// answer is one of any status, its body still to be read. It is used by one
// goroutine, which ends with done.
type answer interface {
	status() int
	field(name string) string
	// whole reads the body. Nothing of it is to be kept past done.
	whole() ([]byte, error)
	reader() io.Reader
	// discard reads a little of the body, so that the connection can be used again.
	discard()
	done()
}

// check types every answer that is not to be read.
func check(a answer) error {
	code := a.status()
	if code != http.StatusOK {
		return &Error{Fault: statusFault(a), Status: code, retryAfter: retryAfter(a.field("Retry-After"), time.Now())}
	}
	if t := a.field("Content-Type"); t != "application/json" {
		if t, _, err := mime.ParseMediaType(t); err != nil || t != "application/json" && t != "text/event-stream" {
			return &Error{Fault: FaultGarbage, Status: code, Err: errors.New("content type is not JSON")}
		}
	}
	return nil
}

func statusFault(a answer) Fault {
	switch code := a.status(); {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable && a.field("Retry-After") != "":
		return FaultBackOff
	case code == http.StatusRequestTimeout, code >= 500:
		return FaultTransient
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return FaultConfig
	case code >= 400:
		return FaultPermanent
	}
	return FaultGarbage
}

// retryAfter reads seconds or an HTTP date and clamps to 0 … 60 s.
func retryAfter(h string, now time.Time) time.Duration {
	if h == "" {
		return 0
	}
	if n, err := strconv.ParseUint(h, 10, 63); err == nil {
		return time.Duration(min(n, uint64(LongestRetryAfter/time.Second))) * time.Second
	}
	t, err := http.ParseTime(h)
	if err != nil {
		return 0
	}
	return max(0, min(t.Sub(now), LongestRetryAfter))
}

// TransportError types what went wrong below HTTP: cancelled, late or transient.
func TransportError(ctx context.Context, err error) error {
	var ne net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Fault: FaultCancelled, Err: context.Canceled}
	case ctx.Err() != nil, errors.As(err, &ne) && ne.Timeout():
		return &Error{Fault: FaultTimeout, Err: context.DeadlineExceeded}
	}
	return &Error{Fault: FaultTransient, Err: err}
}
