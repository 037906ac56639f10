package journal

import (
	"testing"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

func TestAttemptsAreCountedAndForgotten(t *testing.T) {
	var a Attempts
	first := draw.HashKey(1)
	for want := uint32(1); want <= 3; want++ {
		if got := a.Next(first); got != want {
			t.Errorf("attempt %d counted as %d", want, got)
		}
	}
	for i := range 100_000 { // within the promised memory
		a.Next(draw.Key{1, byte(i), byte(i >> 8), byte(i >> 16), 7: byte(i), 11: byte(i >> 8), 15: byte(i >> 4)})
	}
	if got := a.Next(first); got != 4 {
		t.Errorf("after 100k turns: %d, want 4", got)
	}
	size := 0
	for i := range 700_000 {
		a.Next(draw.HashKey(draw.Mix(uint64(i))))
	}
	for i := range a.shards {
		size += len(a.shards[i].young) + len(a.shards[i].old)
	}
	if size > 2*attemptShards*attemptsPerHalf {
		t.Errorf("remembers %d turns", size)
	}
	a.Reset()
	if got := a.Next(first); got != 1 {
		t.Errorf("after reset: %d", got)
	}
}
