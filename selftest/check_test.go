package selftest

import "testing"

// A start that never came up must show.
func TestSelftestHoldsStartsAgainstTheSchedule(t *testing.T) {
	for _, c := range []struct {
		planned, started int64
		want             bool
	}{{30_000, 30_000, true}, {30_000, 29_970, true}, {30_000, 29_969, false}, {30_000, 30_031, false}, {0, 0, false}} {
		got := issued(c.planned, c.started)
		if got.OK != c.want {
			t.Errorf("%d of %d: %v, want %v", c.started, c.planned, got.OK, c.want)
		}
	}
	if got := issued(30_000, 29_969); got.Truth.String() != "30000" || got.Measured.String() != "29969" {
		t.Errorf("%+v", got)
	}
}
