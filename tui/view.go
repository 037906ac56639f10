package tui

import (
	"math"
	"strconv"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

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

func (m *model) body() []*line {
	switch {
	case m.help:
		return m.stack(m.helpSections())
	case m.width < narrow || m.height < low:
		return m.short()
	case m.page == turnsPage:
		return m.stack(m.turnsSections())
	case m.page == objectivesPage:
		return m.stack(m.objectivesSections())
	default:
		return m.stack(m.overviewSections())
	}
}

func (m *model) helpSections() []section {
	return []section{
		{keep: 9, min: 1, max: 1, rows: one(m.header)},
		{keep: 8, min: 1, max: m.height, rows: m.helpRows},
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
