package tui

import (
	"strconv"

	"github.com/cstest/cstest/unit"
)

// pageOf is the page that is shown: help, the run under way, the runs that were made, or
// else the sections that are the view's own.
func (m *seriesModel[F]) pageOf(progress func() *line, own []section) []*line {
	head := []section{
		{keep: 90, min: 1, max: 1, rows: one(m.header)},
		{keep: 40, min: 1, max: 1, rows: one(m.target)},
		{keep: 80, min: 1, max: 1, rows: one(progress)},
		{keep: 85, min: 1, max: 1, rows: one(m.running)},
	}
	switch {
	case m.help:
		return m.stack([]section{head[0], {keep: 8, min: 1, max: m.height, rows: m.helpRows}})
	case m.page == len(m.pages)-1:
		// The view of a single run, below what is said of the series.
		m.now.words, m.now.colour, m.now.width, m.now.height = m.words, m.colour, m.width, max(m.height-1, 0)
		return append([]*line{progress()}, m.now.body()...)
	case m.page == len(m.pages)-2:
		return m.stack(append(head, section{keep: 70, min: 2, max: m.height, rows: m.madeRows}))
	}
	warnings := min(len(m.at.Warnings), 2)
	return m.stack(append(append(head, own...), section{keep: 60, min: warnings, max: warnings, rows: m.warningRows}))
}

// header is the first row: what the runs have in common, and how long they take.
func (m *seriesModel[F]) header() *line {
	f, c, w := &m.at, m.colour, m.words
	rest := newLine(44).text(c.bold, unit.Clock(f.Elapsed))
	switch {
	case f.Stopping:
		rest = newLine(44).text(c.plain, unit.Clock(f.Elapsed)+"  ").text(c.healing, " "+w.stopping+" ")
	case f.Left > 0 && f.AtLeast:
		rest.text(c.dim, "  "+format(w.leastLeft, unit.Clock(f.Left)))
	case f.Left > 0:
		rest.text(c.dim, "  "+format(w.aboutLeft, unit.Clock(f.Left)))
	}
	l := newLine(m.width).text(c.badge, " cstest ").text("", " ")
	name := ""
	if m.opts.Scenario != nil {
		name = m.opts.Scenario.Name
	}
	l.outer(c.bold, name, max(m.width-rest.w-l.w-2, 0))
	return l.to(m.width - rest.w - 1).join(rest)
}

func (m *seriesModel[F]) target() *line {
	text := m.opts.Target
	if s := m.opts.Scenario; s != nil && s.Seed != 0 {
		text += " · " + m.words.seed + " " + strconv.FormatUint(s.Seed, 10)
	}
	return newLine(m.width).text("", " ").outer(m.colour.dim, text, m.width-2)
}

// progress is how many of the runs are made, and what is said of it.
func (m *seriesModel[F]) progress(said string) *line {
	tail := newLine(max(m.width-gutter, 0)).text(m.colour.plain, said)
	return m.bar(m.words.progress, m.colour.accent, float64(m.at.Done)+m.share(), float64(m.at.Of), tail)
}

// running is the run under way: what it has, and how far it is.
func (m *seriesModel[F]) running() *line {
	c, w := m.colour, m.words
	if m.allMade() {
		return newLine(m.width).text("", " ").text(c.dim, w.now).to(gutter).text(c.dim, w.allMade)
	}
	n := &m.at.Now
	room := m.width
	if m.width < narrow {
		room -= gutter // there is no bar
	}
	tail := newLine(room).outer(c.bold, m.at.Running, max(m.width/4, 14))
	switch {
	case n.Phase != Loading && int(n.Phase) < len(w.phases):
		tail.text(c.dim, "  "+w.phases[n.Phase])
	case n.Stage != "":
		tail.text(c.dim, "  ").outer(c.title, n.Stage, 14)
	}
	tail.text(c.plain, "  "+unit.Clock(n.Elapsed)+" "+w.of+" "+unit.Clock(n.Total))
	if n.Phase != Starting && m.width >= narrow {
		tail.text(c.dim, "  "+count(n.Last.Turns)+"/s  P50 "+millis(n.Last.P50))
	}
	return m.bar(w.now, c.good, m.share(), 1, tail)
}

// share is how far the run under way is.
func (m *seriesModel[F]) share() float64 {
	n := &m.at.Now
	if n.Total <= 0 || m.at.Done >= m.at.Of {
		return 0
	}
	return min(max(float64(n.Elapsed)/float64(n.Total), 0), 1)
}

// bar is a name, how far something is, and what is said of it. What is said has
// precedence, but for a bar of a few cells.
func (m *seriesModel[F]) bar(name string, p paint, done, of float64, tail *line) *line {
	l := newLine(m.width).text("", " ").text(m.colour.dim, name).to(gutter)
	if m.width < narrow {
		return l.join(tail)
	}
	return l.gauge(p, m.colour.rule, done, of, max(min(m.width-gutter-tail.w-3, m.width/3), 8)).text("", "  ").join(tail)
}

// madeRows are the runs that were made.
func (m *seriesModel[F]) madeRows(n int) []*line {
	made := m.at.Made
	rows := m.window(len(made), n-1)
	out := []*line{m.titleOf(m.words.runs, rows, len(made))}
	if len(made) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(m.colour.dim, m.words.noEffects))
	}
	for _, text := range made[rows.from:rows.to] {
		out = append(out, newLine(m.width).text("", " ").outer(m.colour.plain, text, m.width-2))
	}
	return filled(out, n, m.width)
}

func (m *seriesModel[F]) warningRows(n int) []*line {
	var out []*line
	for _, text := range m.at.Warnings {
		out = append(out, newLine(m.width).text(m.colour.warn, " ! ").outer(m.colour.warn, text, m.width-4))
	}
	return filled(out, n, m.width)
}
