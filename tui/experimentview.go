package tui

import "github.com/charmbracelet/x/ansi"

func (m *experimentModel) body() []*line {
	return m.pageOf(m.rounds, []section{{keep: 70, min: 3, max: m.height, rows: m.effectRows}})
}

// rounds is how many of the runs are made.
func (m *experimentModel) rounds() *line {
	f, w := &m.frame, m.words
	return m.progress(format(w.roundOf, f.Round, f.Rounds) + " · " + format(w.runOf, min(f.Done+1, f.Of), f.Of))
}

// effectColumns are where the columns of the table of effects end; -1 leaves one out.
type effectColumns struct{ variant, measured, change, bounds, verdict int }

func (m *experimentModel) columns() effectColumns {
	widest := func(of func(*EffectLine) string, least string) int {
		n := textWidth(least)
		for i := range m.frame.Effects {
			n = max(n, min(ansi.StringWidth(of(&m.frame.Effects[i])), m.width/3))
		}
		return n
	}
	w := m.words
	metric := widest(func(e *EffectLine) string { return e.Metric }, w.metric)
	variant := widest(func(e *EffectLine) string { return e.Variant }, w.variant)
	value := widest(func(e *EffectLine) string { return e.Measured }, w.measured)
	change := widest(func(e *EffectLine) string { return e.Change }, w.change)
	bounds := widest(func(e *EffectLine) string { return e.Bounds }, w.bounds)
	verdict := widest(func(e *EffectLine) string { return e.Verdict }, w.verdictSoFar)
	c := effectColumns{variant: metric + 3}
	room := m.width - c.variant - 2*2 - change - verdict - 1
	if room-value-2-bounds-2 >= min(variant, 16) {
		room -= bounds + 2
	} else {
		bounds = -2
	}
	if room-value-2 >= min(variant, 8) {
		room -= value + 2
	} else {
		value = -2
	}
	at := c.variant + max(min(variant, room), 4)
	c.measured, c.change, c.bounds = -1, at+2+value+2+change, -1
	if value >= 0 {
		c.measured = at + 2 + value
	}
	if bounds >= 0 {
		c.bounds = c.change + 2 + bounds
	}
	c.verdict = max(c.change, c.bounds) + 2
	return c
}

// effectRows is the table of what is known so far.
func (m *experimentModel) effectRows(n int) []*line {
	c, w, at := m.colour, m.words, m.columns()
	head := newLine(m.width).text("", " ").text(c.dim, w.metric).to(at.variant).text(c.dim, w.variant)
	if at.measured >= 0 {
		head.right(c.dim, w.measured, at.measured)
	}
	head.right(c.dim, w.change, at.change)
	if at.bounds >= 0 {
		head.right(c.dim, w.bounds, at.bounds)
	}
	head.to(at.verdict).text(c.dim, w.verdictSoFar)
	rows := m.window(len(m.frame.Effects), n-2)
	title := w.effects + " · " + w.provisional
	if m.allMade() {
		title = w.effects
	}
	out := []*line{m.titleOf(title, rows, len(m.frame.Effects)), head}
	if len(m.frame.Effects) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(c.dim, w.noEffects))
	}
	for i := rows.from; i < rows.to; i++ {
		e := &m.frame.Effects[i]
		name := e.Metric
		if i == rows.from && name == "" {
			name = m.metricAt(i)
		}
		l := newLine(m.width).text("", " ").outer(c.title, name, at.variant-2).to(at.variant).outer(c.plain, e.Variant, max(columnBefore(at)-at.variant-2, 4))
		put := func(p paint, text string, end int) {
			if end >= 0 {
				l.right(p, clean(text, max(end-l.w, 0)), end)
			}
		}
		put(c.plain, e.Measured, at.measured)
		put(c.sign(e.Sign), e.Change, at.change)
		put(c.dim, e.Bounds, at.bounds)
		l.to(at.verdict).outer(c.sign(e.Sign), e.Verdict, m.width-at.verdict)
		if needs := " · " + clean(e.Needs, 24); e.Needs != "" && l.w+textWidth(needs) <= m.width {
			l.text(c.dim, needs)
		}
		out = append(out, l)
	}
	return filled(out, n, m.width)
}

// columnBefore is where the first column of figures may begin at the least.
func columnBefore(at effectColumns) int {
	if at.measured >= 0 {
		return at.measured - 6
	}
	return at.change - 6
}

// metricAt is the metric of a row that does not name it.
func (m *experimentModel) metricAt(i int) string {
	for ; i >= 0; i-- {
		if name := m.frame.Effects[i].Metric; name != "" {
			return name
		}
	}
	return ""
}

// sign colours what points one way.
func (p *palette) sign(s Sign) paint {
	switch s {
	case Better:
		return p.good
	case Worse:
		return p.bad
	case Same:
		return p.accent
	case Undecided:
	}
	return p.dim
}
