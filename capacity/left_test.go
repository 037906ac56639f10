package capacity

import (
	"math"
	"testing"
)

// What is said to be left is what comes, once both sides of the boundary are known.
func TestLeftIsWhatComes(t *testing.T) {
	s := Search{From: 20, Max: 1e5, Precision: 0.05, Confirm: 2, Most: 40}
	for _, knee := range []float64{7, 33, 383, 1150, 90_000} {
		var probes []Probe
		var foretold []int
		for {
			left, least := s.Left(probes)
			step, more := s.Next(probes)
			if more != (len(left) > 0) || more && left[0] != step {
				t.Fatalf("knee %v after %d probes: %v is foretold, %v is next", knee, len(probes), left, step)
			}
			if !more {
				break
			}
			if !least {
				foretold = append(foretold, len(probes)+len(left))
			}
			p := Probe{Starts: step.Rate, Lengths: step.Lengths, Outcome: Held}
			if step.Rate > knee {
				p.Outcome = Broke
			}
			probes = append(probes, p)
		}
		if len(foretold) == 0 {
			t.Fatalf("knee %v: nothing was foretold", knee)
		}
		for _, n := range foretold {
			if math.Abs(float64(n-len(probes))) > 2 {
				t.Errorf("knee %v: %d probes, foretold %v", knee, len(probes), foretold)
			}
		}
	}
}

// Nobody knows how far a search must climb: it is said to be the least.
func TestLeftIsTheLeastUntilSomethingBroke(t *testing.T) {
	s := Search{From: 20, Max: 1e5, Precision: 0.05, Confirm: 2, Most: 40}
	held := []Probe{{Starts: 20, Lengths: 1, Outcome: Held}, {Starts: 40, Lengths: 1, Outcome: Held}}
	for _, c := range []struct {
		name   string
		probes []Probe
		least  bool
	}{
		{"nothing", nil, true},
		{"it climbs", held, true},
		{"it falls", []Probe{{Starts: 20, Lengths: 1, Outcome: Broke}}, true},
		{"between", append(held[:2:2], Probe{Starts: 80, Lengths: 1, Outcome: Broke}), false},
	} {
		if left, least := s.Left(c.probes); least != c.least || len(left) == 0 {
			t.Errorf("%s: %d probes left, the least: %t", c.name, len(left), least)
		}
	}
	s.Max = 40
	if left, least := s.Left(held); least || len(left) != 1 {
		t.Errorf("at the most that is asked for: %v, the least: %t", left, least)
	}
}
