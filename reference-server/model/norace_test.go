//go:build !race

package model

import (
	"context"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// Under the race detector sync.Pool forgets at random.
func TestCallsAllocateLittle(t *testing.T) {
	answer := []byte(plainAnswer("好"))
	p := newPeer(t, func(_ int64, l *line) {
		b := make([]byte, 4096)
		for {
			if _, err := l.Read(b); err != nil {
				return
			}
			if _, err := l.Write(answer); err != nil {
				return
			}
		}
	})
	m := newTestClient(t, p.url, usual)
	body, tr := m.Body(Prompt{Text: "你好"}), trace.From("")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if n := testing.AllocsPerRun(200, func() {
		if _, err := m.Ask(ctx, body, tr, ""); err != nil {
			t.Error(err)
		}
	}); n > 7 {
		t.Errorf("%v allocations a call, want 7 at most", n)
	}
}
