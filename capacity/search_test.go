package capacity

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cstest/cstest/reason"
)

// server answers a probe as one of a known capacity would, with a chance of a
// wrong answer near it.
func probeOf(step Step, outcome Outcome) Probe {
	turns := 3 * step.Rate
	return Probe{Starts: step.Rate, Lengths: step.Lengths, Turns: &turns, Outcome: outcome}
}

func searched(s Search, answer func(Step) Outcome) []Probe {
	var probes []Probe
	for {
		step, more := s.Next(probes)
		if !more {
			return probes
		}
		probes = append(probes, probeOf(step, answer(step)))
	}
}

var usual = Search{From: 5, Max: 1e6, Precision: 0.05, Confirm: 2, Most: 60}

func TestSearchFindsAKnownCapacity(t *testing.T) {
	for _, capacity := range []float64{0.3, 5, 7.3, 50, 499.9, 3600, 123456} {
		probes := searched(usual, func(s Step) Outcome {
			if s.Rate <= capacity {
				return Held
			}
			return Broke
		})
		r := Conclude(usual, probes, Asked{})
		if r.Holds == nil || r.Breaks == nil || !r.Sure || r.Verdict != "measured" || r.ExitCode != 0 {
			t.Fatalf("of %v: %+v", capacity, r)
		}
		if h, b := r.Holds.Starts, r.Breaks.Starts; h > capacity || b <= capacity || b > h*1.051 || r.Holds.Turns != 3*h || r.Holds.Probes < 2 || r.Breaks.Probes < 2 {
			t.Errorf("of %v: holds %+v, breaks %+v", capacity, r.Holds, r.Breaks)
		}
		if len(probes) > 32 {
			t.Errorf("of %v: %d probes", capacity, len(probes))
		}
	}
}

// One probe in ten lies. What is found is still seldom above the truth, and every
// search ends.
func TestSearchUnderNoise(t *testing.T) {
	const capacity = 400
	rng := rand.New(rand.NewPCG(3, 4))
	above := 0
	for range 500 {
		probes := searched(usual, func(s Step) Outcome {
			holds := s.Rate <= capacity
			if rng.Float64() < 0.1 {
				holds = !holds
			}
			if holds {
				return Held
			}
			return Broke
		})
		if r := Conclude(usual, probes, Asked{}); r.Sure && r.Holds.Starts > capacity*1.05 {
			above++
		}
	}
	if above > 25 {
		t.Errorf("%d of 500 searches are sure of more than the server holds", above)
	}
}

// Where the generator gives out, no capacity is claimed beyond what held.
func TestGeneratorIsNoCapacity(t *testing.T) {
	r := Conclude(usual, searched(usual, func(s Step) Outcome {
		if s.Rate <= 300 {
			return Held
		}
		return Invalid
	}), Asked{Need: 3600})
	if r.LimitedBy != "generator" || r.Breaks != nil || r.Holds.Starts > 300 || !r.Sure {
		t.Errorf("%+v", r)
	}
	if len(r.WarningCodes) != 2 || r.WarningCodes[0].Code != reason.GeneratorIsTheLimit || r.WarningCodes[1].Code != reason.Extrapolated {
		t.Errorf("%q", r.Warnings)
	}
	r = Conclude(usual, searched(usual, func(Step) Outcome { return Invalid }), Asked{})
	if r.Verdict != "invalid" || r.ExitCode != 12 || r.Holds != nil {
		t.Errorf("nothing measured: %+v", r)
	}
}

func TestOneInvalidProbeIsTriedAgain(t *testing.T) {
	n := 0
	probes := searched(usual, func(s Step) Outcome {
		if n++; n == 3 {
			return Invalid
		}
		if s.Rate <= 100 {
			return Held
		}
		return Broke
	})
	if probes[3].Starts != probes[2].Starts {
		t.Errorf("after %+v comes %+v", probes[2], probes[3])
	}
	if r := Conclude(usual, probes, Asked{}); r.LimitedBy != "sla" || r.Holds.Starts < 95 || r.Holds.Starts > 100 {
		t.Errorf("%+v", r)
	}
}

// What cannot be told is looked at longer, and is not held in the end.
func TestUnsureIsLookedAtLonger(t *testing.T) {
	probes := searched(usual, func(s Step) Outcome {
		switch {
		case s.Rate <= 30:
			return Held
		case s.Rate <= 60:
			return Unsure
		}
		return Broke
	})
	var lengths []int
	for _, p := range probes {
		if p.Starts == 40 {
			lengths = append(lengths, p.Lengths)
		}
	}
	if !reflect.DeepEqual(lengths, []int{1, 2, 4}) {
		t.Errorf("40/s is probed for %v lengths", lengths)
	}
	if r := Conclude(usual, probes, Asked{}); r.Holds.Starts > 30 || r.Breaks.Starts > 32 {
		t.Errorf("%+v, %+v", r.Holds, r.Breaks)
	}
	s := usual
	s.Enough, s.Length = 300, 10 // at 5/s a length gives 50
	if step, _ := s.Next(nil); step.Lengths != 4 {
		t.Errorf("the first probe has %d lengths", step.Lengths)
	}
}

func TestEndsOfASearch(t *testing.T) {
	held := func(Step) Outcome { return Held }
	s := usual
	s.Max = 33
	r := Conclude(s, searched(s, held), Asked{})
	if r.LimitedBy != "max" || r.Holds.Starts != 33 || r.Holds.Probes != 2 || !r.Sure || r.ExitCode != 0 {
		t.Errorf("all that was asked for holds: %+v", r)
	}
	r = Conclude(usual, searched(usual, func(Step) Outcome { return Broke }), Asked{})
	if r.LimitedBy != "nothing_held" || r.Verdict != "fail" || r.ExitCode != 10 {
		t.Errorf("nothing holds: %+v", r)
	}
	s = usual
	s.Most = 4
	if r = Conclude(s, searched(s, held), Asked{}); r.Sure || r.Verdict != "inconclusive" || r.ExitCode != 11 || len(r.Probes) != 4 {
		t.Errorf("too few probes: %+v", r)
	}
	if r = Conclude(usual, nil, Asked{}); r.ExitCode != 11 || r.Holds != nil {
		t.Errorf("no probe: %+v", r)
	}
}

// A rate that holds above one that does not is not the knee.
func TestMonotone(t *testing.T) {
	probes := []Probe{
		probeOf(Step{10, 1}, Held), probeOf(Step{10, 1}, Held), probeOf(Step{20, 1}, Broke), probeOf(Step{20, 1}, Broke), probeOf(Step{40, 1}, Held),
	}
	r := Conclude(usual, probes, Asked{})
	if r.Holds.Starts != 10 || r.Breaks.Starts != 20 || len(r.WarningCodes) != 1 || r.WarningCodes[0].Code != reason.HeldAbove {
		t.Errorf("%+v %+v %q", r.Holds, r.Breaks, r.Warnings)
	}
}

func TestReplicas(t *testing.T) {
	probes := searched(usual, func(s Step) Outcome {
		if s.Rate <= 400 {
			return Held
		}
		return Broke
	})
	one := 3 * Conclude(usual, probes, Asked{}).Holds.Starts
	for _, c := range []struct {
		asked    Asked
		replicas int
		code     int
	}{
		{Asked{Need: one}, 1, 0},
		{Asked{Need: 2.5 * one}, 3, 0},
		{Asked{Need: 3 * one, Headroom: 0.25}, 4, 0},
		{Asked{Need: 3 * one, Headroom: 0.25, Replicas: 4}, 4, 0},
		{Asked{Need: 3 * one, Headroom: 0.25, Replicas: 3}, 4, 10},
	} {
		if r := Conclude(usual, probes, c.asked); r.Need.Replicas != c.replicas || r.ExitCode != c.code {
			t.Errorf("%+v: %+v, exit %d", c.asked, r.Need, r.ExitCode)
		}
	}
}
