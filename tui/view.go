package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// section is a block of rows of the screen. When the screen is too low the
// sections with the least keep go first; rows to spare go to those that can grow.
type section struct {
	keep int
	min  int
	max  int
	rows func(n int) []*line
}

// narrow and low are where the two-column layout ends and the short list begins.
const (
	narrow = 72
	low    = 12
)

// rows draws the whole screen: at most height rows of at most width cells.
func (m *model) rows() []string {
	if m.width <= 0 || m.height <= 0 {
		return nil
	}
	var body []*line
	switch {
	case m.help:
		body = m.stack(m.helpSections())
	case m.width < narrow || m.height < low:
		body = m.short()
	case m.view == turnsView:
		body = m.stack(m.turnsSections())
	case m.view == objectivesView:
		body = m.stack(m.objectivesSections())
	default:
		body = m.stack(m.overviewSections())
	}
	out := make([]string, 0, m.height)
	for _, l := range body {
		if len(out) < m.height-1 {
			out = append(out, l.String())
		}
	}
	for len(out) < m.height-1 {
		out = append(out, "")
	}
	return append(out, m.footer().String())
}

// stack fits sections into the rows above the footer.
func (m *model) stack(sections []section) []*line {
	room := m.height - 1
	sizes := make([]int, len(sections))
	need := 0
	for i, s := range sections {
		sizes[i] = s.min
		need += s.min
	}
	for need > room {
		worst := least(sections, func(i int) bool { return sizes[i] > 0 })
		if worst < 0 {
			break
		}
		need -= sizes[worst]
		sizes[worst] = 0
	}
	// What went for a larger one's sake may fit after all, the most wanted first.
	for range sections {
		best := -1
		for i, s := range sections {
			if sizes[i] == 0 && s.min > 0 && need+s.min <= room && (best < 0 || s.keep > sections[best].keep) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		sizes[best] = sections[best].min
		need += sizes[best]
	}
	for grown := true; grown && need < room; {
		grown = false
		for i, s := range sections {
			if need < room && sizes[i] > 0 && sizes[i] < s.max {
				sizes[i]++
				need++
				grown = true
			}
		}
	}
	var out []*line
	for i, s := range sections {
		if sizes[i] > 0 {
			out = append(out, s.rows(sizes[i])...)
		}
	}
	return out
}

// least is the section with the least keep among those that hold; -1: none.
func least(sections []section, holds func(int) bool) int {
	found := -1
	for i, s := range sections {
		if holds(i) && (found < 0 || s.keep < sections[found].keep) {
			found = i
		}
	}
	return found
}

func one(f func() *line) func(int) []*line { return func(int) []*line { return []*line{f()} } }

// header is the first row: what runs, where it is, how long it takes.
func (m *model) header() *line {
	f, c := &m.frame, m.colour
	clockText := unit.Clock(f.Elapsed) + " " + m.words.of + " " + unit.Clock(f.Total)
	rest := newLine(40)
	switch f.Phase {
	case Starting, Judging:
		rest.text(c.accent, m.words.phases[f.Phase])
	case Draining:
		rest.text(c.plain, clockText).text(c.accent, "  "+m.words.phases[Draining])
	default:
		rest.text(c.bold, clockText)
		if f.Total > f.Elapsed {
			rest.text(c.dim, "  "+unit.Clock(until(f.Total, f.Elapsed))+" "+m.words.left)
		}
	}
	if f.Stopping {
		rest = newLine(40).text(c.plain, clockText+"  ").text(c.healing, " "+m.words.stopping+" ")
	}
	l := newLine(m.width)
	l.text(c.badge, " cstest ").text("", " ")
	room := max(m.width-rest.w-l.w-2, 0)
	name := ""
	if m.opts.Scenario != nil {
		name = m.opts.Scenario.Name
	}
	before := l.w
	l.outer(c.bold, name, room)
	if stage := room - (l.w - before) - 4; f.Stage != "" && f.Phase == Loading && stage > 3 {
		l.text(c.dim, "  ▸ ").outer(c.title, f.Stage, stage)
	}
	return l.to(m.width - rest.w - 1).join(rest)
}

// subheader is what is tested, and how the objectives stand.
func (m *model) subheader() *line {
	marks := m.marks()
	l := newLine(m.width)
	room := m.width - marks.w - 4
	text := m.opts.Target
	if s := m.opts.Scenario; s != nil && s.Seed != 0 {
		text += " · " + m.words.seed + " " + strconv.FormatUint(s.Seed, 10)
	}
	l.text("", " ").outer(m.colour.dim, text, room)
	return l.to(m.width - marks.w - 1).join(marks)
}

// marks counts the objectives by verdict: "✓ 4  ? 1  ✗ 0".
func (m *model) marks() *line {
	l := newLine(40)
	if len(m.frame.Objectives) == 0 {
		return l
	}
	var n [sla.Incomplete + 1]int
	for _, o := range m.frame.Objectives {
		if int(o.Verdict) < len(n) {
			n[o.Verdict]++
		}
	}
	for i, v := range []sla.Verdict{sla.Pass, sla.Inconclusive, sla.Fail, sla.NotVerified} {
		if n[v] == 0 && v == sla.NotVerified {
			continue
		}
		p := m.colour.dim
		if n[v] > 0 {
			p = m.colour.verdict(v)
		}
		if i > 0 {
			l.text("", "  ")
		}
		l.text(p, verdictMark(v)+" "+strconv.Itoa(n[v]))
	}
	return l
}

// title is a rule with a name in it.
func (m *model) title(width int, name string) *line {
	return newLine(width).glyphs(m.colour.rule, "─", 1).text("", " ").text(m.colour.title, name).
		text("", " ").glyphs(m.colour.rule, "─", width)
}

// beside sets two blocks next to each other.
func (m *model) beside(left, right []*line, col int) []*line {
	out := make([]*line, max(len(left), len(right)))
	for i := range out {
		out[i] = newLine(m.width)
		if i < len(left) {
			out[i].join(left[i])
		}
		if i < len(right) {
			out[i].to(col).join(right[i])
		}
	}
	return out
}

// footer is the keys, and which view this is.
func (m *model) footer() *line {
	c, w := m.colour, m.words
	l := newLine(m.width)
	key := func(k, what string) {
		if need := textWidth(k) + textWidth(what) + 3; l.w+need <= m.width {
			l.text("", " ").text(c.title, k).text(c.dim, " "+what+" ")
		}
	}
	stop := w.keyStop
	if m.asked || m.frame.Stopping {
		stop = w.keyStopHard
	}
	if m.paused {
		l.text("", " ").text(c.paused, " "+w.paused+" "+unit.Clock(m.frame.Elapsed)+" ")
	}
	key("q", stop)
	if m.paused {
		key("p", w.keyResume)
	} else {
		key("p", w.keyPause)
	}
	key("tab", w.keyViews)
	key("?", w.keyHelp)
	tabs := newLine(m.width)
	for i, name := range w.views {
		if i > 0 {
			tabs.text(c.rule, " │ ")
		}
		if i == m.view && !m.help {
			tabs.text(c.bold, name)
		} else {
			tabs.text(c.dim, name)
		}
	}
	if l.w+tabs.w+2 <= m.width {
		l.to(m.width - tabs.w - 1).join(tabs)
	}
	return l
}

func (m *model) helpSections() []section {
	return []section{
		{keep: 9, min: 1, max: 1, rows: one(m.header)},
		{keep: 8, min: 1, max: m.height, rows: func(n int) []*line {
			out := []*line{m.title(m.width, m.words.keyHelp)}
			for _, h := range m.words.help {
				l := newLine(m.width).text("", " ").text(m.colour.title, h[0])
				out = append(out, l.to(max(14, l.w+1)).text("", h[1]))
			}
			return out[:min(n, len(out))]
		}},
	}
}

// share of the frame's answers: as the availability objective has it, where there is one.
func (m *model) answered() string {
	for _, o := range m.frame.Objectives {
		if o.Kind == scenario.KindAvailability && o.N > 0 && !math.IsNaN(o.Measured) {
			return share(o.N-o.Bad, o.N)
		}
	}
	c := m.frame.SoFar.classes()
	return share(c.n-c.bad, c.n)
}

func format(text string, args ...any) string {
	if strings.Contains(text, "%") {
		return fmt.Sprintf(text, args...)
	}
	return text
}
