package tui

import (
	"cmp"
	"slices"

	"github.com/cstest/cstest/sla"
)

// CapacityFrame is a search for the highest load at one instant: all that is shown of
// it. It is a plain value, as Frame is, and what it points to must not be changed after
// it was handed over. Texts may be hostile; they are escaped here.
type CapacityFrame struct {
	Series

	// Holds is the highest rate that was seen to hold, Breaks the lowest above it that
	// was seen not to, in starts a second; 0 where there is none. Precision is how far
	// apart they may be in the end, as a share.
	Holds, Breaks, Precision float64
	// Asked is the rate of the probe under way.
	Asked float64
	// Probes were made, in that order.
	Probes []ProbeLine
}

// ProbeLine is what one probe showed. A figure that is not known is no number; a P99 is
// infinite where so many turns failed that no time holds 99 %.
type ProbeLine struct {
	Starts, Turns float64 // a second
	P99           float64 // in ns
	Bad           float64 // share
	// Outcome is Pass where the rate held, Fail where it broke, Inconclusive where too
	// few turns told, and NotVerified where the generator could not measure it; Verdict
	// is the word for it, Broke what was not met or ran out.
	Outcome        sla.Verdict
	Verdict, Broke string
}

// Capacity is the live view of a search. Its methods are safe for concurrent use; Run is
// called once.
type Capacity struct {
	*display
	*seriesFeed[CapacityFrame]
}

// NewCapacity makes the view of a search; the scenario of the options is that of its
// probes, but for the load. Nothing is drawn before Run.
func NewCapacity(opts Options) *Capacity {
	d := newSeriesFeed[CapacityFrame]()
	return &Capacity{newDisplay(&opts, newCapacityModel(opts, d), &d.mailbox), d}
}

// capacityModel draws a search: the boundary so far, probes, and the probe under way.
type capacityModel struct{ seriesModel[CapacityFrame] }

func newCapacityModel(opts Options, d *seriesFeed[CapacityFrame]) *capacityModel {
	m := &capacityModel{newSeriesModel(opts, d)}
	m.subject, m.pages, m.keyHelp = m, m.words.capacityPages[:], m.words.capacityHelp
	m.draw()
	return m
}

// numbered is a probe with its number, from 1.
type numbered struct {
	ProbeLine
	n int
}

// byLoad are the probes from the least load to the most, those of one rate as they were made.
func (m *capacityModel) byLoad() []numbered {
	out := make([]numbered, len(m.frame.Probes))
	for i, p := range m.frame.Probes {
		out[i] = numbered{p, i + 1}
	}
	slices.SortStableFunc(out, func(a, b numbered) int { return cmp.Compare(a.Starts, b.Starts) })
	return out
}
