package model

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/trace"
)

const (
	streamIdle = 2 * time.Second // between two pieces from the model
	heartbeat  = 10 * time.Second
	maxEvent   = 64 << 10 // bytes of one line from the model
)

// ErrClient means that an event could not be written: the caller is gone.
var ErrClient = errors.New("client does not take events")

// Stream makes one attempt, streamed. first bounds the wait for the first
// piece. Errors are *Error, or what add returned.
func (c *Caller) Stream(ctx context.Context, body []byte, tr trace.Context, first time.Duration, waiting func() error, add func(string) error) (int, error) {
	if c.bulkhead != nil {
		if !c.bulkhead.TryAcquirePermit() {
			return 0, &Error{Fault: FaultFull}
		}
		defer c.bulkhead.ReleasePermit()
	}
	if !c.breaker.allow() {
		return 0, &Error{Fault: FaultRefused}
	}
	c.attempts.Add(1)
	start := time.Now()
	took, err := c.pump(ctx, body, tr, first, waiting, add)
	f := FaultOf(err)
	if errors.Is(err, ErrClient) {
		f = FaultCancelled
	}
	c.saw(f, time.Since(start), took)
	return 1, err
}

// pump moves pieces from the model to add and beats the heart meanwhile. took
// is the time to the first piece.
func (c *Caller) pump(ctx context.Context, body []byte, tr trace.Context, first time.Duration, waiting func() error, add func(string) error) (took time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	pieces, done := make(chan string, 16), make(chan error, 1)
	go func() {
		defer close(pieces)
		defer func() {
			if v := recover(); v != nil { // ends the turn, not the process
				done <- fmt.Errorf("panic in a stream: %v\n%s", v, debug.Stack())
			}
		}()
		done <- c.model.Stream(ctx, body, tr, func(s string) error {
			select {
			case pieces <- s:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() {
		cancel()
		for range pieces { // the reader ends before its turn does
		}
	}()
	start := time.Now()
	idle := time.NewTimer(max(first, 0))
	defer idle.Stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case s, ok := <-pieces:
			if !ok {
				return took, <-done
			}
			if took == 0 {
				took = time.Since(start)
			}
			if err := add(s); err != nil {
				return took, err
			}
			idle.Reset(streamIdle)
		case <-idle.C:
			return max(took, time.Since(start)), &Error{Fault: FaultTimeout, Err: context.DeadlineExceeded}
		case <-beat.C:
			if waiting() != nil {
				return took, ErrClient
			}
		}
	}
}

// Stream makes one streamed attempt and hands each piece of text to add.
func (m *Client) Stream(ctx context.Context, body []byte, tr trace.Context, add func(string) error) error {
	a, err := m.send(ctx, body, tr, "")
	if err != nil {
		return err
	}
	defer a.done()
	lines := bufio.NewScanner(http.MaxBytesReader(nil, io.NopCloser(a.reader()), maxModelBody))
	lines.Buffer(make([]byte, 0, 4096), maxEvent)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		if !ok {
			continue
		}
		data = bytes.TrimSpace(data)
		if string(data) == "[DONE]" {
			return nil
		}
		if !gjson.ValidBytes(data) || gjson.GetBytes(data, "error").Exists() {
			return Garbage("event is an error or not JSON")
		}
		if s := gjson.GetBytes(data, "choices.0.delta.content"); s.Type == gjson.String && s.Str != "" {
			if err := add(s.Str); err != nil {
				return TransportError(ctx, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return TransportError(ctx, err)
	}
	return Garbage("stream ended without its terminal event")
}
