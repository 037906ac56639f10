// Package pools tells what several runs of one scenario say together.
package pools

import (
	_ "embed" // the page
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cstest/cstest/pool"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// As gives what writes several runs together in a format: text, html, markdown
// (or md), json.
func As(r *pool.Result, format string, opts terminal.Options) func(io.Writer) error {
	return func(out io.Writer) error {
		switch format {
		case "html":
			return writeHTML(r, out, opts.Lang)
		case "markdown", "md":
			return writeMarkdown(r, out, opts.Lang)
		case "json":
			return escape.JSON("several runs", r, out)
		}
		return writeText(r, out, opts)
	}
}

// texts is every text of several runs together beside those of one.
type texts struct {
	RunsF, Runs, LeftOut, NotCounted, Least, Most, Mean, Note, Figures string
}

func textsIn(lang reason.Lang) texts {
	if lang == reason.Chinese {
		return texts{
			RunsF: "合并 %s 次运行，未包括 %s 次", Runs: "各次运行", LeftOut: "未包括", NotCounted: "未计入", Least: "最小", Most: "最大", Mean: "几何均值", Figures: "各次运行之间",
			Note: "结论的置信界取轮次与运行间离散中较宽者；各项数值的区间是 k − 1 个自由度的 t 区间，置信度 95 %。",
		}
	}
	return texts{
		RunsF: "%s runs together, %s left out", Runs: "Runs", LeftOut: "left out", NotCounted: "not counted", Least: "least", Most: "most", Mean: "geometric mean", Figures: "Between the runs",
		Note: "A verdict's bounds are the wider of those of the turns and of the scatter between runs; intervals of figures are t intervals on k − 1 degrees of freedom at 95 %.",
	}
}

// view turns several runs into cells.
type view struct {
	r *pool.Result
	w *words.Words
	t texts
}

func newView(r *pool.Result, w *words.Words) view { return view{r, w, textsIn(w.Lang)} }

func (v view) counted() (n int) {
	for _, m := range v.r.Runs {
		if m.Pooled {
			n++
		}
	}
	return n
}

func (v view) headline() string {
	return fmt.Sprintf(v.t.RunsF, figure.Whole(int64(v.counted())), figure.Whole(int64(len(v.r.LeftOut)+len(v.r.Runs)-v.counted())))
}

func (v view) subtitle() string {
	target := v.r.Target.URL
	if v.r.Target.Kind == result.TargetBundled {
		target = v.w.Bundled
		if v.r.Target.Profile != "" {
			target += v.w.Aside(v.r.Target.Profile)
		}
	}
	return v.w.Target + " " + target + " · cstest " + v.r.CstestVersion
}

func (v view) reasons() []string {
	return words.Texts(v.r.Reasons, v.r.ReasonCodes, v.w.Lang)
}

func (v view) warnings() []string {
	return words.Texts(v.r.Warnings, v.r.WarningCodes, v.w.Lang)
}

// asked is an objective as one of a run, which prints alike.
func (v view) asked(o *pool.Objective) result.Objective {
	out := result.Objective{Name: o.Name, Unit: o.Unit, Target: o.Target, LimitNs: o.LimitNs, Measured: o.Measured, Lower: o.Lower, Upper: o.Upper, N: o.N, Verdict: o.Verdict, Reason: o.Reason}
	if o.Codes.Known() {
		out.Reason = o.Codes.Text(v.w.Lang)
	}
	return out
}

// objectives has a heading and a row for each.
func (v view) objectives() [][]string {
	w := v.w
	rows := [][]string{{w.Objective, w.Measured, w.Interval, w.Budget, w.N, w.Verdict}}
	for i := range v.r.Objectives {
		o := v.asked(&v.r.Objectives[i])
		bounds := figure.Bounds(o)
		if bounds == "" {
			bounds = "–"
		}
		rows = append(rows, []string{escape.Clean(o.Name), figure.Measured(o, w), bounds, figure.Budget(o, w), figure.Whole(o.N), w.Word(o.Verdict)})
	}
	return rows
}

func (v view) figures() [][]string {
	rows := [][]string{{"", v.t.Mean, v.w.Interval, v.t.Least, v.t.Most, v.t.Runs}}
	for _, f := range v.r.Figures {
		bounds := "–"
		if f.Lower != nil && f.Upper != nil {
			bounds = figure.In(f.Lower, f.Unit) + " – " + figure.In(f.Upper, f.Unit)
		}
		rows = append(rows, []string{v.w.Word(f.Name), figure.In(f.Mean, f.Unit), bounds, figure.In(f.Least, f.Unit), figure.In(f.Most, f.Unit), figure.Whole(int64(f.Runs))})
	}
	return rows
}

// runs lists all there are: those counted, those given and not, those left out.
func (v view) runs() [][]string {
	w := v.w
	rows := [][]string{{w.Run, w.Started, w.Seed, w.Turns, "P50", "P95", "P99", w.Verdict, ""}}
	add := func(m pool.Member, note string) {
		when := escape.Clean(m.StartedAt)
		if d := (&result.Document{StartedAt: m.StartedAt}); !d.Started().IsZero() {
			when = d.Started().UTC().Format("2006-01-02 15:04:05")
		}
		cell := func(ns *int64) string {
			if ns == nil {
				return figure.NotEnough
			}
			return figure.Duration(*ns)
		}
		rows = append(rows, []string{escape.Clean(shortID(m.RunID)), when, strconv.FormatUint(m.Seed, 10), figure.Whole(m.Turns), cell(m.P50Ns), cell(m.P95Ns), cell(m.P99Ns), w.Word(m.Verdict), note})
	}
	for _, m := range v.r.Runs {
		note := ""
		if !m.Pooled {
			note = v.t.NotCounted
		}
		add(m, note)
	}
	for _, m := range v.r.LeftOut {
		add(m, v.t.LeftOut)
	}
	return rows
}

// shortID is the end of a run's id, which tells runs apart.
func shortID(id string) string {
	if len(id) > 13 {
		return "…" + strings.ToValidUTF8(id[len(id)-12:], "")
	}
	return id
}

// writeText prints several runs together for a terminal or a log.
func writeText(r *pool.Result, out io.Writer, opts terminal.Options) error {
	t := terminal.New(out, opts)
	w := words.In(opts.Lang)
	v := newView(r, w)
	mark, sgr := terminal.Mark(r.Verdict)
	t.Line("")
	t.Line(t.Paint(mark+" "+strings.ToUpper(w.Word(r.Verdict)), terminal.Bold+";"+sgr) + "  " + t.Paint(escape.Fit(r.Scenario.Name, t.Room()/2), terminal.Bold) + " · " + v.headline())
	t.Wrapped("  ", v.subtitle(), terminal.Dim)
	for _, s := range v.reasons() {
		t.Wrapped("  - ", s, "")
	}
	if len(r.Objectives) > 0 {
		t.Heading(w.Objectives)
		t.Table(v.objectives())
		for i := range r.Objectives {
			if o := v.asked(&r.Objectives[i]); o.Verdict == "pass" {
				t.Wrapped("  ", o.Name+w.Colon+o.Reason, terminal.Dim)
			}
		}
	}
	t.Heading(v.t.Figures)
	t.Table(v.figures())
	t.Heading(v.t.Runs)
	t.Table(v.runs())
	t.Line("")
	for _, s := range v.warnings() {
		t.Wrapped("! ", s, terminal.Yellow)
	}
	t.Wrapped("", v.t.Note, terminal.Dim)
	t.Line("")
	return t.Flush()
}

// writeMarkdown writes several runs together for a pull request.
func writeMarkdown(r *pool.Result, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := newView(r, w)
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## %s %s%s%s\n", markdown.Badge(r.Verdict), markdown.Escape(r.Scenario.Name), w.Colon, w.Word(r.Verdict))
	p("%s · %s\n", markdown.Escape(v.headline()), markdown.Escape(v.subtitle()))
	for _, s := range v.reasons() {
		p("- %s", markdown.Escape(s))
	}
	p("")
	markdown.Rows(p, v.objectives(), 1)
	p("")
	markdown.Rows(p, v.figures(), 1)
	p("")
	markdown.Rows(p, v.runs(), 2)
	p("")
	for _, s := range v.warnings() {
		p("> ⚠ %s  ", markdown.Escape(s))
	}
	p("\n%s", markdown.Escape(v.t.Note))
	_, err := io.WriteString(out, b.String())
	return err
}

//go:embed page.html
var source string

// page is what the template of several runs sees.
type page struct {
	R *pool.Result
	W *words.Words
	T texts
	webpage.Head
	Headline, Subtitle string
	Reasons, Warnings  []string
	Tables             []titled
}

// titled is a table with a title, its first row the heading.
type titled struct {
	Title string
	Rows  [][]string
}

// writeHTML writes several runs together as one page without a script.
func writeHTML(r *pool.Result, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := newView(r, w)
	objectives := v.objectives()
	objectives[0] = append(objectives[0], w.Evidence)
	for i := range r.Objectives {
		objectives[i+1] = append(objectives[i+1], v.asked(&r.Objectives[i]).Reason)
	}
	p := page{
		R: r, W: w, T: v.t, Headline: v.headline(), Subtitle: v.subtitle(), Reasons: v.reasons(), Warnings: v.warnings(),
		Tables: []titled{{w.Objectives, objectives}, {v.t.Figures, v.figures()}, {v.t.Runs, v.runs()}},
	}
	p.Head = webpage.HeadOf(r.Scenario.Name, p.Headline, w)
	return webpage.Write(source, w, p, out)
}
