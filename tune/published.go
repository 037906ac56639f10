package tune

import (
	"time"

	"github.com/cstest/cstest/sla"
)

// Published is what somebody else says of a variant, beside what was measured
// here, both held against Little's law. Measured is null where nothing was.
type Published struct {
	Variant  string `json:"variant"`
	Name     string `json:"name"` // theirs
	Claimed  Law    `json:"claimed"`
	Measured *Law   `json:"measured"`
}

// Law is a row of figures held against Little's law. P99Ns and CPU are null
// where they are not known; CPU is a share of their machine, or of all cores of
// this one.
type Law struct {
	Users    int      `json:"users"`
	MeanNs   int64    `json:"mean_ns"`
	P99Ns    *int64   `json:"p99_ns"`
	Rate     float64  `json:"turns_per_s"`
	CPU      *float64 `json:"cpu"`
	InFlight float64  `json:"in_flight"` // rate x mean
	Possible bool     `json:"possible"`  // no more than there are users
}

// Beside puts what was published of the variants, in their order, beside what
// e measured of them with so many users on so many cores.
func (e *Experiment) Beside(claims []sla.Claim, users, cores int) {
	e.Published = []Published{}
	for i, c := range claims {
		if i >= len(e.Arms) || e.Arms[i].Control {
			break
		}
		p := Published{Variant: e.Arms[i].Name, Name: c.Name.String(), Claimed: lawOf(c)}
		if mean, rate := e.median(i, "mean"), e.median(i, "turns"); mean != nil && rate != nil {
			own := sla.Claim{Users: users, Rate: *rate, Mean: time.Duration(*mean)}
			if p99 := e.median(i, "P99"); p99 != nil {
				own.P99 = time.Duration(*p99)
			}
			if cpu := e.median(i, "target CPU per turn"); cpu != nil && cores > 0 {
				own.CPU = *cpu / 1e6 * own.Rate / float64(cores)
			}
			p.Measured = new(lawOf(own))
		}
		e.Published = append(e.Published, p)
	}
}

func lawOf(c sla.Claim) Law {
	a := sla.Audit(c)
	l := Law{Users: c.Users, MeanNs: c.Mean.Nanoseconds(), Rate: c.Rate, InFlight: a.InFlight, Possible: a.Possible}
	if c.P99 > 0 {
		l.P99Ns = new(c.P99.Nanoseconds())
	}
	if c.CPU > 0 {
		l.CPU = &c.CPU
	}
	return l
}

// median is the figure of an arm, nil when it is not known.
func (e *Experiment) median(arm int, metric string) *float64 {
	for _, f := range e.Arms[arm].Figures {
		if f.Metric == metric {
			return f.Median
		}
	}
	return nil
}
