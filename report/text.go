package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// TextOptions say how WriteText prints. Width is the terminal's, 0 and anything
// over 100 mean 100, less than 80 means 80.
type TextOptions struct {
	Color bool
	Width int
	Lang  reason.Lang
	// Detail adds response times by stage, storm, turn, conversation and tier.
	Detail bool
}

// WriteText prints the summary for a terminal or a log: the verdict first, then
// what it rests on. Lines fit the width by grapheme and never begin at column 0.
func WriteText(d *result.Document, out io.Writer, opts TextOptions) error {
	t := newText(out, opts)
	d = said(d, opts.Lang)
	t.headline(d)
	t.objectives(d)
	if note := correlationNote(d, t.words); opts.Detail && note != "" {
		t.wrapped("  ", note, dim)
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
	return t.out.Flush()
}

// text holds the state of one rendering. The bufio.Writer keeps the first error.
type text struct {
	out   *bufio.Writer
	words *words.Words
	color bool
	width int
}

func newText(out io.Writer, opts TextOptions) *text {
	w := opts.Width
	if w <= 0 || w > 100 {
		w = 100
	}
	return &text{out: bufio.NewWriter(out), words: words.In(opts.Lang), color: opts.Color, width: max(w, 80)}
}

// The colours, as SGR parameters; only the 16 that every palette defines.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (t *text) paint(s, sgr string) string {
	if !t.color || s == "" || sgr == "" {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// line writes one line, indented: CI runners act on lines that begin with a command.
func (t *text) line(s string) {
	if s == "" {
		_, _ = t.out.WriteString("\n")
		return
	}
	_, _ = t.out.WriteString("  " + strings.TrimRight(escape.Defuse(s), " ") + "\n")
}

func (t *text) heading(s string) {
	t.line("")
	t.line(t.paint(s, bold))
}

// room is the cells of a line after the indent.
func (t *text) room() int { return t.width - 2 }

// wrapped writes cleaned text over as many lines as it takes (at most 6), the
// first after prefix, the others indented as far.
func (t *text) wrapped(prefix, s, sgr string) {
	indent := strings.Repeat(" ", escape.Width(prefix))
	// A number keeps its percent sign.
	rows := wrap(strings.ReplaceAll(escape.Clean(s), " %", "\u00a0%"), t.room()-escape.Width(prefix))
	if len(rows) > 6 {
		rows = append(rows[:5], escape.Fit(rows[5], t.room()-escape.Width(prefix)-2)+" …")
	}
	for i, row := range rows {
		row = strings.ReplaceAll(row, "\u00a0%", " %")
		if i == 0 {
			t.line(prefix + t.paint(row, sgr))
		} else {
			t.line(indent + t.paint(escape.Defuse(row), sgr))
		}
	}
}

func (t *text) headline(d *result.Document) {
	w := t.words
	mark, sgr := markOf(d.Verdict)
	t.line("")
	head := t.paint(mark+" "+strings.ToUpper(w.Word(d.Verdict)), bold+";"+sgr)
	used := escape.Width(mark+" "+strings.ToUpper(w.Word(d.Verdict))) + 2
	tail := " · " + figure.Seconds(d.DurationS) + " · " + fmt.Sprintf(w.HeadlineF, figure.Whole(d.Counts.Conversations), figure.Whole(d.Counts.Turns))
	t.line(head + "  " + t.paint(escape.Fit(d.Scenario.Name, max(t.room()-used-escape.Width(tail), 12)), bold) + tail)
	t.wrapped("  ", subtitle(d, w)+" · "+timeOfDay(d), dim)
	if d.Scenario.Scale != 1 {
		t.wrapped("  ", fmt.Sprintf(w.ScaleF, figure.Share(d.Scenario.Scale)), yellow)
	}
	for i, r := range d.Reasons {
		if i >= 10 {
			break
		}
		t.wrapped("  - ", r, "")
	}
}

// subtitle says what was tested and how, in one line.
func subtitle(d *result.Document, w *words.Words) string {
	target := d.Target.URL
	if d.Target.Kind == result.TargetBundled {
		target = w.Bundled
		if d.Target.Profile != "" {
			target += w.Aside(d.Target.Profile)
		}
	}
	over := w.None
	if len(d.Overrides) > 0 {
		over = strings.Join(d.Overrides, " ")
	}
	return strings.Join([]string{
		w.Target + " " + target, w.Overrides + w.Colon + over, fmt.Sprintf("%s %d", w.Seed, d.Scenario.Seed),
		"cstest " + d.CstestVersion,
	}, " · ")
}

func markOf(verdict string) (mark, sgr string) {
	switch verdict {
	case "pass":
		return "✓", green
	case "fail":
		return "✗", red
	case "invalid":
		return "!", red
	}
	return "?", yellow
}

func (t *text) objectives(d *result.Document) {
	w := t.words
	if len(d.Objectives) == 0 {
		return
	}
	t.heading(w.Objectives)
	rows := [][]string{{w.Objective, w.Measured, w.Budget, w.N, w.Verdict}}
	for _, o := range d.Objectives {
		mark, _ := markOf(o.Verdict)
		rows = append(rows, []string{mark + " " + escape.Clean(o.Name), figure.Measured(o, w), figure.Budget(o, w), figure.Whole(o.N), w.Word(o.Verdict)})
	}
	widths := columns(rows, t.room()-10, 0)
	for i, row := range rows {
		sgr := dim
		if i > 0 {
			_, sgr = markOf(d.Objectives[i-1].Verdict)
		}
		cells := []string{pad(escape.Fit(row[0], widths[0]), widths[0], false)}
		for c := 1; c < 4; c++ {
			cells = append(cells, pad(row[c], widths[c], true))
		}
		head := strings.Join(cells, "  ")
		if i == 0 {
			t.line(t.paint(head+"  "+row[4], dim))
			continue
		}
		t.line(head + "  " + t.paint(row[4], sgr))
		if o := d.Objectives[i-1]; o.Verdict != "pass" && !told(o, d.Reasons) {
			t.wrapped("    ", o.Reason, dim)
		}
	}
	if note := loadNote(d, w); note != "" {
		t.wrapped("  ", note, dim)
	}
}

// told tells whether the headline has said why already.
func told(o result.Objective, headline []string) bool {
	return o.Reason != "" && slices.ContainsFunc(headline, func(r string) bool { return strings.Contains(r, o.Reason) })
}

func (t *text) answers(d *result.Document) {
	w := t.words
	if sum := d.Tiers.All(); sum > 0 {
		t.heading(w.WhoAnswered)
		for _, r := range gotRows(d.Tiers, w) {
			if r.n <= 0 {
				continue
			}
			bar := strings.Repeat("█", int(min(float64(r.n)/float64(sum), 1)*40+0.5))
			paint := cyan
			if r.bad {
				paint = red
			}
			t.line(pad(r.name, 18, false) + pad(figure.Whole(r.n), 12, true) + pad(figure.Share(float64(r.n)/float64(sum)), 10, true) + "  " + t.paint(bar, paint))
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
		t.wrapped(w.Conversations+w.Colon, strings.Join(ends, " · "), "")
	}
}

// gotRow is one of the things that users got.
type gotRow struct {
	class, name string
	n           int64
	bad         bool
}

// gotRows are what users got, best first; their sum is t.All.
func gotRows(t result.Tiers, w *words.Words) []gotRow {
	rows := []gotRow{
		{class: "llm", n: t.LLM},
		{class: "faq", n: t.FAQ},
		{class: "handoff", n: t.Handoff},
		{class: "static", n: t.Static},
		{class: "unknown", n: t.Unknown},
		{class: "wrong", n: t.Wrong, bad: true},
		{class: "nobody", n: t.Nobody, bad: true},
	}
	for i := range rows {
		rows[i].name = w.Word(rows[i].class)
	}
	return rows
}

func (t *text) storms(d *result.Document) {
	w := t.words
	if len(d.Storms) == 0 {
		return
	}
	t.heading(w.Storms)
	for _, s := range d.Storms {
		t.line(escape.Fit(s.Name, 24) + "  " + stormSpan(s, w))
		t.wrapped("  ", strings.Join(stormFacts(s, w), " · "), "")
		if s.Metastable {
			t.wrapped("  ", w.Metastable, bold+";"+red)
		}
	}
}

func stormSpan(s result.Storm, w *words.Words) string {
	if s.EndS == nil {
		return figure.Seconds(s.StartS) + " – " + w.StillOpen
	}
	return figure.Seconds(s.StartS) + " – " + figure.Seconds(*s.EndS)
}

// stormFacts are the figures of a storm, each with its name.
func stormFacts(s result.Storm, w *words.Words) []string {
	out := []string{w.Detected + " " + w.Unknown}
	if s.CallsPerTurn != nil { // else nobody told whether it went on
		out[0] = w.NotDetected
	}
	if s.DetectS != nil {
		out[0] = w.Detected + " " + figure.Seconds(*s.DetectS)
	}
	latency, quality := w.LatencyNotBack, w.QualityNotBack
	if s.Recovery.LatencyS != nil {
		latency = w.LatencyBack + " " + figure.Seconds(*s.Recovery.LatencyS)
	}
	if s.Recovery.QualityS != nil {
		quality = w.QualityBack + " " + figure.Seconds(*s.Recovery.QualityS)
	}
	out = append(out, latency, quality)
	if s.CallsPerTurn != nil {
		out = append(out, w.CallsPerTurn+" "+unit.Figure(*s.CallsPerTurn))
	}
	if sum := s.Tiers.All(); sum > 0 {
		for _, r := range gotRows(s.Tiers, w) {
			if r.n > 0 {
				out = append(out, r.name+" "+figure.Share(float64(r.n)/float64(sum)))
			}
		}
	}
	return out
}
