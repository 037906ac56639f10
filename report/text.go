package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// TextOptions say how WriteText prints.
type TextOptions = terminal.Options

// WriteText prints the summary for a terminal or a log: the verdict first, then
// what it rests on. Lines fit the width by grapheme and never begin at column 0.
func WriteText(d *result.Document, out io.Writer, opts TextOptions) error {
	t := newText(out, opts)
	d = facts.InLanguage(d, opts.Lang)
	t.headline(d)
	t.objectives(d)
	if note := facts.Correlation(d, t.words); opts.Detail && note != "" {
		t.Wrapped("  ", note, terminal.Dim)
	}
	t.answers(d)
	t.storms(d)
	t.outages(d)
	t.latency(d)
	t.slowest(d)
	t.client(d, opts.Detail)
	t.usage(d)
	t.observed(d)
	if opts.Detail {
		t.breakdowns(d)
	}
	t.errors(d)
	t.generator(d)
	t.warnings(d)
	return t.Flush()
}

// text is one rendering.
type text struct {
	*terminal.Printer
	words *words.Words
}

func newText(out io.Writer, opts TextOptions) *text {
	return &text{terminal.New(out, opts), words.In(opts.Lang)}
}

func (t *text) headline(d *result.Document) {
	w := t.words
	mark, sgr := terminal.Mark(d.Verdict)
	t.Line("")
	head := t.Paint(mark+" "+strings.ToUpper(w.Word(d.Verdict)), terminal.Bold+";"+sgr)
	used := escape.Width(mark+" "+strings.ToUpper(w.Word(d.Verdict))) + 2
	tail := " · " + figure.Seconds(d.DurationS) + " · " + fmt.Sprintf(w.HeadlineF, figure.Whole(d.Counts.Conversations), figure.Whole(d.Counts.Turns))
	t.Line(head + "  " + t.Paint(escape.Fit(d.Scenario.Name, max(t.Room()-used-escape.Width(tail), 12)), terminal.Bold) + tail)
	t.Wrapped("  ", facts.Subtitle(d, w)+" · "+facts.TimeOfDay(d), terminal.Dim)
	if d.Scenario.Scale != 1 {
		t.Wrapped("  ", fmt.Sprintf(w.ScaleF, figure.Share(d.Scenario.Scale)), terminal.Yellow)
	}
	for i, r := range d.Reasons {
		if i >= 10 {
			break
		}
		t.Wrapped("  - ", r, "")
	}
}

func (t *text) objectives(d *result.Document) {
	w := t.words
	if len(d.Objectives) == 0 {
		return
	}
	t.Heading(w.Objectives)
	rows := [][]string{{w.Objective, w.Measured, w.Budget, w.N, w.Verdict}}
	for _, o := range d.Objectives {
		mark, _ := terminal.Mark(o.Verdict)
		rows = append(rows, []string{mark + " " + escape.Clean(o.Name), figure.Measured(o, w), figure.Budget(o, w), figure.Whole(o.N), w.Word(o.Verdict)})
	}
	widths := terminal.Columns(rows, t.Room()-10, 0)
	for i, row := range rows {
		sgr := terminal.Dim
		if i > 0 {
			_, sgr = terminal.Mark(d.Objectives[i-1].Verdict)
		}
		cells := []string{terminal.Pad(escape.Fit(row[0], widths[0]), widths[0], false)}
		for c := 1; c < 4; c++ {
			cells = append(cells, terminal.Pad(row[c], widths[c], true))
		}
		head := strings.Join(cells, "  ")
		if i == 0 {
			t.Line(t.Paint(head+"  "+row[4], terminal.Dim))
			continue
		}
		t.Line(head + "  " + t.Paint(row[4], sgr))
		if o := d.Objectives[i-1]; o.Verdict != "pass" && !told(o, d.Reasons) {
			t.Wrapped("    ", o.Reason, terminal.Dim)
		}
	}
	if note := facts.Load(d, w); note != "" {
		t.Wrapped("  ", note, terminal.Dim)
	}
}

// told tells whether the headline has said why already.
func told(o result.Objective, headline []string) bool {
	return o.Reason != "" && slices.ContainsFunc(headline, func(r string) bool { return strings.Contains(r, o.Reason) })
}

func (t *text) answers(d *result.Document) {
	w := t.words
	if sum := d.Tiers.All(); sum > 0 {
		t.Heading(w.WhoAnswered)
		for _, r := range facts.WhatUsersGot(d.Tiers, w) {
			if r.N <= 0 {
				continue
			}
			bar := strings.Repeat("█", int(min(float64(r.N)/float64(sum), 1)*40+0.5))
			paint := terminal.Cyan
			if r.Bad {
				paint = terminal.Red
			}
			t.Line(terminal.Pad(r.Name, 18, false) + terminal.Pad(figure.Whole(r.N), 12, true) + terminal.Pad(figure.Share(float64(r.N)/float64(sum)), 10, true) + "  " + t.Paint(bar, paint))
		}
	}
	c := d.Conversations
	if c.Complete+c.CompleteDegraded+c.Broken+c.Abandoned+c.Left > 0 {
		ends := []string{
			w.Complete + " " + figure.Whole(c.Complete), w.CompleteDegraded + " " + figure.Whole(c.CompleteDegraded),
			w.Broken + " " + figure.Whole(c.Broken), w.Abandoned + " " + figure.Whole(c.Abandoned),
		}
		if c.Left > 0 {
			ends = append(ends, w.Left+" "+figure.Whole(c.Left))
		}
		t.Wrapped(w.Conversations+w.Colon, strings.Join(ends, " · "), "")
	}
}

func (t *text) storms(d *result.Document) {
	w := t.words
	if len(d.Storms) == 0 {
		return
	}
	t.Heading(w.Storms)
	for _, s := range d.Storms {
		t.Line(escape.Fit(s.Name, 24) + "  " + facts.StormSpan(s, w))
		t.Wrapped("  ", strings.Join(facts.Storm(s, w), " · "), "")
		if s.Metastable {
			t.Wrapped("  ", w.Metastable, terminal.Bold+";"+terminal.Red)
		}
	}
}
