package experiments

import (
	"fmt"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/tune"
	"github.com/cstest/cstest/unit"
)

// published has two rows for every variant that others have figures of: theirs
// and ours, each with what Little's law says of it. Empty where there are none.
func (v *view) published() [][]string {
	if len(v.e.Published) == 0 {
		return nil
	}
	rows := [][]string{{v.t.Variant, "", v.w.Mean, "P99", v.t.Rate, v.t.CPU, v.w.LittlesLaw}}
	for _, p := range v.e.Published {
		rows = append(rows, append([]string{escape.Clean(p.Variant), v.t.Claimed}, v.law(&p.Claimed)...))
		if p.Measured != nil {
			rows = append(rows, append([]string{"", v.t.Measured}, v.law(p.Measured)...))
		}
	}
	return rows
}

func (v *view) law(l *tune.Law) []string {
	cells := []string{figure.Duration(l.MeanNs), "–", unit.Rate(l.Rate).Text(), "–", v.t.Possible}
	if l.P99Ns != nil {
		cells[1] = figure.Duration(*l.P99Ns)
	}
	if l.CPU != nil {
		cells[3] = figure.Share(*l.CPU)
	}
	if !l.Possible {
		cells[4] = fmt.Sprintf(v.t.ImpossibleF, unit.Figure(l.InFlight), figure.Whole(int64(l.Users)))
	}
	return cells
}
