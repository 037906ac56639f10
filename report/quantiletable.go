package report

import (
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// cellText is a figure and the bounds under it.
type cellText struct{ Text, Under string }

// quantileTable has a row for each of list: n, mean, P50 … P99.9 and max, with
// the bounds of the quantiles under them. A column is in one unit.
func quantileTable(list []result.Quantiles) [][]cellText {
	out := make([][]cellText, len(list))
	for i, q := range list {
		out[i] = []cellText{{Text: figure.Whole(q.N)}}
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
func (c quantileColumn) cell(q *result.Quantiles, show func(unit.Duration) string) (cell cellText) {
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

func quantilesIn(rows []latencyRow) []result.Quantiles {
	out := make([]result.Quantiles, len(rows))
	for i, r := range rows {
		out[i] = r.q
	}
	return out
}

// texts are the figures of a row.
func texts(cells []cellText) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = c.Text
	}
	return out
}
