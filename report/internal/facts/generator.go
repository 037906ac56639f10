package facts

import (
	"fmt"
	"math"

	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// MemoryColumn shows the memory of processes in one unit.
func MemoryColumn(list []result.Process) func(unit.Size) string {
	column := make([]unit.Size, len(list))
	for i, p := range list {
		column[i] = unit.Size(p.MaxRSSBytes)
	}
	return unit.SizeColumn(column)
}

// Generator says how the machine that made the load fared.
func Generator(d *result.Document, w *words.Words) []string {
	g := d.Generator
	lag := figure.NotEnough
	if d.Counts.Turns >= result.QuantileNeeds(0.99) {
		lag = figure.Duration(g.LagP99Ns)
	}
	out := []string{w.LagP99 + " " + lag}
	if g.CPUUsPerTurn != nil {
		out = append(out, w.CPUPerTurn+" "+unit.Duration(*g.CPUUsPerTurn*1e3).Text())
	}
	// A run that was killed never told of its own processor and turns in flight.
	if g.MaxInFlight > 0 || g.MaxRSSBytes > 0 {
		out = append(out, w.MaxInFlight+" "+figure.Whole(g.MaxInFlight))
	}
	out = append(out, fmt.Sprintf(w.TaintedF, figure.Whole(int64(g.TaintedS))))
	if n := len(g.StarvedAtS); n > 0 {
		out = append(out, fmt.Sprintf(w.StarvedF, figure.Whole(int64(n))))
	}
	out = append(out, connections(d, w)...)
	if d.Environment.SharedHost {
		out = append(out, w.SharedHost)
	}
	if l := d.LittlesLaw; l.RateTimesMean > 0 && l.InFlightMean > 0 {
		out = append(out, w.LittlesLaw+w.Colon+fmt.Sprintf(w.LittlesLawF, unit.Figure(l.InFlightMean), unit.Figure(l.RateTimesMean), figure.Share(math.Abs(l.ErrorShare))))
	}
	return out
}
