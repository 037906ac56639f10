package selftest

import (
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/cstest/cstest/reason"
)

// spacing compares, for every nth start, the time between arrivals at the server
// with the time between starts of the plan: the two-sample Kolmogorov–Smirnov
// statistic against its critical value at 1 %, 1.63·√(2/m) of two samples of m.
func spacing(pairs []pair, nth int) Check {
	var planned, seen []float64
	var arrived []time.Duration
	for i := 0; i < len(pairs); i += nth {
		if len(arrived) > 0 {
			planned = append(planned, float64(pairs[i].turn.Intended-pairs[i-nth].turn.Intended))
		}
		arrived = append(arrived, pairs[i].call.arrived)
	}
	slices.Sort(arrived)
	for i := 1; i < len(arrived); i++ {
		seen = append(seen, float64(arrived[i]-arrived[i-1]))
	}
	slices.Sort(planned)
	slices.Sort(seen)
	c := Check{Group: "release", What: reason.Say("distance of the times between arrivals from the plan's (KS, every %dth)", nth), Truth: reason.Say("0")}
	if len(planned) < 100 {
		c.Measured, c.Allowed = reason.Say("%d arrivals", len(arrived)), reason.Say("100 of them")
		return c
	}
	d := stat.KolmogorovSmirnov(planned, nil, seen, nil)
	critical := 1.63 * math.Sqrt(2/float64(len(planned)))
	c.Measured, c.Allowed, c.OK = reason.Say("%.4f", d), reason.Say("≤ %.4f", critical), d <= critical
	return c
}
