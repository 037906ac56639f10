package histograms

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// WriteJSON writes a histogram log as indented JSON.
func WriteJSON(doc *result.Log, w io.Writer) error {
	return escape.JSON("histogram log", doc, w)
}

// WriteText prints a histogram log as text, a line a tag. The tag comes last: it
// may be of any width.
func WriteText(doc *result.Log, w io.Writer) error {
	head := "  " + escape.Clean(doc.File)
	if doc.StartedAt != nil {
		head += " · from " + doc.StartedAt.Format(time.RFC3339)
	}
	fmt.Fprintf(w, "%s\n\n", head)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "  n\tmean\tP50\tP90\tP95\tP99\tP99.9\tmax\t  tag")
	short := false
	columns := logColumns(doc)
	for i := range doc.Series {
		r := &doc.Series[i]
		tag := r.Tag
		if tag == "" {
			tag = "(none)"
		}
		fmt.Fprintf(tw, "  %s\t", figure.Whole(r.N))
		for k, v := range logFigures(r) {
			short = short || v == nil
			text := figure.NotEnough
			if v != nil {
				text = columns[k](unit.Duration(*v))
			}
			fmt.Fprintf(tw, "%s\t", text)
		}
		fmt.Fprintf(tw, "  %s\n", escape.Clean(tag))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, "\n  nearest rank; a value is the upper edge of its bucket\n")
	if short {
		fmt.Fprintf(w, "  n/a: too few values (a P99 takes %d, a P99.9 %s)\n", result.QuantileNeeds(0.99), figure.Whole(result.QuantileNeeds(0.999)))
	}
	return nil
}

// logFigures are the columns of a row.
func logFigures(r *result.LogSeries) []*int64 {
	return []*int64{r.MeanNs, r.P50Ns, r.P90Ns, r.P95Ns, r.P99Ns, r.P999Ns, r.MaxNs}
}

// logColumns shows the figures, those of a column in one unit.
func logColumns(doc *result.Log) []func(unit.Duration) string {
	columns := make([][]unit.Duration, len(logFigures(&result.LogSeries{})))
	for i := range doc.Series {
		for k, v := range logFigures(&doc.Series[i]) {
			if v != nil {
				columns[k] = append(columns[k], unit.Duration(*v))
			}
		}
	}
	out := make([]func(unit.Duration) string, len(columns))
	for k, column := range columns {
		out[k] = unit.DurationColumn(column)
	}
	return out
}
