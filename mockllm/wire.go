package mockllm

import (
	"errors"
	"time"
)

// wire is one request's way back to its client. The HTTP/1.1 loop and the HTTP/2
// handler implement it; every behaviour above it is written once. The methods
// are for the goroutine that serves the call, but wake is for any.
type wire interface {
	// wait returns at t with waitOver, earlier with waitGone when the client
	// left or the server closes, or with waitWoken after wake. A zero t is far away.
	wait(t time.Time) waitResult
	// wake ends a wait that is going on or, if none is, the next one.
	wake()
	// respond sends a complete response.
	respond(h head, body []byte) error
	// begin starts a response: length bytes of body, or until finish when
	// length is negative. Nothing is sent before flush.
	begin(h head, length int64)
	// write adds to the body, flush sends what was added.
	write(p []byte)
	flush() error
	// finish ends the body begun.
	finish() error
	// cut closes the connection (or stream) in good order, whatever was promised.
	cut()
	// reset destroys the connection (or stream) so that the client sees a reset.
	reset()
}

// head is the status and headers of a response.
type head struct {
	status      int
	contentType string
	retryAfter  string
	allow       string
	id          uint64 // X-Request-Id; none when zero
}

type waitResult uint8

const (
	waitOver waitResult = iota
	waitGone
	waitWoken
)

const (
	typeJSON   = "application/json"
	typeEvents = "text/event-stream; charset=utf-8"
	typeText   = "text/plain; charset=utf-8"
	typeHTML   = "text/html; charset=utf-8"
)

// errGone is a client that left, or a server that closes.
var errGone = errors.New("client gone")
