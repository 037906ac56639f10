package facts

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// Needs says how many samples the quantiles take that are n/a in a table,
// "" when none is.
func Needs(rows []Latency, w *words.Words) string {
	var out []string
	table := LatencyTable(rows)
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

// span says the unit once where both ends have the same.
func span(from, to string) string {
	value, unit, _ := strings.Cut(from, " ")
	if _, other, _ := strings.Cut(to, " "); unit == other {
		from = value
	}
	return from + " – " + to
}

// Cell is a figure and the bounds under it.
type Cell struct{ Text, Under string }

// QuantileTable has a row for each of list: n, mean, P50 … P99.9 and max, with
// the bounds of the quantiles under them. A column is in one unit.
func QuantileTable(list []result.Quantiles) [][]Cell {
	out := make([][]Cell, len(list))
	for i, q := range list {
		out[i] = []Cell{{Text: figure.Whole(q.N)}}
	}
	for _, column := range quantileColumns() {
		var all []unit.Duration
		for i := range list {
			if v := column.of(&list[i]); v != nil {
				all = append(all, unit.Duration(*v))
			}
		}
		show := unit.DurationColumn(all)
		for i := range list {
			out[i] = append(out[i], column.cell(&list[i], show))
		}
	}
	return out
}

// quantileColumn is a figure of Quantiles: at says which quantile, 0 the mean and
// 1 the largest.
type quantileColumn struct {
	at     float64
	of     func(*result.Quantiles) *int64
	bounds func(*result.Quantiles) *[2]*int64
}

func quantileColumns() []quantileColumn {
	none := func(*result.Quantiles) *[2]*int64 { return nil }
	return []quantileColumn{
		{0, func(q *result.Quantiles) *int64 { return q.MeanNs }, none},
		{.5, func(q *result.Quantiles) *int64 { return q.P50Ns }, func(q *result.Quantiles) *[2]*int64 { return q.P50BoundsNs }},
		{.9, func(q *result.Quantiles) *int64 { return q.P90Ns }, func(q *result.Quantiles) *[2]*int64 { return q.P90BoundsNs }},
		{.95, func(q *result.Quantiles) *int64 { return q.P95Ns }, func(q *result.Quantiles) *[2]*int64 { return q.P95BoundsNs }},
		{.99, func(q *result.Quantiles) *int64 { return q.P99Ns }, func(q *result.Quantiles) *[2]*int64 { return q.P99BoundsNs }},
		{.999, func(q *result.Quantiles) *int64 { return q.P999Ns }, func(q *result.Quantiles) *[2]*int64 { return q.P999BoundsNs }},
		{1, func(q *result.Quantiles) *int64 { return q.MaxNs }, none},
	}
}

// cell is the figure as text: ∞ where failures reach it, n/a with too few samples.
func (c quantileColumn) cell(q *result.Quantiles, show func(unit.Duration) string) (cell Cell) {
	v := c.of(q)
	switch {
	case v != nil:
		cell.Text = show(unit.Duration(*v))
	case q.N == 0:
		cell.Text = "–"
	case c.at == 0 || c.at == 1 || c.at > q.FiniteShare && q.N >= result.QuantileNeeds(c.at):
		cell.Text = "∞"
	default:
		cell.Text = figure.NotEnough
	}
	if b := c.bounds(q); b != nil && b[0] != nil {
		upper := "∞"
		if b[1] != nil {
			upper = show(unit.Duration(*b[1]))
		}
		cell.Under = span(show(unit.Duration(*b[0])), upper)
	}
	return cell
}

// LatencyTable has a row for each of rows.
func LatencyTable(rows []Latency) [][]Cell {
	list := make([]result.Quantiles, len(rows))
	for i, r := range rows {
		list[i] = r.Quantiles
	}
	return QuantileTable(list)
}

// Texts are the figures of a row.
func Texts(cells []Cell) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c.Text
	}
	return out
}
