package tui

import (
	"strconv"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/unit"
)

// body is what stands above the keys.
func (m *experimentModel) body() []*line {
	head := []section{
		{keep: 90, min: 1, max: 1, rows: one(m.header)},
		{keep: 40, min: 1, max: 1, rows: one(m.target)},
		{keep: 80, min: 1, max: 1, rows: one(m.progress)},
		{keep: 85, min: 1, max: 1, rows: one(m.running)},
	}
	switch {
	case m.help:
		return m.stack([]section{head[0], {keep: 8, min: 1, max: m.height, rows: m.helpRows}})
	case m.view == nowView:
		// The view of a single run, below what is said of the experiment.
		m.now.words, m.now.colour, m.now.width, m.now.height = m.words, m.colour, m.width, max(m.height-1, 0)
		return append([]*line{m.progress()}, m.now.body()...)
	case m.view == runsView:
		return m.stack(append(head, section{keep: 70, min: 2, max: m.height, rows: m.madeRows}))
	}
	warnings := min(len(m.frame.Warnings), 2)
	return m.stack(append(
		head,
		section{keep: 70, min: 3, max: m.height, rows: m.effectRows},
		section{keep: 60, min: warnings, max: warnings, rows: m.warningRows},
	))
}

// header is the first row: what is compared, and how long it takes.
func (m *experimentModel) header() *line {
	f, c, w := &m.frame, m.colour, m.words
	rest := newLine(44)
	switch {
	case f.Stopping:
		rest.text(c.plain, unit.Clock(f.Elapsed)+"  ").text(c.healing, " "+w.stopping+" ")
	case f.Left > 0:
		rest.text(c.bold, unit.Clock(f.Elapsed)).text(c.dim, "  "+format(w.aboutLeft, unit.Clock(f.Left)))
	default:
		rest.text(c.bold, unit.Clock(f.Elapsed))
	}
	l := newLine(m.width).text(c.badge, " cstest ").text("", " ")
	name := ""
	if m.opts.Scenario != nil {
		name = m.opts.Scenario.Name
	}
	l.outer(c.bold, name, max(m.width-rest.w-l.w-2, 0))
	return l.to(m.width - rest.w - 1).join(rest)
}

func (m *experimentModel) target() *line {
	text := m.opts.Target
	if s := m.opts.Scenario; s != nil && s.Seed != 0 {
		text += " · " + m.words.seed + " " + strconv.FormatUint(s.Seed, 10)
	}
	return newLine(m.width).text("", " ").outer(m.colour.dim, text, m.width-2)
}

// progress is how many of the runs are made.
func (m *experimentModel) progress() *line {
	f, c, w := &m.frame, m.colour, m.words
	tail := format(w.roundOf, f.Round, f.Rounds) + " · " + format(w.runOf, min(f.Done+1, f.Of), f.Of)
	return m.bar(w.rounds, c.accent, float64(f.Done)+m.share(), float64(f.Of), newLine(max(m.width-gutter, 0)).text(c.plain, tail))
}

// running is the run under way: what it has, and how far it is.
func (m *experimentModel) running() *line {
	f, c, w := &m.frame, m.colour, m.words
	if f.Done >= f.Of && f.Of > 0 {
		return newLine(m.width).text("", " ").text(c.dim, w.now).to(gutter).text(c.dim, w.allMade)
	}
	n := &f.Now
	room := m.width
	if m.width < narrow {
		room -= gutter // there is no bar
	}
	tail := newLine(room).outer(c.bold, f.Variant, max(m.width/4, 8))
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
func (m *experimentModel) share() float64 {
	n := &m.frame.Now
	if n.Total <= 0 || m.frame.Done >= m.frame.Of {
		return 0
	}
	return min(max(float64(n.Elapsed)/float64(n.Total), 0), 1)
}

// bar is a name, how far something is, and what is said of it. What is said has
// precedence, but for a bar of a few cells.
func (m *experimentModel) bar(name string, p paint, done, of float64, tail *line) *line {
	l := newLine(m.width).text("", " ").text(m.colour.dim, name).to(gutter)
	if m.width < narrow {
		return l.join(tail)
	}
	return l.gauge(p, m.colour.rule, done, of, max(min(m.width-gutter-tail.w-3, m.width/3), 8)).text("", "  ").join(tail)
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
	if m.frame.Done >= m.frame.Of && m.frame.Of > 0 {
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

// window is which of so many rows are shown where there is room for n.
type window struct{ from, to int }

func (m *experimentModel) window(rows, n int) window {
	n = max(n, 0)
	m.page = n
	m.scroll = min(max(m.scroll, 0), max(rows-n, 0))
	return window{m.scroll, min(m.scroll+n, rows)}
}

// titleOf is a title that says which of the rows below are shown, where not all are.
func (m *experimentModel) titleOf(name string, rows window, all int) *line {
	if rows.to-rows.from < all {
		name += " · " + strconv.Itoa(rows.from+1) + "–" + strconv.Itoa(rows.to) + "/" + strconv.Itoa(all) + " ↑↓"
	}
	return m.title(m.width, name)
}

// madeRows are the runs that were made.
func (m *experimentModel) madeRows(n int) []*line {
	made := m.frame.Made
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

func (m *experimentModel) warningRows(n int) []*line {
	var out []*line
	for _, text := range m.frame.Warnings {
		out = append(out, newLine(m.width).text(m.colour.warn, " ! ").outer(m.colour.warn, text, m.width-4))
	}
	return filled(out, n, m.width)
}

func (m *experimentModel) helpRows(n int) []*line {
	out := []*line{m.title(m.width, m.words.keyHelp)}
	for _, h := range m.words.experimentHelp {
		l := newLine(m.width).text("", " ").text(m.colour.title, h[0])
		out = append(out, l.to(max(14, l.w+1)).text("", h[1]))
	}
	return filled(out, n, m.width)
}

// filled are n rows: those there are, and blank ones below.
func filled(rows []*line, n, width int) []*line {
	for len(rows) < n {
		rows = append(rows, newLine(width))
	}
	return rows[:n]
}

// footer is the keys, and which view this is.
func (m *experimentModel) footer() *line {
	w := m.words
	stop, pause, held := w.keyStop, w.keyPause, ""
	if m.asked || m.frame.Stopping {
		stop = w.keyStopHard
	}
	if m.paused {
		pause, held = w.keyResume, w.paused+" "+unit.Clock(m.frame.Elapsed.Truncate(time.Second))
	}
	view := m.view
	if m.help {
		view = -1
	}
	return m.keys(held, [][2]string{{"q", stop}, {"p", pause}, {"tab", w.keyViews}, {"?", w.keyHelp}}, w.experimentViews[:], view)
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
