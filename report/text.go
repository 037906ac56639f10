package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// TextOptions say how WriteText prints.
type TextOptions = terminal.Options

// WriteText prints the summary for a terminal or a log: the verdict first, then
// what it rests on. Lines fit the width by grapheme and never begin at column 0.
func WriteText(d *result.Document, out io.Writer, opts TextOptions) error {
	t := newText(out, opts)
	d = said(d, opts.Lang)
	t.headline(d)
	t.objectives(d)
	if note := correlationNote(d, t.words); opts.Detail && note != "" {
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
	t.Wrapped("  ", subtitle(d, w)+" · "+timeOfDay(d), terminal.Dim)
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
	if note := loadNote(d, w); note != "" {
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
		for _, r := range gotRows(d.Tiers, w) {
			if r.n <= 0 {
				continue
			}
			bar := strings.Repeat("█", int(min(float64(r.n)/float64(sum), 1)*40+0.5))
			paint := terminal.Cyan
			if r.bad {
				paint = terminal.Red
			}
			t.Line(terminal.Pad(r.name, 18, false) + terminal.Pad(figure.Whole(r.n), 12, true) + terminal.Pad(figure.Share(float64(r.n)/float64(sum)), 10, true) + "  " + t.Paint(bar, paint))
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
	t.Heading(w.Storms)
	for _, s := range d.Storms {
		t.Line(escape.Fit(s.Name, 24) + "  " + stormSpan(s, w))
		t.Wrapped("  ", strings.Join(stormFacts(s, w), " · "), "")
		if s.Metastable {
			t.Wrapped("  ", w.Metastable, terminal.Bold+";"+terminal.Red)
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
