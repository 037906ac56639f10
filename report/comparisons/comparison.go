// Package comparisons tells how one result differs from another.
package comparisons

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// WriteText prints a comparison for a terminal or a log, the verdict first.
func WriteText(c *result.Comparison, out io.Writer, opts terminal.Options) error {
	t := terminal.New(out, opts)
	w := words.In(opts.Lang)
	mark, sgr := "?", terminal.Yellow
	switch c.Verdict {
	case "worse":
		mark, sgr = "✗", terminal.Red
	case "better", "equivalent":
		mark, sgr = "✓", terminal.Green
	}
	t.Line("")
	t.Line(t.Paint(mark+" "+strings.ToUpper(w.Word(c.Verdict)), terminal.Bold+";"+sgr))
	for _, r := range sides(c, w) {
		t.Line(escape.Fit(r.side+"  "+r.Scenario+" · "+r.RunID+" · "+w.Word(r.Verdict), t.Room()))
	}
	if !c.NoiseKnown {
		t.Wrapped("! ", w.NoiseUnknown, terminal.Yellow)
	}
	for _, a := range words.Texts(c.Advice, c.AdviceCodes, w.Lang) {
		t.Wrapped("→ ", a, terminal.Yellow)
	}
	if len(c.Differences) > 0 {
		t.Heading(w.Compare)
		t.Table(rowsOf(c, w))
	}
	if len(c.Objectives) > 0 {
		t.Heading(w.Objectives)
		for _, o := range c.Objectives {
			t.Line(escape.Fit(o.Name+w.Colon+w.Word(o.A)+" → "+w.Word(o.B), t.Room()))
		}
	}
	for i, n := range words.Texts(c.Notes, c.NoteCodes, w.Lang) {
		if i == 0 {
			t.Line("")
		}
		t.Wrapped("- ", n, terminal.Dim)
	}
	t.Line("")
	return t.Flush()
}

// comparedRun is a run and the side it stands on, in words.
type comparedRun struct {
	side string
	result.RunRef
}

func sides(c *result.Comparison, w *words.Words) (out []comparedRun) {
	for _, r := range c.A {
		out = append(out, comparedRun{w.Baseline, r})
	}
	for _, r := range c.B {
		out = append(out, comparedRun{w.Candidate, r})
	}
	return out
}

// rowsOf are the differences as a table, its head first.
func rowsOf(c *result.Comparison, w *words.Words) [][]string {
	rows := [][]string{{"", w.Baseline, w.Candidate, w.Change, w.Interval, w.Verdict}}
	for _, d := range c.Differences {
		rows = append(rows, []string{w.Word(d.Metric), figure.In(d.A, d.Unit), figure.In(d.B, d.Unit), figure.Change(d.Effect, d.Unit), between(d), w.Word(d.Verdict)})
	}
	return rows
}

// WriteMarkdown writes a comparison for a pull request or a CI job's page.
func WriteMarkdown(c *result.Comparison, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	b := bufio.NewWriter(out)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(b, format+"\n", args...) }
	mark := "⚠️"
	switch c.Verdict {
	case "worse":
		mark = "❌"
	case "better", "equivalent":
		mark = "✅"
	}
	p("## %s %s%s%s\n", mark, w.Compare, w.Colon, w.Word(c.Verdict))
	for _, a := range words.Texts(c.Advice, c.AdviceCodes, lang) {
		p("> %s\n", markdown.Escape(a))
	}
	if len(c.Differences) > 0 {
		rows := rowsOf(c, w)
		markdown.Head(p, rows[0], "lrrrrl")
		for _, r := range rows[1:] {
			p("| %s |", strings.Join(r, " | "))
		}
		p("")
	}
	for _, o := range c.Objectives {
		p("- %s%s%s → %s", markdown.Escape(o.Name), w.Colon, w.Word(o.A), w.Word(o.B))
	}
	for _, n := range words.Texts(c.Notes, c.NoteCodes, lang) {
		p("- %s", markdown.Escape(n))
	}
	p("\n<details><summary>%s</summary>\n", w.Run)
	for _, r := range sides(c, w) {
		p("- %s %s · %s · %s", r.side, markdown.Escape(r.Scenario), markdown.Escape(r.RunID), w.Word(r.Verdict))
	}
	p("\n</details>")
	return b.Flush()
}

// WriteJSON writes c as indented JSON.
func WriteJSON(c *result.Comparison, out io.Writer) error {
	return escape.JSON("comparison", c, out)
}

func between(d result.Difference) string {
	if d.Lower == nil || d.Upper == nil {
		return "–"
	}
	return figure.Change(d.Lower, d.Unit) + " … " + figure.Change(d.Upper, d.Unit)
}
