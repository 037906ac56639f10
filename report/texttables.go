package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/terminal"
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
		t.Wrapped("", facts.Seconds(a.Seconds, w), "")
	}
	for i, o := range a.Outages {
		if i == 10 {
			t.Line(fmt.Sprintf("… +%d", len(a.Outages)-10))
			break
		}
		t.Line(escape.Fit(facts.Outage(o, w), t.Room()))
	}
}

// narrow is a terminal that has no room for every column.
func (t *text) narrow() bool { return t.Room() < 94 }

func (t *text) latency(d *result.Document) {
	w := t.words
	t.Heading(w.Latency)
	rows := [][]string{{"", w.N, w.Mean, "P50", "P90", "P95", "P99", "P99.9", w.Max}}
	all := facts.Latencies(d, w)
	table := facts.LatencyTable(all)
	for i, r := range all {
		if t.narrow() && i < 3 {
			r.Name = []string{w.ResponseShort, w.ServiceShort, w.FailedShort}[i]
		}
		rows = append(rows, append([]string{r.Name}, facts.Texts(table[i])...))
	}
	if t.narrow() { // the mean tells least
		for i, row := range rows {
			rows[i] = slices.Delete(row, 2, 3)
		}
	}
	t.Table(rows)
	if note := facts.Needs(all, w); note != "" {
		t.Wrapped("", note, terminal.Dim)
	}
	t.Wrapped("", w.ReadNote, terminal.Dim)
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
	t.Wrapped("", strings.Join(facts.Generator(d, w), " · "), "")
	if rows := facts.Addresses(d, w); rows != nil {
		t.Table(rows)
	}
	memory := facts.MemoryColumn(d.Processes)
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

// breakdowns prints them all; only those who ask for details get so many.
func (t *text) breakdowns(d *result.Document) {
	b := facts.Breakdowns(d, t.words)
	all := b.Rows
	if len(all) == 0 {
		return
	}
	t.Heading(b.Title)
	rows := [][]string{{"", t.words.N, "P50", "P90", "P95", "P99", "P99.9"}}
	for i, cells := range facts.LatencyTable(all) {
		c := facts.Texts(cells)
		rows = append(rows, append([]string{all[i].Name, c[0]}, c[2:7]...))
	}
	t.Table(rows)
	if note := facts.Needs(all, t.words); note != "" {
		t.Wrapped("", note, terminal.Dim)
	}
	t.Wrapped("", b.Note, terminal.Dim)
}

// client shows every finding, what was found with its sentence, and with detail all of them.
func (t *text) client(d *result.Document, detail bool) {
	v := facts.Client(d, t.words)
	if v == nil {
		return
	}
	t.Heading(v.Title)
	t.Wrapped("", v.Note, terminal.Dim)
	rows := [][]string{v.Head}
	for _, r := range v.Rows {
		rows = append(rows, r.Cells)
	}
	widths := terminal.Columns(rows, t.Room(), 0)
	for i, row := range rows {
		cells := []string{terminal.Pad(escape.Fit(row[0], widths[0]), widths[0], false), terminal.Pad(row[1], widths[1], false)}
		for c := 2; c < len(row); c++ {
			cells = append(cells, terminal.Pad(row[c], widths[c], true))
		}
		if i == 0 {
			t.Line(t.Paint(strings.Join(cells, "  "), terminal.Dim))
			continue
		}
		_, sgr := terminal.Mark(v.Rows[i-1].Class)
		cells[1] = t.Paint(cells[1], sgr)
		t.Line(strings.Join(cells, "  "))
		r := v.Rows[i-1]
		if r.State == "found" || detail {
			t.Wrapped("    ", r.Text, terminal.Dim)
		}
		if r.State == "found" && r.Examples != "" {
			t.Wrapped("    ", r.Examples, terminal.Dim)
		}
	}
	if v.Untied != "" && !detail {
		t.Wrapped("", v.Untied, terminal.Yellow)
	}
}

func (t *text) observed(d *result.Document) {
	if rows := facts.Observed(d, t.words); rows != nil {
		t.Heading(rows[0][0])
		rows[0][0] = ""
		t.Table(rows)
	}
}

func (t *text) slowest(d *result.Document) {
	v := facts.Slowest(d, t.words)
	if v == nil {
		return
	}
	t.Heading(v.Title)
	t.Wrapped("", d.Slowest.Text, "")
	t.Table(append([][]string{v.Head}, v.Rows...))
}

func (t *text) usage(d *result.Document) {
	rows := facts.Usage(d, t.words)
	if rows == nil {
		return
	}
	t.Heading(rows[0][0])
	if d.Usage.Told > 0 {
		rows[0][0] = ""
		t.Table(rows)
	}
	t.Wrapped("", facts.UsageNote(d, t.words), "")
}
