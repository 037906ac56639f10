// Package terminal prints lines and tables that fit a terminal or a log.
package terminal

import (
	"bufio"
	"io"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
)

// Options say how a report is printed. Width is the terminal's, 0 and anything
// over 100 mean 100, less than 80 means 80.
type Options struct {
	Color bool
	Width int
	Lang  reason.Lang
	// Detail adds response times by stage, storm, turn, conversation and tier.
	Detail bool
}

// Printer holds the state of one rendering. Lines fit the width by grapheme and never
// begin at column 0. The bufio.Writer keeps the first error, which Flush tells.
type Printer struct {
	out   *bufio.Writer
	color bool
	width int
}

// New makes a Printer onto out.
func New(out io.Writer, opts Options) *Printer {
	w := opts.Width
	if w <= 0 || w > 100 {
		w = 100
	}
	return &Printer{out: bufio.NewWriter(out), color: opts.Color, width: max(w, 80)}
}

// Flush writes what is left, and tells what went wrong before.
func (t *Printer) Flush() error { return t.out.Flush() }

// The colours, as SGR parameters; only the 16 that every palette defines.
const (
	Bold   = "1"
	Dim    = "2"
	Red    = "31"
	Green  = "32"
	Yellow = "33"
	Cyan   = "36"
)

// Paint colours s, where there is colour.
func (t *Printer) Paint(s, sgr string) string {
	if !t.color || s == "" || sgr == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// Line writes one line, indented: CI runners act on lines that begin with a command.
func (t *Printer) Line(s string) {
	if s == "" {
		_, _ = t.out.WriteString("\n")
		return
	}
	_, _ = t.out.WriteString("  " + strings.TrimRight(escape.Defuse(s), " ") + "\n")
}

// Heading writes an empty line and s.
func (t *Printer) Heading(s string) {
	t.Line("")
	t.Line(t.Paint(s, Bold))
}

// Room is the cells of a line after the indent.
func (t *Printer) Room() int { return t.width - 2 }

// Wrapped writes cleaned text over as many lines as it takes (at most 6), the
// first after prefix, the others indented as far.
func (t *Printer) Wrapped(prefix, s, sgr string) {
	indent := strings.Repeat(" ", escape.Width(prefix))
	// A number keeps its percent sign.
	rows := wrap(strings.ReplaceAll(escape.Clean(s), " %", "\u00a0%"), t.Room()-escape.Width(prefix))
	if len(rows) > 6 {
		rows = append(rows[:5], escape.Fit(rows[5], t.Room()-escape.Width(prefix)-2)+" …")
	}
	for i, row := range rows {
		row = strings.ReplaceAll(row, "\u00a0%", " %")
		if i == 0 {
			t.Line(prefix + t.Paint(row, sgr))
		} else {
			t.Line(indent + t.Paint(escape.Defuse(row), sgr))
		}
	}
}

// Mark is the sign of a verdict and its colour.
func Mark(verdict string) (mark, sgr string) {
	switch verdict {
	case "pass":
		return "✓", Green
	case "fail":
		return "✗", Red
	case "invalid":
		return "!", Red
	}
	return "?", Yellow
}
