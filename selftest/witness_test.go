package selftest

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/trial"
)

// What the machine was late by is not the ruler's; what comes on top is.
func TestLagBeyondStalls(t *testing.T) {
	const base = time.Hour
	seen := []stall{
		{base + 100*ms, base + 110*ms},
		{base + 105*ms, base + 112*ms}, // another processor
		{base + 300*ms, base + 301*ms},
	}
	for _, tt := range []struct {
		intended, lag, want time.Duration
	}{
		{50 * ms, 3 * ms, 3 * ms},  // nothing stood still
		{100 * ms, 10 * ms, 0},     // from the first instant of a stall
		{104 * ms, 6 * ms, 0},      // in one
		{104 * ms, 9 * ms, 3 * ms}, // later than it explains
		{106 * ms, 6 * ms, 0},      // in two: the longer explains
		{112 * ms, 2 * ms, 2 * ms}, // a stall is over at its end
		{300500 * us, 200 * us, 0}, // less than it explains is not less than nothing
		{301 * ms, 900 * us, 900 * us},
	} {
		turns := []measure.Turn{{Intended: tt.intended, Lag: tt.lag}}
		if got := beyond(turns, seen, base, 0.99); got != tt.want {
			t.Errorf("intended at %v, %v late: %v beyond the stalls, want %v", tt.intended, tt.lag, got, tt.want)
		}
	}
	for _, tt := range []struct{ from, to, want time.Duration }{
		{base, base + time.Second, 18 * ms}, {base + 107*ms, base + time.Second, 9 * ms}, {base, base + 102*ms, 2 * ms}, {0, base, 0},
	} {
		if got := stood(seen, tt.from, tt.to); got != tt.want {
			t.Errorf("stood still for %v from %v to %v, want %v", got, tt.from, tt.to, tt.want)
		}
	}
}

// A ruler that is late by itself is called so, and a machine that stood still is not
// called a bent ruler.
func TestLagsTellTheMachineFromTheRuler(t *testing.T) {
	late := func(own, machine time.Duration) (*driven, []stall) {
		h := measure.NewHistogram()
		d := &driven{}
		for i := range 1000 {
			at := time.Duration(i) * ms
			lag := own
			if i < 20 { // 2 % of the turns
				lag += machine - at
			}
			h.Record(lag)
			d.turns = append(d.turns, measure.Turn{Intended: at, Lag: lag})
		}
		d.Done = &trial.Done{Snapshot: &measure.Snapshot{}}
		d.Snapshot.Timings[measure.Lag] = h
		if machine == 0 {
			return d, nil
		}
		return d, []stall{{0, machine}}
	}
	for name, tt := range map[string]struct {
		own, machine time.Duration
		want         string
	}{
		"neither":          {300 * us, 0, ""},
		"the machine":      {300 * us, 20 * ms, ""},
		"the ruler":        {2 * ms, 0, "lag P99"},
		"both, one hidden": {2 * ms, 20 * ms, "lag P99 but for that time"},
	} {
		d, seen := late(tt.own, tt.machine)
		if got := wrong(lags(d, seen, 0, time.Second)); got != tt.want {
			t.Errorf("%s: wrong %q, want %q", name, got, tt.want)
		}
	}
}
