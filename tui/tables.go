package tui

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

func (m *model) turnsSections() []section {
	turns := len(m.frame.Turns) + 2
	return []section{
		{keep: 90, min: 1, max: 1, rows: one(m.header)},
		{keep: 40, min: 1, max: 1, rows: one(m.subheader)},
		{keep: 85, min: 1, max: 1, rows: one(m.banner)},
		{keep: 70, min: min(turns, max(m.height/2-2, 4)), max: max(turns, 4), rows: m.turnRows},
		{keep: 60, min: 4, max: 40, rows: m.failureRows},
	}
}

// turnRows is a table of the scenario's turns.
func (m *model) turnRows(n int) []*line {
	c, w := m.colour, m.words
	cols := [4]int{m.width - 31, m.width - 21, m.width - 11, m.width - 1}
	say := max(m.width/4, 12)
	out := []*line{
		m.title(m.width, w.turnsTitle),
		newLine(m.width).text("", " ").text(c.dim, w.conversation).to(say).text(c.dim, w.say).
			right(c.dim, "n", cols[0]).right(c.dim, w.answered, cols[1]).right(c.dim, "P50", cols[2]).right(c.dim, "P99", cols[3]),
	}
	limit := float64(m.limit("p99"))
	for i, t := range m.frame.Turns {
		name := t.Conversation
		if i > 0 && m.frame.Turns[i-1].Conversation == name {
			name = ""
		}
		answered := c.good
		if t.Answered < t.Turns {
			answered = c.warn
		}
		l := newLine(m.width).text("", " ").outer(c.bold, name, say-2).to(say)
		l.text(c.dim, strconv.Itoa(t.Index+1)+" ").outer(c.plain, t.Say, cols[0]-l.w-8)
		out = append(out, l.right(c.plain, count(t.Turns), cols[0]).right(answered, share(t.Answered, t.Turns), cols[1]).
			right(c.plain, millis(t.P50), cols[2]).right(c.against(float64(t.P99), limit), millis(t.P99), cols[3]))
	}
	if len(m.frame.Turns) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(c.dim, w.noTurns))
	}
	if len(out) > n {
		out = append(out[:n-1], newLine(m.width).text("", " ").text(c.dim, "… +"+strconv.Itoa(len(out)-n+1)))
	}
	for len(out) < n {
		out = append(out, newLine(m.width))
	}
	return out[:n]
}

func (m *model) objectivesSections() []section {
	return []section{
		{keep: 90, min: 1, max: 1, rows: one(m.header)},
		{keep: 40, min: 1, max: 1, rows: one(m.subheader)},
		{keep: 85, min: 1, max: 1, rows: one(m.banner)},
		{keep: 70, min: 2, max: m.height, rows: m.objectiveRows},
	}
}

// objectiveRows is a table of the objectives; where there is room, the reason
// stands under each.
func (m *model) objectiveRows(n int) []*line {
	c, w := m.colour, m.words
	objectives := m.frame.Objectives
	title := m.title(m.width, w.objectives)
	out := []*line{title}
	if len(objectives) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(c.dim, w.noObjectives))
	}
	why := m.reasonsIn(n - 1 - len(objectives))
	name := max(m.width/4, 16)
	for i, o := range objectives {
		p := c.verdict(o.Verdict)
		word := ""
		if o.Verdict <= sla.Incomplete {
			word = w.word(o.Verdict.String())
		}
		l := newLine(m.width).text("", " ").text(p, verdictMark(o.Verdict)+" ").outer(c.bold, o.Name, name-4).to(name).text(p, word)
		l.to(name+14).text(c.plain, measured(&o)).text(c.dim, "  "+asked(&o))
		if o.N > 0 && told(&o) {
			tail := "n " + count(o.N)
			if o.Bad > 0 {
				tail = count(o.Bad) + " " + w.bad + "  " + tail
			}
			if l.w+textWidth(tail)+2 <= m.width {
				l.right(c.dim, tail, m.width-1)
			}
		}
		out = append(out, l)
		for _, part := range why[i] {
			out = append(out, newLine(m.width).text("", "   ").outer(c.dim, part, m.width-4))
		}
	}
	if len(out) > n {
		out = out[:n]
	}
	return out
}

// reasonsIn gives the reasons of the objectives in lines, of which there is room for
// n: whole, or where that is too much their first lines, or none.
func (m *model) reasonsIn(n int) [][]string {
	objectives := m.frame.Objectives
	whole, first := make([][]string, len(objectives)), make([][]string, len(objectives))
	lines, some := 0, 0
	for i := range objectives {
		text := m.reason(&objectives[i])
		if text == "" {
			continue
		}
		whole[i] = strings.Split(ansi.Wrap(inert(text, longestReason), max(m.width-4, 1), ""), "\n")
		first[i] = []string{text}
		lines += len(whole[i])
		some++
	}
	switch {
	case lines <= n:
		return whole
	case some < n:
		return first
	}
	return make([][]string, len(objectives))
}

// longestReason is more than any reason has of characters.
const longestReason = 2000

// told tells whether anything is known of an objective: before there is, its figures
// are those of nothing.
func told(o *sla.Judged) bool {
	switch o.Kind {
	case scenario.KindRecoveryLatency, scenario.KindRecoveryQuality:
		return o.Verdict == sla.Pass || o.Verdict == sla.Fail
	default:
		return o.N > 0 || o.Verdict == sla.Pass || o.Verdict == sla.Fail
	}
}

func (m *model) reason(o *sla.Judged) string {
	if o.Verdict == sla.Inconclusive && o.Needs > 0 {
		needs := format(m.words.needs, count(o.Needs))
		if len(o.Reason) == 0 {
			return needs
		}
		return o.Reason.Text(m.words.lang) + " · " + needs
	}
	return o.Reason.Text(m.words.lang)
}

// measured prints an objective's figure in its unit.
func measured(o *sla.Judged) string {
	if !told(o) {
		return nothing
	}
	return quantity(o.Measured, o.Unit)
}

// asked prints what the objective wants.
func asked(o *sla.Judged) string {
	switch {
	case o.Unit == "share" && o.Limit > 0:
		return "≥ " + quantity(o.Target, o.Unit) + " ≤ " + span(o.Limit)
	case o.Unit == "share":
		return "≥ " + quantity(o.Target, o.Unit)
	case o.Unit == "ns" && o.Limit > 0:
		return "≤ " + span(o.Limit)
	case o.Unit == "ns":
		return "≤ " + span(time.Duration(o.Target))
	}
	return "≤ " + quantity(o.Target, o.Unit)
}

func quantity(v float64, in string) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return nothing
	case in == "share":
		return unit.Share(v).Text()
	case in == "ns":
		return span(time.Duration(v))
	case in == "s":
		return span(time.Duration(v * float64(time.Second)))
	}
	return unit.Figure(v)
}
