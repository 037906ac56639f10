package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// What the Document has as plain numbers, as unit shows it.

func duration(ns int64) string { return unit.Duration(ns).Text() }

func seconds(s float64) string { return unit.Duration(math.Round(s * 1e9)).Text() }

func share(v float64) string { return unit.Share(v).Text() }

func whole(n int64) string { return unit.Count(n).Text() }

func size(n int64) string { return unit.Size(n).Text() }

// memoryColumn shows the memory of processes in one unit.
func memoryColumn(list []result.Process) func(unit.Size) string {
	column := make([]unit.Size, len(list))
	for i, p := range list {
		column[i] = unit.Size(p.MaxRSSBytes)
	}
	return unit.SizeColumn(column)
}

// startedText prints an instant as tune.json and capacity.json have it.
func startedText(rfc3339 string) string {
	t, err := time.Parse(time.RFC3339Nano, rfc3339)
	if err != nil {
		return escape.Clean(rfc3339)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func optionalSeconds(s *float64, none string) string {
	if s == nil {
		return none
	}
	return seconds(*s)
}

// quantity prints a figure of an objective in its unit.
func quantity(v *float64, in string, w *words.Words) string {
	if v == nil {
		return w.Unknown
	}
	switch in {
	case "share":
		return share(*v)
	case "ns":
		return duration(int64(*v))
	case "s":
		return seconds(*v)
	}
	if *v == math.Trunc(*v) && math.Abs(*v) < 1e15 {
		return whole(int64(*v))
	}
	return unit.Figure(*v)
}

// needsNote says how many samples the quantiles take that are n/a in a table,
// "" when none is.
func needsNote(rows []latencyRow, w *words.Words) string {
	var out []string
	table := quantileTable(quantilesIn(rows))
	for i, at := range []float64{.5, .9, .95, .99, .999} {
		for _, cells := range table {
			if cells[i+2].Text == notEnough {
				out = append(out, fmt.Sprintf("P%s: %s", strconv.FormatFloat(at*100, 'f', -1, 64), whole(result.QuantileNeeds(at))))
				break
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return notEnough + " – " + w.Needs + " " + strings.Join(out, ", ")
}

// timeOfDay prints when the run began.
func timeOfDay(d *result.Document) string {
	t := d.Started()
	if t.IsZero() {
		return escape.Clean(d.StartedAt)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// allowed is what an objective allows in its unit: its limit when that is a
// time, else its target.
func allowed(o result.Objective) *float64 {
	if o.LimitNs == nil {
		return o.Target
	}
	v := float64(*o.LimitNs)
	switch o.Unit {
	case "ns":
		return &v
	case "s":
		v /= 1e9
		return &v
	}
	return o.Target
}
