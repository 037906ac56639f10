package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// logUnits are what the values of a log may count; the log does not say.
var logUnits = map[string]time.Duration{"": time.Nanosecond, "ns": time.Nanosecond, "us": time.Microsecond, "ms": time.Millisecond}

// logRow is one tag of a histogram log, named as in result.json.
type logRow struct {
	Tag       string  `json:"tag"`
	Intervals int     `json:"intervals"`
	FromS     float64 `json:"from_s"`
	ToS       float64 `json:"to_s"`
	N         int64   `json:"n"`
	MeanNs    *int64  `json:"mean_ns"`
	P50Ns     *int64  `json:"p50_ns"`
	P90Ns     *int64  `json:"p90_ns"`
	P95Ns     *int64  `json:"p95_ns"`
	P99Ns     *int64  `json:"p99_ns"`
	P999Ns    *int64  `json:"p999_ns"`
	MaxNs     *int64  `json:"max_ns"`
}

type logReport struct {
	File      string     `json:"file"`
	StartedAt *time.Time `json:"started_at"`
	Series    []logRow   `json:"series"`
}

// isLog tells a histogram log from a result: it is a file.
func isLog(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && filepath.Base(path) != result.DocumentFile
}

// reportLog prints the histogram log at path, of cstest or any other tool.
func reportLog(s streams, o reportOptions, path string) error {
	counts, ok := logUnits[o.unit]
	if !ok {
		return usagef("--unit %q: want ns, us or ms", o.unit)
	}
	if o.format != "text" && o.format != "json" {
		return usagef("--format %s is for a result's directory; a histogram log is printed as text or json", report.Clean(o.format))
	}
	f, err := os.Open(path)
	if err != nil {
		return usageError{err}
	}
	defer f.Close()
	log, err := measure.ReadLog(f, counts)
	if err != nil {
		return usagef("%s: %s", report.Clean(path), report.Clean(err.Error()))
	}
	doc := logReport{File: filepath.Base(path), Series: make([]logRow, len(log.Series))}
	if !log.Start.IsZero() {
		doc.StartedAt = &log.Start
	}
	for i := range log.Series {
		doc.Series[i] = newLogRow(&log.Series[i])
	}
	return o.to(s.out, func(w io.Writer) error {
		if o.format == "json" {
			enc := json.NewEncoder(w)
			enc.SetIndent("", "  ")
			return enc.Encode(doc)
		}
		return writeLogText(w, &doc)
	})
}

func newLogRow(s *measure.LogSeries) logRow {
	r := logRow{Tag: s.Tag, Intervals: s.Intervals, FromS: s.From.Seconds(), ToS: s.To.Seconds(), N: s.N()}
	for _, q := range []struct {
		q  float64
		to **int64
	}{{0.5, &r.P50Ns}, {0.9, &r.P90Ns}, {0.95, &r.P95Ns}, {0.99, &r.P99Ns}, {0.999, &r.P999Ns}} {
		// As in a result: no percentile without the samples for a 95 % interval.
		if s.N() >= sla.QuantileNeeds(q.q, 0.95) {
			*q.to = nanoseconds(s.Quantile(q.q))
		}
	}
	r.MeanNs, r.MaxNs = nanoseconds(s.Mean()), nanoseconds(s.Max())
	return r
}

func nanoseconds(d time.Duration, ok bool) *int64 {
	if !ok {
		return nil
	}
	ns := int64(d)
	return &ns
}

// writeLogText prints a line a tag. The tag comes last: it may be of any width.
func writeLogText(w io.Writer, doc *logReport) error {
	head := "  " + report.Clean(doc.File)
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
		fmt.Fprintf(tw, "  %s\t", unit.Count(r.N).Text())
		for k, v := range r.figures() {
			short = short || v == nil
			text := "n/a"
			if v != nil {
				text = columns[k](unit.Duration(*v))
			}
			fmt.Fprintf(tw, "%s\t", text)
		}
		fmt.Fprintf(tw, "  %s\n", report.Clean(tag))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, "\n  nearest rank; a value is the upper edge of its bucket\n")
	if short {
		fmt.Fprintf(w, "  n/a: too few values (a P99 takes %d, a P99.9 %s)\n", sla.QuantileNeeds(0.99, 0.95), unit.Count(sla.QuantileNeeds(0.999, 0.95)).Text())
	}
	return nil
}

// figures are the columns of a row.
func (r *logRow) figures() []*int64 {
	return []*int64{r.MeanNs, r.P50Ns, r.P90Ns, r.P95Ns, r.P99Ns, r.P999Ns, r.MaxNs}
}

// logColumns shows the figures, those of a column in one unit.
func logColumns(doc *logReport) []func(unit.Duration) string {
	columns := make([][]unit.Duration, len((&logRow{}).figures()))
	for i := range doc.Series {
		for k, v := range doc.Series[i].figures() {
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
