package engine

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// furthest is how far ahead a start may lie.
const furthest = 24 * time.Hour

// looksEvery is how often a file is read again, and doubted how long a text that
// is no instant must stay the same to be refused: one that is just being written
// changes.
const (
	looksEvery = 100 * time.Millisecond
	doubted    = time.Second
)

// ErrNoStart is the error of waiting for an instant that nobody gave.
var ErrNoStart = reason.Errorf("no instant to start at was given")

// ParseStart reads an instant to start at, which lies ahead.
func ParseStart(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, reason.Errorf("--start-at %.60q: want a time such as 2026-11-11T00:00:00+08:00", text)
	}
	switch wait := time.Until(at); {
	case wait < 0:
		return at, reason.Errorf("--start-at %s is %s in the past: the others began without this shard, and load is not sent late", text, (-wait).Round(time.Second))
	case wait > furthest:
		return at, reason.Errorf("--start-at %s is not within the next 24 h", text)
	}
	return at, nil
}

// AwaitStart waits until a file, which need not be there yet, holds an instant
// to start at. It errs with ErrNoStart when none is there in time.
func AwaitStart(ctx context.Context, path string, within time.Duration) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(looksEvery)
	defer tick.Stop()
	last, since := "", time.Now()
	for {
		text, err := readStart(path)
		if err != nil {
			return time.Time{}, err
		}
		if _, bad := time.Parse(time.RFC3339Nano, text); text != "" && bad == nil {
			return ParseStart(text)
		}
		if text != last {
			last, since = text, time.Now()
		}
		if text != "" && time.Since(since) > doubted {
			_, err := ParseStart(text)
			return time.Time{}, reason.Errorf("%s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return time.Time{}, reason.Errorf("--start-at @%s: %w within %s (--start-timeout)", path, ErrNoStart, within)
			}
			return time.Time{}, ctx.Err()
		case <-tick.C:
		}
	}
}

// readStart gives the text of a file; empty where there is none.
func readStart(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", reason.Errorf("--start-at: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", reason.Errorf("--start-at @%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", reason.Errorf("--start-at: %w", err)
	}
	defer f.Close() // only read from
	b, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return "", reason.Errorf("--start-at: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
