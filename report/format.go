package report

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// memoryColumn shows the memory of processes in one unit.
func memoryColumn(list []result.Process) func(unit.Size) string {
	column := make([]unit.Size, len(list))
	for i, p := range list {
		column[i] = unit.Size(p.MaxRSSBytes)
	}
	return unit.SizeColumn(column)
}

func optionalSeconds(s *float64, none string) string {
	if s == nil {
		return none
	}
	return figure.Seconds(*s)
}

// needsNote says how many samples the quantiles take that are n/a in a table,
// "" when none is.
func needsNote(rows []latencyRow, w *words.Words) string {
	var out []string
	table := quantileTable(quantilesIn(rows))
	for i, at := range []float64{.5, .9, .95, .99, .999} {
		for _, cells := range table {
			if cells[i+2].Text == figure.NotEnough {
				out = append(out, fmt.Sprintf("P%s: %s", strconv.FormatFloat(at*100, 'f', -1, 64), figure.Whole(result.QuantileNeeds(at))))
				break
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return figure.NotEnough + " – " + w.Needs + " " + strings.Join(out, ", ")
}

// timeOfDay prints when the run began.
func timeOfDay(d *result.Document) string {
	t := d.Started()
	if t.IsZero() {
		return escape.Clean(d.StartedAt)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
