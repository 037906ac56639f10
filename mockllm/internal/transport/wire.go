package transport

import (
	"errors"
	"time"
)

// Wire is one request's way back to its client. The HTTP/1.1 loop and the HTTP/2
// handler implement it; every behaviour above it is written once. The methods
// are for the goroutine that serves the request, but Wake is for any.
type Wire interface {
	// Header is a header of the request, in canonical spelling; nil when it is
	// absent. It is valid until the first Wait.
	Header(name string) []byte
	// Wait returns at t with WaitOver, earlier with WaitGone when the client
	// left or the server closes, or with WaitWoken after Wake. A zero t is far away.
	Wait(t time.Time) WaitResult
	// Wake ends a wait that is going on or, if none is, the next one.
	Wake()
	// Respond sends a complete response.
	Respond(h Head, body []byte) error
	// Begin starts a response: length bytes of body, or until Finish when
	// length is negative. Nothing is sent before Flush.
	Begin(h Head, length int64)
	// Write adds to the body, Flush sends what was added.
	Write(p []byte)
	Flush() error
	// Finish ends the body begun.
	Finish() error
	// Cut closes the connection (or stream) in good order, whatever was promised.
	Cut()
	// Reset destroys the connection (or stream) so that the client sees a reset.
	Reset()
}

// Head is the status and headers of a response. What is empty is not sent.
type Head struct {
	Status      int
	ContentType string
	RetryAfter  string
	Allow       string
	ID          uint64 // X-Request-Id; none when zero
	Extra       []Field
}

// Field is one more header.
type Field struct{ Name, Value string }

// WaitResult says why a wait ended.
type WaitResult uint8

// The results of Wait.
const (
	WaitOver WaitResult = iota
	WaitGone
	WaitWoken
)

// ErrGone is a client that left, or a server that closes.
var ErrGone = errors.New("client gone")
