package tui

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func (m *model) overviewSections() []section {
	return []section{
		{keep: 90, min: 1, max: 1, rows: one(m.header)},
		{keep: 40, min: 1, max: 1, rows: one(m.subheader)},
		{keep: 80, min: 2, max: 2, rows: func(int) []*line { return []*line{m.stageNames(), m.stageBar()} }},
		{keep: 50, min: 1, max: m.chartHeight(), rows: m.startsChart},
		{keep: 51, min: 1, max: m.chartHeight(), rows: m.latencyChart},
		{keep: 85, min: 1, max: 1, rows: one(m.banner)},
		{keep: 60, min: min(1, len(m.frame.Observed)), max: min(1, len(m.frame.Observed)), rows: m.observedRows},
		{keep: 75, min: 5, max: 5, rows: func(int) []*line { return m.beside(m.loadRows(), m.responseRows(), m.half()) }},
		{keep: 70, min: 4, max: 4, rows: func(int) []*line { return m.answerRows() }},
		{keep: 65, min: 4, max: 4, rows: func(int) []*line { return m.beside(m.availabilityRows(), m.generatorRows(), m.half()) }},
		{keep: 45, min: 3, max: 8, rows: m.failureRows},
		{keep: 10, min: m.spareObjectives(), max: m.spareObjectives(), rows: m.objectiveRows},
	}
}

// chartHeight grows with the screen, a third of what is beyond 24 rows each.
func (m *model) chartHeight() int { return 1 + max(0, min((m.height-24)/3, 9)) }

// spareObjectives is how many rows the objectives take, title and all, where a
// tall screen holds them and charts of some height.
func (m *model) spareObjectives() int {
	n := len(m.frame.Objectives)
	if n == 0 || m.height < 24+n+1+4 {
		return 0
	}
	return n + 1
}

// half is where the right of two columns begins.
func (m *model) half() int { return m.width * 9 / 16 }

// column is where an offset from the start of the load stands in the plots.
func (m *model) column(t time.Duration) int {
	if m.frame.Total <= 0 {
		return 0
	}
	share := float64(t) / float64(m.frame.Total)
	return int(min(max(share, 0), 1) * float64(m.plotWidth()))
}

func (m *model) stageNames() *line {
	l := newLine(m.width).to(gutter)
	stages := m.frame.Stages
	for i, s := range stages {
		from, to := m.column(s.Start), m.plotWidth()
		if i+1 < len(stages) {
			to = m.column(stages[i+1].Start)
		}
		if from+gutter < l.w || to-from < 3 {
			continue
		}
		p := m.colour.dim
		if s.Name == m.frame.Stage && m.frame.Phase == Loading {
			p = m.colour.title
		}
		l.to(gutter+from).text(p, ansi.Truncate(clean(s.Name, 40), to-from-1, ""))
	}
	return l
}

// stageBar is the run from edge to edge: what is done, what is to come, where
// the storms are.
func (m *model) stageBar() *line {
	c, f := m.colour, &m.frame
	l := newLine(m.width).text("", " ").text(c.dim, m.words.stage).to(gutter)
	width, done := m.plotWidth(), m.column(f.Elapsed)
	if f.Phase >= Draining {
		done = width
	}
	cells := make([]paint, width)
	for i := range cells {
		if i < done {
			cells[i] = c.accent
		} else {
			cells[i] = c.rule
		}
	}
	for _, s := range f.Storms {
		end := s.End
		if end <= s.Start {
			end = max(f.Elapsed, s.Start)
		}
		for i := m.column(s.Start); i < min(max(m.column(end), m.column(s.Start)+1), width); i++ {
			cells[i] = c.storm
		}
	}
	for i := 0; i < width; {
		j := i + 1
		for j < width && cells[j] == cells[i] && (j < done) == (i < done) {
			j++
		}
		glyph := "━"
		if i >= done {
			glyph = "─"
		}
		l.glyphs(cells[i], glyph, j-i)
		i = j
	}
	if f.Total > 0 {
		l.right(c.dim, strconv.Itoa(int(100*min(f.Elapsed.Seconds()/f.Total.Seconds(), 1)))+" %", m.width-1)
	}
	return l
}

func (m *model) startsChart(rows int) []*line {
	var bars []bar
	ceiling := m.frame.Planned
	for _, t := range m.columns(m.plotWidth()) {
		b := bar{v: math.NaN(), paint: m.colour.accent}
		if t.seconds > 0 {
			b.v = t.starts / float64(t.seconds)
			ceiling = max(ceiling, b.v)
		}
		bars = append(bars, b)
	}
	return m.plot(rows, m.words.starts, perSecond(m.frame.Achieved), bars, ceiling, 0, m.colour.plain)
}

func (m *model) latencyChart(rows int) []*line {
	limit := float64(m.limit("p99"))
	ceiling := limit
	var bars []bar
	for _, t := range m.columns(m.plotWidth()) {
		b := bar{v: math.NaN(), paint: m.colour.against(float64(t.tail), limit)}
		if t.tail > 0 {
			b.v = float64(t.tail)
			ceiling = max(ceiling, b.v)
		}
		switch {
		case t.p99 == 0 && (limit <= 0 || float64(t.tail) <= limit):
			b.paint = m.colour.accent // of a lower quantile that says nothing of the P99
		case b.paint == m.colour.plain:
			b.paint = m.colour.good
		}
		bars = append(bars, b)
	}
	// One stall of seconds must not flatten all the rest to nothing.
	if limit > 0 {
		ceiling = min(ceiling, 3*limit)
	}
	name, value := m.frame.Last.tail()
	return m.plot(rows, name, millis(value), bars, ceiling, limit, m.colour.against(float64(value), limit))
}

func (m *model) plot(rows int, name, value string, bars []bar, ceiling, mark float64, p paint) []*line {
	out := make([]*line, rows)
	for r := range out {
		l := newLine(m.width)
		if r == rows-1 {
			l.text("", " ").text(m.colour.dim, name)
		}
		l.to(gutter).chart(bars, m.plotWidth(), r, rows, ceiling, mark, m.colour.rule)
		if r == rows-1 {
			l.right(p, value, m.width-1)
		}
		out[r] = l
	}
	return out
}

// banner says what the storm does: on, over and being recovered from, to come.
func (m *model) banner() *line {
	f, w, c := &m.frame, m.words, m.colour
	l := newLine(m.width)
	s, when, ok := stormAt(f.Storms, f.Elapsed, m.recovery())
	if !ok || f.Phase != Loading && when == comingStorm || f.Phase == Starting {
		return l
	}
	name := clean(s.Name, 24)
	kind := clean(s.Kind, 16)
	calls := ""
	if f.CallsKnown {
		calls = " · " + format(w.calls, unit.Figure(f.CallsPerTurn))
	}
	switch when {
	case stormOn:
		text := " " + w.stormOn + "  " + name + " (" + kind + ")"
		if s.End > s.Start {
			text += " · " + format(w.stormEnds, unit.Clock(until(s.End, f.Elapsed)))
		}
		l.text(c.stormOn, text+calls)
		return l.glyphs(c.stormOn, " ", m.width)
	case stormRecovery:
		p := c.healing
		if cl := f.Last.classes(); cl.n > 0 && float64(cl.ok) >= 0.95*float64(cl.n) {
			p = c.healed
		}
		text := " " + name + " " + format(w.stormOver, span((f.Elapsed-s.End).Truncate(time.Second))) + " · " + format(w.stormAllowed, span(m.recovery()))
		l.text(p, text+calls)
		return l.glyphs(p, " ", m.width)
	default:
		return l.to(gutter).text(c.storm, format(w.stormComing, name, kind, unit.Clock(until(s.Start, f.Elapsed))))
	}
}

// usersPlanned is " of 200 planned", where that is known.
func (m *model) usersPlanned() string {
	if m.frame.UsersPlanned <= 0 {
		return ""
	}
	return " " + format(m.words.planned, count(m.frame.UsersPlanned))
}

func (m *model) loadRows() []*line {
	f, w, c := &m.frame, m.words, m.colour
	width := m.half() - 1
	row := func(name string) *line { return newLine(width).text("", " ").text(c.dim, name).to(12) }
	out := []*line{m.title(width, w.load)}
	if f.Users > 0 {
		out = append(out, row(w.users).text(c.bold, count(f.Users)).text(c.dim, m.usersPlanned()))
	} else {
		p := c.bold
		if f.Achieved < 0.95*f.Planned {
			p = c.bad
		}
		out = append(out, row(w.arrivals).text(p, perSecond(f.Achieved)).text(c.dim, " "+format(w.planned, perSecond(f.Planned))))
	}
	return append(out,
		row(w.turns).text(c.bold, perSecond(float64(f.Last.Turns))).text(c.dim, "  "+count(f.SoFar.Turns)+" "+w.soFar),
		row(w.inFlight).text(c.bold, count(f.InFlight)),
		row(w.live).text(c.bold, count(f.Conversations)))
}

func (m *model) responseRows() []*line {
	f, w, c := &m.frame, m.words, m.colour
	width := m.width - m.half()
	head := m.title(width, w.response)
	cols := [3]int{12, 21, 29}
	names := newLine(width).right(c.dim, w.now, cols[0]).right(c.dim, w.soFar, cols[1]).right(c.dim, w.budget, cols[2])
	out := []*line{head, names}
	for _, q := range []struct {
		name, key  string
		now, total time.Duration
	}{
		{"P50", "p50", f.Last.P50, f.SoFar.P50},
		{"P95", "p95", f.Last.P95, f.SoFar.P95},
		{"P99", "p99", f.Last.P99, f.SoFar.P99},
	} {
		limit := m.limit(q.key)
		budget := "–"
		if limit > 0 {
			budget = span(limit)
		}
		l := newLine(width).text("", " ").text(c.dim, q.name).
			right(m.bolder(c.against(float64(q.now), float64(limit))), millis(q.now), cols[0]).
			right(c.against(float64(q.total), float64(limit)), millis(q.total), cols[1]).
			right(c.dim, budget, cols[2])
		if room := width - cols[2] - 2; room >= 3 && limit > 0 {
			l.text("", " ").gauge(c.against(float64(q.now), float64(limit)), c.rule, float64(q.now), float64(limit), min(room, 30))
		}
		out = append(out, l)
	}
	return out
}

func (m *model) bolder(p paint) paint {
	if p == m.colour.plain {
		return m.colour.bold
	}
	return p
}

func (m *model) availabilityRows() []*line {
	f, w, c := &m.frame, m.words, m.colour
	width := m.half() - 1
	row := func(name string) *line { return newLine(width).text("", " ").text(c.dim, name).to(13) }
	s := f.Seconds
	seconds := row(w.badSeconds)
	switch {
	case s.Total == 0 && s.Budget == 0:
		seconds.text(c.plain, "–")
	case s.Bad > s.Budget:
		seconds.text(c.bad, format(w.over, s.Bad-s.Budget, s.Budget))
	default:
		p := c.good
		if s.Bad > 0 {
			p = c.warn
		}
		seconds.text(p, format(w.left2, s.Budget-s.Bad, s.Budget)).text("", " ")
		if room := width - seconds.w; s.Budget > 0 && room >= 3 {
			cells := min(s.Budget, room, 12)
			used := (s.Bad*cells + s.Budget - 1) / s.Budget
			seconds.glyphs(c.bad, "■", used).glyphs(c.good, "■", cells-used)
		}
	}
	asked := ""
	if i := slices.IndexFunc(m.objectives(), func(o scenario.Objective) bool { return o.Kind == scenario.KindAvailability }); i >= 0 {
		asked = "  " + format(w.asked, strings.Replace(m.objectives()[i].Target.String(), "%", " %", 1))
	}
	burn := row(w.burn)
	for _, b := range f.Burn {
		p := c.good
		if b.Rate > 10 {
			p = c.bad
		} else if b.Rate > 1 {
			p = c.warn
		}
		burn.text(c.dim, span(b.Over)+" ").text(p, unit.Factor(b.Rate)).text("", "  ")
	}
	return []*line{m.title(width, w.availability), seconds, row(w.answered).text(c.bold, m.answered()).text(c.dim, asked), burn}
}

func (m *model) generatorRows() []*line {
	g, w, c := &m.frame.Generator, m.words, m.colour
	width := m.width - m.half()
	column := max(10, textWidth(w.lag)+2)
	row := func(name string) *line { return newLine(width).text("", " ").text(c.dim, name).to(column) }
	lag := c.good
	if g.LagP99 > 10*time.Millisecond {
		lag = c.warn
	}
	cpu := c.good
	if g.Cores > 0 && g.CPU > 0.8*float64(g.Cores) {
		cpu = c.warn
	}
	tainted := row(w.tainted).text(some(int64(g.Tainted), c.warn, c.good), strconv.Itoa(g.Tainted)+" s")
	if len(g.Reason) > 0 {
		tainted = newLine(width).text("", " ").outer(c.bad, "✗ "+g.Reason.Text(w.lang), width-2)
	}
	cores := ""
	if g.Cores > 0 {
		cores = " " + format(w.cores, g.Cores)
	}
	return []*line{
		m.title(width, w.generator),
		row(w.lag).text(lag, millis(g.LagP99)),
		row(w.cpu).text(cpu, unit.Share(g.CPU).Text()).text(c.dim, cores),
		tainted,
	}
}

// failureRows are a title and the failures handed over, as many as fit.
func (m *model) failureRows(n int) []*line {
	w, c := m.words, m.colour
	out := []*line{m.title(m.width, w.errors)}
	if len(m.frame.Failures) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(c.dim, w.noErrors))
	}
	for _, f := range m.frame.Failures {
		name := ""
		if int(f.Outcome) < measure.Outcomes {
			name = w.word(f.Outcome.String())
		}
		l := newLine(m.width).right(c.bold, count(f.Count), 7).text(c.dim, " "+w.times+" ").text(c.outcome(f.Outcome), name)
		l.to(max(28, l.w+2))
		out = append(out, l.outer(c.plain, w.word(f.Message), m.width-l.w-1))
	}
	for len(out) < n {
		out = append(out, newLine(m.width))
	}
	return out[:n]
}
