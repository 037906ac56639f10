package capacity

import "math"

// Left is what is still to probe if it goes as it may be expected to: that the boundary
// lies in the middle of where it may be. It is the least where no rate broke yet, or
// none held: then nobody knows how far away the boundary is.
func (s Search) Left(probes []Probe) (steps []Step, least bool) {
	edge, least := s.edge(probes)
	all := append([]Probe{}, probes...)
	for {
		step, more := s.Next(all)
		if !more {
			return steps, least
		}
		p := Probe{Starts: step.Rate, Lengths: step.Lengths, Outcome: Held}
		if step.Rate > edge {
			p.Outcome = Broke
		}
		steps, all = append(steps, step), append(all, p)
	}
}

// edge is a rate that the boundary may be expected at; least where it may be far away.
func (s Search) edge(probes []Probe) (rate float64, least bool) {
	low, high := bounds(standings(probes))
	switch {
	case low != nil && high != nil:
		return math.Sqrt(low.rate * high.rate), false
	case low != nil:
		return low.rate, low.rate < s.Max
	case high != nil:
		return high.rate / climbBy, true
	}
	return min(s.From, s.Max), true
}
