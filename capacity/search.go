// Package capacity looks for the highest load that still meets the SLA: it says
// which rate to probe next, and what the probes made so far show. It runs
// nothing itself and is pure.
package capacity

import (
	"cmp"
	"math"
	"slices"
)

// Outcome is what a probe showed of its rate.
type Outcome string

// The outcomes. Only a pass is Held.
const (
	Held    Outcome = "held"
	Broke   Outcome = "broke"
	Unsure  Outcome = "unsure"  // too few turns to tell
	Invalid Outcome = "invalid" // the generator could not measure it
)

// Search is how to look. Rates are starts per second.
type Search struct {
	From, Max float64
	// Precision is how far apart the rate that holds and the one that does not may
	// be in the end, as a share.
	Precision float64
	// Confirm is how many probes at either must say the same.
	Confirm int
	// Most is how many probes may be made.
	Most int
	// Enough is how many starts a probe must have to tell anything, Length how many
	// it has at one a second.
	Enough, Length float64
}

// Step is the next probe: Lengths times as long as the shortest.
type Step struct {
	Rate    float64
	Lengths int
}

// Step sizes and bounds.
const (
	climbBy     = 2
	deepest     = 1.0 / 1024 // of From, where nothing holds
	mostLengths = 4
	walls       = 2 // invalid probes that are no accident
)

// standing is what all probes of one rate say.
type standing struct {
	rate                  float64
	held, not, invalid    int
	unsureAt, mostLengths int // lengths of the longest probe that could not tell, and of any
}

// opinion of a rate.
type opinion uint8

const (
	unknown opinion = iota
	holds
	breaks
	wall // the generator cannot measure it
)

func (s *standing) opinion() opinion {
	switch {
	case s.invalid >= walls && s.held <= s.not:
		return wall
	case s.held > s.not:
		return holds
	case s.not > s.held:
		return breaks
	}
	return unknown
}

// standings gives one a rate, in order.
func standings(probes []Probe) (out []standing) {
	for _, p := range probes {
		i, found := slices.BinarySearchFunc(out, p.Starts, func(s standing, r float64) int { return cmp.Compare(s.rate, r) })
		if !found {
			out = slices.Insert(out, i, standing{rate: p.Starts})
		}
		s := &out[i]
		s.mostLengths = max(s.mostLengths, p.Lengths)
		switch p.Outcome {
		case Held:
			s.held++
		case Broke:
			s.not++
		case Invalid:
			s.invalid++
		case Unsure:
			s.unsureAt = max(s.unsureAt, p.Lengths)
			// What cannot be seen to hold, looked at as long as may be, does not hold.
			if p.Lengths >= mostLengths {
				s.not++
			}
		}
	}
	return out
}

// bounds are the highest rate that holds and the lowest above it that does not;
// nil where there is none. A rate that holds above one that does not is chance,
// or worse, and counts for nothing.
func bounds(all []standing) (low, high *standing) {
	for i := range all {
		switch all[i].opinion() {
		case holds:
			low = &all[i]
		case breaks, wall:
			return low, &all[i]
		case unknown:
		}
	}
	return low, nil
}

// Next is the probe to make now; false when there is nothing left to find out.
func (s Search) Next(probes []Probe) (Step, bool) {
	if len(probes) >= s.Most {
		return Step{}, false
	}
	if len(probes) == 0 {
		return s.step(min(s.From, s.Max)), true
	}
	all := standings(probes)
	for i := range all {
		if all[i].opinion() == unknown {
			return s.again(&all[i]), true
		}
	}
	low, high := bounds(all)
	switch {
	case high == nil && low.rate < s.Max:
		return s.step(min(nice(low.rate*climbBy), s.Max)), true
	case high == nil:
		return s.again(low), low.held < s.Confirm
	case low == nil:
		rate := nice(high.rate / climbBy)
		return s.step(rate), rate >= s.From*deepest && rate < high.rate
	case high.rate > low.rate*(1+s.Precision):
		if rate := nice(math.Sqrt(high.rate * low.rate)); rate > low.rate && rate < high.rate {
			return s.step(rate), true
		}
	}
	switch {
	case low.held < s.Confirm:
		return s.again(low), true
	case high.not < s.Confirm && high.invalid < walls:
		return s.again(high), true
	}
	return Step{}, false
}

// again repeats a rate, twice as long where the last could not tell.
func (s Search) again(at *standing) Step {
	lengths := max(at.mostLengths, 1)
	if at.unsureAt == lengths {
		lengths *= 2
	}
	return Step{at.rate, min(lengths, mostLengths)}
}

// step probes a rate as long as it takes to have turns enough.
func (s Search) step(rate float64) Step {
	lengths := 1
	if s.Length > 0 && rate > 0 {
		lengths = max(lengths, int(math.Ceil(s.Enough/(rate*s.Length))))
	}
	return Step{rate, min(lengths, mostLengths)}
}

// nice rounds to four digits, so that a rate can be written down.
func nice(rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(rate))-3)
	return math.Round(rate/unit) * unit
}
