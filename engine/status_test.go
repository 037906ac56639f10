package engine

import (
	"testing"

	"github.com/cstest/cstest/result"
)

func TestStatusIsReadBack(t *testing.T) {
	for _, s := range []Status{
		{Shard: result.Shard{I: 0, N: 4}, Ready: true},
		{Shard: result.Shard{I: 299, N: 300}, Ended: true, Code: 143},
		{Shard: result.Shard{I: 1, N: 2}, Ended: true},
	} {
		for _, before := range []string{"", "2: ", "2026-11-11T00:00:00Z stdout F "} {
			if got, ok := ParseStatus([]byte(before + s.Line())); !ok || got != s {
				t.Errorf("%q: %+v, %v; want %+v", before+s.Line(), got, ok, s)
			}
		}
	}
	for _, line := range []string{
		"", "cstest-shard", "cstest-shard ", "cstest-shard 0/4", "cstest-shard 4/4 ready", "cstest-shard 0/4 ready now", "cstest-shard x ready",
		"cstest-shard 0/4 ended", "cstest-shard 0/4 ended x", "cstest-shard 0/4 ended 256", "cstest-shard 0/4 ended -1", "cstest-shard 0/4 went 1", "cstest-journal 0/4 00000000 0 0 x",
	} {
		if got, ok := ParseStatus([]byte(line)); ok {
			t.Errorf("%q is taken for %+v", line, got)
		}
	}
}
