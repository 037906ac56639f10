// Package capacities tells what a search for the highest load found.
package capacities

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/unit"
)

// FileName is the name of a capacity.Result in its directory.
const FileName = "capacity.json"

// Renderings are the files of a search's directory, capacity.json last.
func Renderings(r *capacity.Result, lang reason.Lang) []directory.File {
	return []directory.File{
		{Name: "capacity.html", Write: func(w io.Writer) error { return writeHTML(r, w, lang) }},
		{Name: "capacity.md", Write: func(w io.Writer) error { return writeMarkdown(r, w, lang) }},
		{Name: FileName, Write: func(w io.Writer) error { return WriteJSON(r, w) }},
	}
}

// WriteJSON writes r as indented JSON.
func WriteJSON(r *capacity.Result, out io.Writer) error {
	return escape.JSON(FileName, r, out)
}

// texts is every text of a capacity report beside those of a run's.
type texts struct {
	HoldsF, BreaksF, NothingHolds, AtLeastF string
	NoMoreAsked, NotSure, BreaksFirstF      string
	NeedF, NeedGivenF, ProbesF              string
	TurnsPerS, StartsPerS, Bad, Probe       string
	Load, Held, Broke, Unsure, Invalid      string
	UntilF, FirstF, LaterF, TogetherF       string
	OthersHoldF, Wrong                      string
}

func textsIn(lang reason.Lang) texts {
	if lang == reason.Chinese {
		return chinese()
	}
	return english()
}

func english() texts {
	return texts{
		HoldsF: "Holds %s turns/s (%s starts/s; probes that say so: %s).", BreaksF: "Does not hold %s turns/s (%s starts/s; probes that say so: %s).",
		NothingHolds: "No rate was seen to hold.", AtLeastF: "At least that: %s.", NoMoreAsked: "more was not asked for", NotSure: "Not sure yet: the boundary was not confirmed.",
		BreaksFirstF: "What breaks first: %s.", NeedF: "%s turns/s with %s headroom take %s replicas, of which each holds %s turns/s.",
		NeedGivenF: "There are %s.", ProbesF: "%s probes",
		TurnsPerS: "turns/s", StartsPerS: "starts/s", Bad: "bad", Probe: "probe", Load: "Load against latency", Held: "held", Broke: "broke", Unsure: "unsure", Invalid: "invalid",
		UntilF: "Searched until %s broke, whatever the other objectives did.", FirstF: "%s breaks first: no other objective failed up to %s turns/s.",
		LaterF: "Others break before %s: %s turns/s are too much for them (%s).", TogetherF: "%s and others break at the same rate, as far as these probes tell.",
		OthersHoldF: "No other objective failed in any probe up to %s turns/s.", Wrong: "wrong answers",
	}
}

func chinese() texts {
	return texts{
		HoldsF: "能承受 %s 轮次/秒（会话到达 %s/s，%s 次探测如此）。", BreaksF: "承受不了 %s 轮次/秒（会话到达 %s/s，%s 次探测如此）。",
		NothingHolds: "没有任何速率通过。", AtLeastF: "至少如此：%s。", NoMoreAsked: "没有要求更高", NotSure: "尚不确定：边界没有得到确认。",
		BreaksFirstF: "最先不满足的：%s。", NeedF: "%s 轮次/秒，留 %s 余量，需要 %s 个副本，每个承受 %s 轮次/秒。",
		NeedGivenF: "现有 %s 个。", ProbesF: "%s 次探测",
		TurnsPerS: "轮次/秒", StartsPerS: "会话到达/秒", Bad: "不合格", Probe: "探测", Load: "负载与延迟", Held: "通过", Broke: "不通过", Unsure: "证据不足", Invalid: "压测无效",
		UntilF: "搜索到 %s 不再满足为止，不论其他目标如何。", FirstF: "%s 最先不满足：直到 %s 轮次/秒，其他目标都没有不通过。",
		LaterF: "其他目标先于 %s 不满足：它们承受不了 %s 轮次/秒（%s）。", TogetherF: "就这些探测而言，%s 与其他目标同时不再满足。",
		OthersHoldF: "直到 %s 轮次/秒的每次探测中，其他目标都没有不通过。", Wrong: "错误应答",
	}
}

// view turns a result into sentences and cells.
type view struct {
	r *capacity.Result
	w *words.Words
	t texts
}

// answer is the finding in sentences, most important first.
func (v *view) answer() (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	knee := func(format string, k *capacity.Knee) {
		say(format, unit.Figure(k.Turns), unit.Figure(k.Starts), figure.Whole(int64(k.Probes)))
	}
	if v.r.Holds == nil {
		say("%s", v.t.NothingHolds)
	} else {
		knee(v.t.HoldsF, v.r.Holds)
	}
	if v.r.Breaks != nil {
		knee(v.t.BreaksF, v.r.Breaks)
	}
	if v.r.LimitedBy == "max" {
		say(v.t.AtLeastF, v.t.NoMoreAsked)
	}
	if !v.r.Sure && v.r.Holds != nil {
		say("%s", v.t.NotSure)
	}
	if first := v.first(); first != "" {
		say(v.t.BreaksFirstF, first)
	}
	out = append(out, v.beside()...)
	if n := v.r.Need; n != nil {
		line := fmt.Sprintf(v.t.NeedF, unit.Figure(n.Turns), figure.Share(n.Headroom), figure.Whole(int64(n.Replicas)), unit.Figure(v.r.Holds.Turns))
		if n.Given > 0 {
			line += " " + fmt.Sprintf(v.t.NeedGivenF, figure.Whole(int64(n.Given)))
		}
		out = append(out, line)
	}
	return out
}

// beside says whether answers or the other objectives break first.
func (v *view) beside() (out []string) {
	b := v.r.Beside
	if b == nil {
		return nil
	}
	kind := v.w.Word(string(v.r.Until))
	out = append(out, fmt.Sprintf(v.t.UntilF, kind))
	switch {
	case v.r.Breaks != nil && b.Holds != nil && b.Holds.Starts >= v.r.Breaks.Starts:
		out = append(out, fmt.Sprintf(v.t.FirstF, kind, unit.Figure(b.Holds.Turns)))
	case b.Breaks != nil && (v.r.Breaks == nil || b.Breaks.Starts < v.r.Breaks.Starts):
		out = append(out, fmt.Sprintf(v.t.LaterF, kind, unit.Figure(b.Breaks.Turns), escape.Clean(strings.Join(b.Limits, " · "))))
	case b.Breaks != nil:
		out = append(out, fmt.Sprintf(v.t.TogetherF, kind))
	case b.Holds != nil:
		out = append(out, fmt.Sprintf(v.t.OthersHoldF, unit.Figure(b.Holds.Turns)))
	}
	return out
}

// first is what was not met, and what was seen to run out, where it breaks.
func (v *view) first() string {
	var parts []string
	for _, name := range v.r.Limits {
		parts = append(parts, escape.Clean(name))
	}
	for _, s := range v.r.Signs {
		parts = append(parts, escape.Clean(s.Text(v.w.Lang)))
	}
	return strings.Join(parts, " · ")
}

func (v *view) outcome(o capacity.Outcome) string {
	switch o {
	case capacity.Held:
		return v.t.Held
	case capacity.Broke:
		return v.t.Broke
	case capacity.Unsure:
		return v.t.Unsure
	case capacity.Invalid:
	}
	return v.t.Invalid
}

// barCells is the width of a bar of the largest P99.
const barCells = 20

// probes are the cells of the probes by rate, the last a bar of its P99 where bars are asked for.
func (v *view) probes(bars bool) [][]string {
	list := slices.Clone(v.r.Probes)
	slices.SortStableFunc(list, func(a, b capacity.Probe) int { return cmp.Compare(a.Starts, b.Starts) })
	var most int64
	for _, p := range list {
		if p.P99Ns != nil {
			most = max(most, *p.P99Ns)
		}
	}
	head := []string{v.t.StartsPerS, v.t.TurnsPerS, "P99", v.t.Bad, v.w.Verdict}
	if v.r.Until != "" {
		head = slices.Insert(head, 4, v.t.Wrong)
	}
	if bars {
		head = append(head, "P99")
	}
	rows := [][]string{head}
	for _, p := range list {
		row := []string{unit.Figure(p.Starts), "–", "–", "–", v.outcome(p.Outcome)}
		bar := ""
		if p.Turns != nil {
			row[1] = unit.Figure(*p.Turns)
		}
		if p.P99Ns != nil {
			row[2] = figure.Duration(*p.P99Ns)
			bar = strings.Repeat("█", int(math.Ceil(float64(*p.P99Ns)/float64(most)*barCells)))
		} else if p.P99Infinite {
			row[2] = "∞"
		}
		if p.BadShare != nil {
			row[3] = figure.Share(*p.BadShare)
		}
		if v.r.Until != "" {
			wrong := "–"
			if p.Wrong != nil {
				wrong = figure.Share(*p.Wrong)
			}
			row = slices.Insert(row, 4, wrong)
		}
		if bars {
			row = append(row, bar)
		}
		rows = append(rows, row)
	}
	return rows
}

func (v *view) warnings() []string {
	return words.Texts(v.r.Warnings, v.r.WarningCodes, v.w.Lang)
}

// WriteText prints a search for a terminal or a log.
func WriteText(r *capacity.Result, out io.Writer, opts terminal.Options) error {
	t := terminal.New(out, opts)
	w := words.In(opts.Lang)
	v := view{r: r, w: w, t: textsIn(opts.Lang)}
	mark, sgr := "✓", terminal.Green
	switch r.Verdict {
	case "fail", "invalid":
		mark, sgr = "✗", terminal.Red
	case "inconclusive":
		mark, sgr = "?", terminal.Yellow
	}
	t.Line("")
	t.Line(t.Paint(mark+" "+strings.ToUpper(w.Word(r.Verdict)), terminal.Bold+";"+sgr) + "  " + t.Paint(escape.Fit(escape.Clean(r.Scenario), t.Room()/2), terminal.Bold) + " · " + fmt.Sprintf(v.t.ProbesF, figure.Whole(int64(len(r.Probes)))))
	t.Line(t.Paint(escape.Fit(escape.Clean(r.Target)+" · "+w.Seed+" "+strconv.FormatUint(r.Seed, 10)+" · cstest "+escape.Clean(r.CstestVersion), t.Room()), terminal.Dim))
	t.Line("")
	for _, sentence := range v.answer() {
		t.Wrapped("", sentence, "")
	}
	t.Heading(v.t.Load)
	rows := v.probes(true)
	widths := terminal.Columns(rows, t.Room(), len(rows[0])-1)
	for i, row := range rows {
		cells := make([]string, len(row))
		for c, cell := range row {
			cells[c] = terminal.Pad(escape.Fit(cell, widths[c]), widths[c], c < len(row)-1)
		}
		if s := strings.Join(cells, "  "); i == 0 {
			t.Line(t.Paint(s, terminal.Dim))
		} else {
			t.Line(s)
		}
	}
	t.Line("")
	for _, warning := range v.warnings() {
		t.Wrapped("! ", warning, terminal.Yellow)
	}
	return t.Flush()
}

// writeMarkdown writes a search for a pull request or a page.
func writeMarkdown(r *capacity.Result, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := view{r: r, w: w, t: textsIn(w.Lang)}
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("## %s%s%s\n", markdown.Escape(r.Scenario), w.Colon, w.Word(r.Verdict))
	p("%s · %s %d · cstest %s\n", markdown.Escape(r.Target), w.Seed, r.Seed, markdown.Escape(r.CstestVersion))
	for _, sentence := range v.answer() {
		p("- %s", markdown.Escape(sentence))
	}
	p("")
	markdown.Rows(p, v.probes(false), 0)
	for _, warning := range v.warnings() {
		p("\n> ⚠ %s", markdown.Escape(warning))
	}
	_, err := io.WriteString(out, b.String())
	return err
}
