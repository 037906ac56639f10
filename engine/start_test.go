package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStartIsAwaitedInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "start-at")
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(40 * time.Second).UTC()
		for after, text := range map[time.Duration]string{
			5 * time.Second:                      "", // a volume shows an annotation that is not set as an empty file
			10 * time.Second:                     at.Format(time.RFC3339)[:8],
			10*time.Second + 50*time.Millisecond: at.Format(time.RFC3339) + "\n",
		} {
			time.AfterFunc(after, func() { write(t, path, text) })
		}
		begun := time.Now()
		got, err := AwaitStart(t.Context(), path, time.Minute)
		if err != nil || !got.Equal(at) {
			t.Fatalf("%v, %v; want %v", got, err, at)
		}
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("after %v, want 10 s", took)
		}
	})
}

func TestStartThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		text, want string
		after      time.Duration
	}{
		{"", "no instant to start at was given within 10m0s (--start-timeout)", 10 * time.Minute},
		{"tomorrow", `--start-at "tomorrow": want a time such as`, 1100 * time.Millisecond},
		{"1999-12-31T23:59:48Z", "is 12s in the past: the others began without this shard", 0},
		{"2000-01-02T00:00:01Z", "is not within the next 24 h", 0},
	} {
		path := filepath.Join(t.TempDir(), "start-at")
		if c.text != "" {
			write(t, path, c.text)
		}
		synctest.Test(t, func(t *testing.T) { // begins in 2000
			begun := time.Now()
			_, err := AwaitStart(t.Context(), path, 10*time.Minute)
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, ErrNoStart) != (c.text == "") {
				t.Errorf("%q: %v, want %q", c.text, err, c.want)
			}
			if took := time.Since(begun); took != c.after {
				t.Errorf("%q: refused after %v, want %v", c.text, took, c.after)
			}
		})
	}
}

func TestStartFileMustBeAFile(t *testing.T) {
	if _, err := AwaitStart(t.Context(), t.TempDir(), time.Second); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := AwaitStart(ctx, filepath.Join(t.TempDir(), "none"), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
