// Package experiments tells what an experiment with variants found.
package experiments

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/tune"
	"github.com/cstest/cstest/unit"
)

// FileName is the name of an Experiment in its directory.
const FileName = "tune.json"

// Renderings are the files of an experiment's directory, tune.json last.
func Renderings(e *tune.Experiment, lang reason.Lang) []directory.File {
	return []directory.File{
		{Name: "tune.html", Write: func(w io.Writer) error { return writeHTML(e, w, lang) }},
		{Name: "tune.md", Write: func(w io.Writer) error { return writeMarkdown(e, w, lang) }},
		{Name: FileName, Write: func(w io.Writer) error { return WriteJSON(e, w) }},
	}
}

// WriteJSON writes e as indented JSON.
func WriteJSON(e *tune.Experiment, out io.Writer) error {
	return escape.JSON(FileName, e, out)
}

// WriteText prints an experiment for a terminal or a log.
func WriteText(e *tune.Experiment, out io.Writer, opts terminal.Options) error {
	t := terminal.New(out, opts)
	w := words.In(opts.Lang)
	v := view{e: e, w: w, t: textsIn(opts.Lang)}
	mark, sgr := "✓", terminal.Green
	switch e.Verdict {
	case "worse", "invalid":
		mark, sgr = "✗", terminal.Red
	case "cannot_tell":
		mark, sgr = "?", terminal.Yellow
	}
	t.Line("")
	t.Line(t.Paint(mark+" "+strings.ToUpper(w.Word(e.Verdict)), terminal.Bold+";"+sgr) + "  " + t.Paint(escape.Fit(escape.Clean(e.Scenario), t.Room()/2), terminal.Bold) + " · " + v.rounds())
	t.Line(t.Paint(escape.Fit(escape.Clean(e.Target)+" · "+w.Seed+" "+strconv.FormatUint(e.Seed, 10)+" · cstest "+escape.Clean(e.CstestVersion), t.Room()), terminal.Dim))
	if e.Interrupted {
		t.Wrapped("! ", v.t.InterruptedNote, terminal.Yellow)
	}
	t.Heading(v.t.Title)
	for _, rows := range terminal.Parted(v.medians(), t.Room()) {
		t.Table(rows)
	}
	t.Line(t.Paint(v.t.SLA+v.w.Colon, terminal.Dim) + escape.Fit(v.judged(), t.Room()-escape.Width(v.t.SLA+v.w.Colon)))
	effects, same := v.effects()
	if len(effects) > 1 {
		t.Heading(v.effectsTitle())
		t.LeftTable(effects, 2)
	}
	if same != "" {
		t.Wrapped("", same, terminal.Dim)
	}
	if rows := v.published(); rows != nil {
		t.Heading(v.t.Published)
		t.LeftTable(rows, 2)
		t.Wrapped("", v.t.PublishedNote, terminal.Dim)
	}
	t.Line("")
	t.Wrapped("", v.note(), terminal.Dim)
	for _, warning := range v.warnings() {
		t.Wrapped("! ", warning, terminal.Yellow)
	}
	t.Line("")
	return t.Flush()
}

// writeMarkdown writes an experiment for a pull request or a page.
func writeMarkdown(e *tune.Experiment, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := view{e: e, w: w, t: textsIn(w.Lang)}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## %s%s%s\n", markdown.Escape(e.Scenario), w.Colon, markdown.Escape(v.t.Title))
	p("%s%s%s · %s · %s %d · cstest %s\n", w.Verdict, w.Colon, w.Word(e.Verdict), v.rounds(), w.Seed, e.Seed, markdown.Escape(e.CstestVersion))
	p("%s\n", markdown.Escape(e.Target))
	if e.Interrupted {
		p("> ⚠ %s\n", markdown.Escape(v.t.InterruptedNote))
	}
	markdown.Rows(p, v.medians(), 1)
	p("\n%s%s%s", v.t.SLA, w.Colon, markdown.Escape(v.judged()))
	effects, same := v.effects()
	if len(effects) > 1 {
		p("\n### %s\n", v.effectsTitle())
		markdown.Rows(p, effects, 2)
	}
	if same != "" {
		p("\n%s", markdown.Escape(same))
	}
	if rows := v.published(); rows != nil {
		p("\n### %s\n", v.t.Published)
		markdown.Rows(p, rows, 2)
		p("\n%s", markdown.Escape(v.t.PublishedNote))
	}
	p("\n%s", markdown.Escape(v.note()))
	for _, warning := range v.warnings() {
		p("\n> ⚠ %s", markdown.Escape(warning))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// view turns an experiment into cells.
type view struct {
	e *tune.Experiment
	w *words.Words
	t texts
}

func (v *view) rounds() string {
	return fmt.Sprintf(v.t.RoundsF, figure.Whole(int64(v.e.RoundsDone)), figure.Whole(int64(v.e.RoundsPlanned)))
}

func (v *view) name(a *tune.ArmResult) string {
	if a.Control {
		return v.t.Again
	}
	return escape.Clean(a.Name)
}

func (v *view) effectsTitle() string {
	if v.e.Stepwise {
		return v.t.Steps
	}
	return v.t.Effects
}

// comparison names an arm beside what it was compared with, where that is not
// the same for all.
func (v *view) comparison(a *tune.ArmResult) string {
	if v.e.Stepwise && !a.Control && a.Against >= 0 && a.Against < len(v.e.Arms) {
		return v.name(&v.e.Arms[a.Against]) + " → " + v.name(a)
	}
	return v.name(a)
}

// metric is the short name of a column.
func (v *view) metric(name string) string {
	switch name {
	case "turns":
		return v.t.TurnsPerS
	case "target CPU per turn":
		return v.t.CPUPerTurn
	case "LLM calls per turn":
		return v.t.CallsPerTurn
	case "Redis round trips per turn":
		return v.t.RedisPerTurn
	case "target memory per conversation":
		return v.t.Memory
	case "target CPU per conversation":
		return v.t.CPUPerTalk
	case "full quality":
		return v.t.Quality
	}
	return v.w.Word(name)
}

// medians has a row for each arm and a column for each metric that is known of any.
func (v *view) medians() [][]string {
	head := []string{v.t.Variant}
	var shown []int
	for i, m := range tune.Metrics() {
		for _, a := range v.e.Arms {
			if i < len(a.Figures) && a.Figures[i].Median != nil {
				shown = append(shown, i)
				head = append(head, v.metric(m.Name))
				break
			}
		}
	}
	rows := [][]string{head}
	for i := range v.e.Arms {
		a := &v.e.Arms[i]
		row := []string{v.name(a)}
		for _, k := range shown {
			row = append(row, figureOf(a.Figures[k].Median, a.Figures[k].Unit))
		}
		rows = append(rows, row)
	}
	return rows
}

// note is what stands below the tables: how they are to be read, and what is not known.
func (v *view) note() string {
	parts := []string{v.t.Note, v.t.ControlNote}
	var missing []string
	held := false
	for _, m := range tune.Metrics() {
		known := v.known(m.Name)
		held = held || known && m.Held
		if !known && !m.Held {
			missing = append(missing, v.metric(m.Name))
		}
	}
	if held {
		parts = append(parts, v.t.HeldNote)
	}
	if len(missing) > 0 && len(missing) < len(tune.Metrics())/2 { // else there are no runs yet
		parts = append(parts, fmt.Sprintf(v.t.NotToldF, strings.Join(missing, v.w.Comma)))
	}
	return strings.Join(parts, " ")
}

// known tells whether a figure of any arm is known.
func (v *view) known(metric string) bool {
	for i := range v.e.Arms {
		for _, f := range v.e.Arms[i].Figures {
			if f.Metric == metric && f.Median != nil {
				return true
			}
		}
	}
	return false
}

// judged says how the runs of every arm were judged.
func (v *view) judged() string {
	parts := make([]string, len(v.e.Arms))
	for i := range v.e.Arms {
		parts[i] = v.name(&v.e.Arms[i]) + v.w.Colon + v.verdicts(&v.e.Arms[i])
	}
	return strings.Join(parts, " · ")
}

// verdicts says how the runs of an arm were judged, as "pass 5, fail 1".
func (v *view) verdicts(a *tune.ArmResult) string {
	var parts []string
	for _, verdict := range slices.Sorted(maps.Keys(a.Verdicts)) {
		parts = append(parts, v.w.Word(verdict)+" "+figure.Whole(int64(a.Verdicts[verdict])))
	}
	if a.Invalid {
		parts = append(parts, v.t.Invalid)
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, v.w.Comma)
}

// effects has a row for each arm and metric, by metric, but for the metrics in
// which every arm is the same within the margin: those are one sentence.
func (v *view) effects() (rows [][]string, same string) {
	rows = [][]string{{"", v.t.Variant, v.w.Change, v.w.Interval, v.t.Chance, v.w.Verdict, v.t.Needs}}
	var equivalent []string
	for _, m := range tune.Metrics() {
		var block [][]string
		told, all := 0, true
		for i := range v.e.Arms {
			a := &v.e.Arms[i]
			x := a.EffectOf(m.Name)
			if x == nil {
				continue
			}
			told++
			all = all && x.Verdict == "equivalent"
			label := ""
			if len(block) == 0 {
				label = v.metric(m.Name)
			}
			block = append(block, []string{label, v.comparison(a), figure.Change(x.Change, x.Unit), v.interval(x), chance(x.P), v.verdict(x), v.needs(x)})
		}
		switch {
		case told > 0 && all:
			equivalent = append(equivalent, v.metric(m.Name))
		default:
			rows = append(rows, block...)
		}
	}
	if len(equivalent) > 0 {
		same = fmt.Sprintf(v.t.AllEquivalentF, strings.Join(equivalent, v.w.Comma))
	}
	return rows, same
}

func (v *view) interval(x *tune.Effect) string {
	if x.Lower == nil || x.Upper == nil {
		return v.t.NotBounded
	}
	return figure.Change(x.Lower, x.Unit) + " … " + figure.Change(x.Upper, x.Unit)
}

// verdict says cannot tell in the two ways it can be meant: too few pairs to say
// anything, and an interval that holds no change.
func (v *view) verdict(x *tune.Effect) string {
	if x.Verdict == "cannot_tell" && x.Lower != nil && x.Upper != nil {
		return v.t.NoDifference
	}
	return v.w.Word(x.Verdict)
}

// needs is about how many rounds would tell, where that many may be run.
func (v *view) needs(x *tune.Effect) string {
	switch {
	case x.Needs == 0:
		return ""
	case x.Needs > tune.MaxRounds:
		return "> " + figure.Whole(tune.MaxRounds)
	}
	return figure.Whole(int64(x.Needs))
}

func (v *view) warnings() []string {
	return words.Texts(v.e.Warnings, v.e.WarningCodes, v.w.Lang)
}

// chance prints a p value.
func chance(p float64) string {
	if p >= 1 {
		return "1"
	}
	return unit.Figure(p)
}

func figureOf(v *float64, in string) string {
	if v != nil && in == "count" {
		return unit.Figure(*v)
	}
	if v != nil && in == "bytes" {
		return figure.Size(int64(*v))
	}
	return figure.In(v, in)
}

// Progress is a line on a run that has just been made; left may be empty.
func Progress(e *tune.Experiment, r tune.Run, done, of int, left string, lang reason.Lang) string {
	w := words.In(lang)
	v := view{e: e, w: w, t: textsIn(w.Lang)}
	parts := []string{fmt.Sprintf("%d/%d", done, of), v.t.Round + " " + strconv.Itoa(r.Round+1), v.name(&e.Arms[r.Arm])}
	for _, m := range tune.Metrics() {
		if x, ok := r.Figures[m.Name]; ok && (m.Name == "mean" || m.Name == "P99" || m.Name == "turns") {
			parts = append(parts, v.metric(m.Name)+" "+figureOf(&x, m.Unit))
		}
	}
	if r.Verdict != "" {
		parts = append(parts, v.w.Word(r.Verdict))
	}
	if r.Left != "" {
		parts = append(parts, v.t.LeftOut+w.Colon+escape.Clean(r.Codes.Text(lang)))
	}
	if left != "" {
		parts = append(parts, left)
	}
	return strings.Join(parts, " · ")
}
