package sla

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// A simulated run of turns that are exactly as good as the target is called
// failing in at most 5 % of runs, and passing in at most 5 %.
func TestFalseVerdicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 7))
	const runs, n = 1000, 5000
	// 5 % and three standard deviations of the simulation.
	most := 0.05*runs + 3*math.Sqrt(runs*0.05*0.95)
	for _, c := range []struct {
		name  string
		turns int
		draw  func(bad func() bool) []bool
	}{
		{"independent turns", 1, func(bad func() bool) []bool { return []bool{bad()} }},
		{"dialogs good or bad as a whole", 3, func(bad func() bool) []bool { b := bad(); return []bool{b, b, b} }},
		{"turns that take after the one before", 3, func(bad func() bool) []bool {
			list := []bool{bad()}
			for range 2 {
				// AR(1): with probability 0.6 the same as before, else drawn anew.
				if rng.Float64() < 0.6 {
					list = append(list, list[len(list)-1])
				} else {
					list = append(list, bad())
				}
			}
			return list
		}},
	} {
		failed, passed := 0, 0
		for range runs {
			var bad, total int64
			for total < n {
				for _, b := range c.draw(func() bool { return rng.Float64() < 0.01 }) {
					total++
					if b {
						bad++
					}
				}
			}
			switch Infer(bad, total, 0.01, 0.95, float64(c.turns)) {
			case Fail:
				failed++
			case Pass:
				passed++
			}
		}
		if float64(failed) > most || float64(passed) > most {
			t.Errorf("%s, exactly at the target: %d of %d fail, %d pass; at most %.0f should", c.name, failed, runs, passed, most)
		}
	}
}

// The interval of a quantile holds the true one at least as often as it says.
func TestQuantileIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 9))
	const runs, n = 400, 1000
	held := 0
	for range runs {
		h := measure.NewHistogram()
		for range n {
			h.Record(time.Duration(rng.ExpFloat64() * float64(100*ms)))
		}
		i := QuantileInterval(h, 0.99, 0.95, 1)
		truth := time.Duration(-math.Log(0.01) * float64(100*ms))
		if i.Lower <= truth && truth <= i.Upper {
			held++
		}
	}
	if least := 0.95*runs - 3*math.Sqrt(runs*0.05*0.95); float64(held) < least {
		t.Errorf("the interval held the quantile in %d of %d runs, want at least %.0f", held, runs, least)
	}
}
