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
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/trend"
	"github.com/cstest/cstest/unit"
)

// trendWords is every text of a trend beside those of a run's report.
type trendWords struct {
	Title, Changes, NoChange, Since, RunsF, Note string
}

func trendWordsIn(lang reason.Lang) trendWords {
	if lang == reason.Chinese {
		return trendWords{
			Title: "历次运行", Changes: "变化", NoChange: "没有超出偶然的变化。", Since: "自", RunsF: "%s 次运行",
			Note: "变化：秩和检验下超出偶然的水平移动，所有指标合计误报至多 5 %（各次运行相互独立时）。",
		}
	}
	return trendWords{
		Title: "Runs over time", Changes: "Changes", NoChange: "No change is more than chance.", Since: "since", RunsF: "%s runs",
		Note: "A change is a step of the level that ranks tell from chance; of runs that do not change, at most 5 % show one in any metric, as long as runs do not hang together.",
	}
}

// trendView turns a trend into sentences and cells.
type trendView struct {
	t *trend.Trend
	w *words.Words
	s trendWords
}

func newTrendView(t *trend.Trend, lang reason.Lang) trendView {
	w := words.In(lang)
	return trendView{t: t, w: w, s: trendWordsIn(w.Lang)}
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
func (v *trendView) name(r *trend.Run) string {
	if r.Label != "" {
		return escape.Clean(r.Label)
	}
	return escape.Clean(r.RunID)
}

func (v *trendView) all() (list []*trend.Series) {
	for i := range v.t.Series {
		list = append(list, &v.t.Series[i])
	}
	return list
}

// few are those that a terminal has room for.
func (v *trendView) few() []*trend.Series {
	return slices.DeleteFunc(v.all(), func(s *trend.Series) bool {
		return !slices.Contains([]string{"mean", "P99", "answered", "full quality", "answers"}, s.Metric)
	})
}

// head and row are the table of all runs, with the figures of some series.
func (v *trendView) head(series []*trend.Series) []string {
	cells := []string{v.w.Started, v.w.Run, v.w.Verdict}
	for _, s := range series {
		cells = append(cells, v.w.Word(s.Metric))
	}
	return cells
}

func (v *trendView) row(i int, series []*trend.Series) []string {
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

// trendChange is a run with which metrics went to another level.
type trendChange struct {
	Since   string
	Steps   []trendStep
	Differs []string // beside the run before it
}

type trendStep struct{ Verdict, Text string }

// changes are in the order of time.
func (v *trendView) changes() (out []trendChange) {
	for i := range v.t.Runs {
		var c trendChange
		for k := range v.t.Series {
			s := &v.t.Series[k]
			for _, step := range s.Changes {
				if step.Run != i {
					continue
				}
				c.Steps = append(c.Steps, trendStep{step.Verdict, v.w.Word(s.Metric) + v.w.Colon + strings.Join([]string{
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

// WriteTrend prints a trend for a terminal or a log.
func WriteTrend(t *trend.Trend, out io.Writer, opts TextOptions) error {
	v := newTrendView(t, opts.Lang)
	p := newText(out, opts)
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

// WriteTrendMarkdown writes a trend for a pull request or a CI job's page.
func WriteTrendMarkdown(t *trend.Trend, out io.Writer, lang reason.Lang) error {
	v := newTrendView(t, lang)
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

// WriteTrendJSON writes t as indented JSON.
func WriteTrendJSON(t *trend.Trend, out io.Writer) error {
	return escape.JSON("trend", t, out)
}
