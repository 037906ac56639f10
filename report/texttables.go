package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

func (t *text) outages(d *result.Document) {
	w, a := t.words, d.Availability
	if a.Seconds.TotalS == 0 && len(a.Outages) == 0 {
		return
	}
	t.Heading(w.Outages)
	if a.Seconds.TotalS > 0 {
		t.Wrapped("", secondsLine(a.Seconds, w), "")
	}
	for i, o := range a.Outages {
		if i == 10 {
			t.Line(fmt.Sprintf("… +%d", len(a.Outages)-10))
			break
		}
		t.Line(escape.Fit(outageLine(o, w), t.Room()))
	}
}

// outageLine says when an outage was, how long, and why.
func outageLine(o result.Outage, w *words.Words) string {
	return w.OutageAt + " " + figure.Seconds(o.StartS) + w.Comma + w.Lasted + " " + figure.Seconds(o.LengthS) + w.Colon + w.Word(o.Cause)
}

func secondsLine(s result.Seconds, w *words.Words) string {
	out := fmt.Sprintf(w.SecondsF, figure.Whole(int64(s.BadS)), figure.Whole(int64(s.TotalS)), figure.Whole(int64(s.BudgetS)))
	if s.Scaled && s.BudgetPerHourS > 0 {
		out += w.Aside(fmt.Sprintf(w.ScaledF, unit.Figure(s.BudgetPerHourS)))
	}
	if s.UnknownS > 0 {
		out += " · " + w.Unavailable + w.Colon + figure.Whole(int64(s.UnknownS))
	}
	return out
}

// narrow is a terminal that has no room for every column.
func (t *text) narrow() bool { return t.Room() < 94 }

func (t *text) latency(d *result.Document) {
	w := t.words
	t.Heading(w.Latency)
	rows := [][]string{{"", w.N, w.Mean, "P50", "P90", "P95", "P99", "P99.9", w.Max}}
	all := latencyRows(d, w)
	table := quantileTable(quantilesIn(all))
	for i, r := range all {
		if t.narrow() && i < 3 {
			r.name = []string{w.ResponseShort, w.ServiceShort, w.FailedShort}[i]
		}
		rows = append(rows, append([]string{r.name}, texts(table[i])...))
	}
	if t.narrow() { // the mean tells least
		for i, row := range rows {
			rows[i] = slices.Delete(row, 2, 3)
		}
	}
	t.Table(rows)
	if note := needsNote(all, w); note != "" {
		t.Wrapped("", note, terminal.Dim)
	}
	t.Wrapped("", w.ReadNote, terminal.Dim)
}

type latencyRow struct {
	name, note string
	q          result.Quantiles
}

func latencyRows(d *result.Document, w *words.Words) []latencyRow {
	out := []latencyRow{
		{w.Response, w.ResponseNote, d.Latency.Response},
	}
	if j := d.Latency.Judged; j != nil {
		out = append(out, latencyRow{w.JudgedOnly, w.JudgedNote, *j})
	}
	out = append(out, latencyRow{w.Service, w.ServiceNote, d.Latency.Service}, latencyRow{w.FailedInfinite, w.FailedNote, d.Latency.FailedAsInfinite})
	for _, x := range []struct {
		name string
		q    *result.Quantiles
	}{{w.FirstReasoning, d.FirstReasoning}, {w.FirstToken, d.FirstToken}, {w.ChunkGap, d.ChunkGap}, {w.TokenTime, d.TokenTime}, {w.Connect, d.Connect}} {
		if x.q != nil {
			out = append(out, latencyRow{x.name, "", *x.q})
		}
	}
	return out
}

func (t *text) errors(d *result.Document) {
	w := t.words
	if len(d.Errors) == 0 && d.ErrorsMore == 0 {
		return
	}
	t.Heading(w.Errors)
	more := d.ErrorsMore
	for i, e := range d.Errors {
		if i >= 10 {
			more += e.Count
			continue
		}
		head := terminal.Pad(figure.Whole(e.Count), 9, true) + "  " + terminal.Pad(escape.Fit(w.Word(e.Outcome), 15), 15, false) + "  "
		tail := "  " + w.First + " " + figure.Seconds(e.FirstS)
		t.Line(head + terminal.Pad(escape.Fit(w.Word(e.Message), t.Room()-escape.Width(head)-escape.Width(tail)), t.Room()-escape.Width(head)-escape.Width(tail), false) + t.Paint(tail, terminal.Dim))
		if e.Sample != "" {
			t.Wrapped(strings.Repeat(" ", 11), e.Sample, terminal.Dim)
		}
	}
	if more > 0 {
		t.Line(t.Paint(fmt.Sprintf(w.MoreErrorsF, figure.Whole(more)), terminal.Dim))
	}
}

func (t *text) generator(d *result.Document) {
	w, g := t.words, d.Generator
	t.Heading(w.Generator)
	t.Wrapped("", strings.Join(generatorFacts(d, w), " · "), "")
	if rows := addressTable(d, w); rows != nil {
		t.Table(rows)
	}
	memory := memoryColumn(d.Processes)
	for _, p := range d.Processes {
		row := terminal.Pad(escape.Fit(p.Name, 20), 20, false) + terminal.Pad(w.CPU+" "+figure.Share(p.CPUShare), 12, true) + terminal.Pad(memory(unit.Size(p.MaxRSSBytes)), 12, true)
		if p.EndedS != nil {
			row += "  " + t.Paint(escape.Fit(fmt.Sprintf(w.EndedF, figure.Seconds(*p.EndedS))+" "+p.Exit, t.Room()-escape.Width(row)-2), terminal.Red)
		}
		t.Line(row)
	}
	for _, r := range g.Reasons {
		t.Wrapped("! ", r, terminal.Red)
	}
}

func generatorFacts(d *result.Document, w *words.Words) []string {
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
	out = append(out, connectionFacts(d, w)...)
	if d.Environment.SharedHost {
		out = append(out, w.SharedHost)
	}
	if l := d.LittlesLaw; l.RateTimesMean > 0 && l.InFlightMean > 0 {
		out = append(out, w.LittlesLaw+w.Colon+fmt.Sprintf(w.LittlesLawF, unit.Figure(l.InFlightMean), unit.Figure(l.RateTimesMean), figure.Share(math.Abs(l.ErrorShare))))
	}
	return out
}

func (t *text) warnings(d *result.Document) {
	notes := append([]string{}, d.Warnings...)
	if d.Target.Insecure {
		notes = append(notes, t.words.Insecure)
	}
	if len(notes) > 0 {
		t.Heading(t.words.Warnings)
	}
	for i, s := range notes {
		if i == 20 {
			t.Line(fmt.Sprintf("… +%d", len(notes)-20))
			break
		}
		t.Wrapped("! ", s, terminal.Yellow)
	}
	t.Line("")
}
