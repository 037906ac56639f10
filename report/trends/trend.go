// Package trends lays many runs of one scenario along time, and says where they changed.
package trends

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/trend"
	"github.com/cstest/cstest/unit"
)

// texts is every text of a trend beside those of a run's report.
type texts struct {
	Title, Changes, NoChange, Since, RunsF, Note string
}

func textsIn(lang reason.Lang) texts {
	if lang == reason.Chinese {
		return texts{
			Title: "历次运行", Changes: "变化", NoChange: "没有超出偶然的变化。", Since: "自", RunsF: "%s 次运行",
			Note: "变化：秩和检验下超出偶然的水平移动，所有指标合计误报至多 5 %（各次运行相互独立时）。",
		}
	}
	return texts{
		Title: "Runs over time", Changes: "Changes", NoChange: "No change is more than chance.", Since: "since", RunsF: "%s runs",
		Note: "A change is a step of the level that ranks tell from chance; of runs that do not change, at most 5 % show one in any metric, as long as runs do not hang together.",
	}
}

// view turns a trend into sentences and cells.
type view struct {
	t *trend.Trend
	w *words.Words
	s texts
}

func newView(t *trend.Trend, lang reason.Lang) view {
	w := words.In(lang)
	return view{t: t, w: w, s: textsIn(w.Lang)}
}

// when is a time to the minute.
func when(startedAt string) string {
	if len(startedAt) < len("2006-01-02T15:04") {
		return escape.Clean(startedAt)
	}
	return escape.Clean(strings.Replace(startedAt[:len("2006-01-02T15:04")], "T", " ", 1))
}

// year is what a time of the newest run's year need not say again.
func year(startedAt string) string { return startedAt[:min(len("2006-"), len(startedAt))] }

// name is how a run is told from others.
func (v *view) name(r *trend.Run) string {
	if r.Label != "" {
		return escape.Clean(r.Label)
	}
	return escape.Clean(r.RunID)
}

func (v *view) all() (list []*trend.Series) {
	for i := range v.t.Series {
		list = append(list, &v.t.Series[i])
	}
	return list
}

// few are those that a terminal has room for.
func (v *view) few() []*trend.Series {
	return slices.DeleteFunc(v.all(), func(s *trend.Series) bool {
		return !slices.Contains([]string{"mean", "P99", "answered", "full quality", "answers"}, s.Metric)
	})
}

// head and row are the table of all runs, with the figures of some series.
func (v *view) head(series []*trend.Series) []string {
	cells := []string{v.w.Started, v.w.Run, v.w.Verdict}
	for _, s := range series {
		cells = append(cells, v.w.Word(s.Metric))
	}
	return cells
}

func (v *view) row(i int, series []*trend.Series) []string {
	r := &v.t.Runs[i]
	cells := []string{when(r.StartedAt), escape.Fit(v.name(r), 16), v.w.Word(r.Verdict)}
	for _, s := range series {
		text := figure.In(s.Values[i], s.Unit)
		for _, c := range s.Changes {
			if c.Run == i {
				text = arrow(c) + " " + text
			}
		}
		cells = append(cells, text)
	}
	return cells
}

func arrow(c trend.Change) string {
	if c.After > c.Before {
		return "↑"
	}
	return "↓"
}

// change is a run with which metrics went to another level.
type change struct {
	Since   string
	Steps   []stepText
	Differs []string // beside the run before it
}

type stepText struct{ Verdict, Text string }

// changes are in the order of time.
func (v *view) changes() (out []change) {
	for i := range v.t.Runs {
		var c change
		for k := range v.t.Series {
			s := &v.t.Series[k]
			for _, step := range s.Changes {
				if step.Run != i {
					continue
				}
				c.Steps = append(c.Steps, stepText{step.Verdict, v.w.Word(s.Metric) + v.w.Colon + strings.Join([]string{
					figure.In(&step.Before, s.Unit) + " → " + figure.In(&step.After, s.Unit), figure.Change(step.Effect, s.Unit), "p = " + unit.Figure(step.P),
				}, v.w.Comma)})
				c.Differs = words.Texts(step.Differs, step.DifferCodes, v.w.Lang)
			}
		}
		if len(c.Steps) > 0 {
			r := &v.t.Runs[i]
			c.Since = v.s.Since + " " + v.name(r) + v.w.Open + when(r.StartedAt) + v.w.Shut
			out = append(out, c)
		}
	}
	return out
}

// WriteText prints a trend for a terminal or a log.
func WriteText(t *trend.Trend, out io.Writer, opts terminal.Options) error {
	v := newView(t, opts.Lang)
	p := terminal.New(out, opts)
	p.Line("")
	p.Heading(escape.Fit(escape.Clean(t.Scenario.Name), 48) + v.w.Colon + v.s.Title)
	few := v.few()
	rows := [][]string{v.head(few)}
	for i := range t.Runs {
		row := v.row(i, few)
		row[0] = strings.TrimPrefix(row[0], year(t.Runs[len(t.Runs)-1].StartedAt))
		rows = append(rows, row)
	}
	p.Table(rows)
	p.Heading(v.s.Changes)
	list := v.changes()
	if len(list) == 0 {
		p.Line(v.s.NoChange)
	}
	for _, c := range list {
		p.Wrapped("", c.Since, terminal.Bold)
		for _, step := range c.Steps {
			colour := terminal.Green
			if step.Verdict == "worse" {
				colour = terminal.Red
			}
			p.Wrapped("  "+v.w.Word(step.Verdict)+"  ", step.Text, colour)
		}
		for _, d := range c.Differs {
			p.Wrapped("  - ", d, terminal.Dim)
		}
	}
	for _, n := range append(words.Texts(t.Notes, t.NoteCodes, v.w.Lang), v.s.Note) {
		p.Line("")
		p.Wrapped("", n, terminal.Dim)
	}
	p.Line("")
	return p.Flush()
}

// WriteMarkdown writes a trend for a pull request or a CI job's page.
func WriteMarkdown(t *trend.Trend, out io.Writer, lang reason.Lang) error {
	v := newView(t, lang)
	b := bufio.NewWriter(out)
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(b, format+"\n", args...) }
	p("## %s%s%s\n", markdown.Escape(t.Scenario.Name), v.w.Colon, v.s.Title)
	list := v.changes()
	if len(list) == 0 {
		p("%s\n", v.s.NoChange)
	}
	for _, c := range list {
		p("- %s", markdown.Escape(c.Since))
		for _, step := range c.Steps {
			p("  - **%s** %s", v.w.Word(step.Verdict), markdown.Escape(step.Text))
		}
		for _, d := range c.Differs {
			p("  - %s", markdown.Escape(d))
		}
	}
	p("")
	all := v.all()
	markdown.Head(p, v.head(all), "lll"+strings.Repeat("r", len(t.Series)))
	for i := range t.Runs {
		cells := v.row(i, all)
		for k := range cells {
			cells[k] = markdown.Escape(cells[k])
		}
		p("| %s |", strings.Join(cells, " | "))
	}
	for _, n := range append(words.Texts(t.Notes, t.NoteCodes, lang), v.s.Note) {
		p("\n%s", markdown.Escape(n))
	}
	return b.Flush()
}

// WriteJSON writes t as indented JSON.
func WriteJSON(t *trend.Trend, out io.Writer) error {
	return escape.JSON("trend", t, out)
}
