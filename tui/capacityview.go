package tui

import (
	"math"
	"slices"
	"strconv"

	"github.com/cstest/cstest/unit"
)

func (m *capacityModel) body() []*line {
	tall := max(0, min((m.height-24)/2, 10))
	return m.pageOf(m.probes, []section{
		{keep: 88, min: 1, max: 1, rows: one(m.boundary)},
		{keep: 50, min: 3, max: 4 + tall, rows: m.p99Chart},
		{keep: 49, min: 2, max: 2 + tall/2, rows: m.badChart},
		{keep: 51, min: 1, max: 1, rows: one(m.axis)},
		{keep: 70, min: 5, max: m.height, rows: m.probeRows},
	})
}

// probes is how many of the probes are made.
func (m *capacityModel) probes() *line {
	f, w := &m.frame, m.words
	text := w.probeOf
	switch {
	case m.allMade():
		return m.progress(format(w.probesMade, f.Done))
	case f.AtLeast:
		text = w.probeOfMore
	}
	return m.progress(format(text, min(f.Done+1, f.Of), f.Of))
}

// boundary is the highest rate that held and the lowest that did not.
func (m *capacityModel) boundary() *line {
	f, c, w := &m.frame, m.colour, m.words
	l := newLine(m.width).text("", " ").text(c.dim, w.boundary).to(gutter)
	if f.Holds > 0 {
		l.text(c.good, format(w.holds, figureOf(f.Holds)))
	} else {
		l.text(c.dim, w.noneHeld)
	}
	l.text(c.dim, " · ")
	if f.Breaks <= 0 {
		return l.text(c.dim, w.noneBroke)
	}
	l.text(c.bad, format(w.breaks, figureOf(f.Breaks)))
	if f.Holds > 0 {
		l.text(c.dim, " · "+format(w.apart, unit.Figure(100*(f.Breaks/f.Holds-1))+" %", unit.Share(f.Precision).Text()))
	}
	return l
}

// place is where a rate stands in the charts, whose axis is logarithmic: every doubling
// is as wide.
func (m *capacityModel) place(rate float64) int {
	least, most := m.ends()
	last := m.plotWidth() - 1
	if most <= least || !isRate(rate) {
		return last / 2
	}
	share := math.Log(rate/least) / math.Log(most/least)
	return int(math.Round(min(max(share, 0), 1) * float64(last)))
}

// ends are the least and the highest rate, that of the probe under way among them.
func (m *capacityModel) ends() (least, most float64) {
	see := func(rate float64) {
		if isRate(rate) && (rate < least || least == 0) {
			least = rate
		}
		if isRate(rate) && rate > most {
			most = rate
		}
	}
	see(m.frame.Asked)
	for _, p := range m.frame.Probes {
		see(p.Starts)
	}
	return least, most
}

// isRate tells what has a place on the axis.
func isRate(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

// chart draws a figure of every probe over the load, the worst where several stand in
// one column, and cut where it is beyond most. mark is a height that is asked for.
func (m *capacityModel) chart(rows int, name string, figure func(*ProbeLine) float64, most, mark float64, text func(float64) string) []*line {
	bars := make([]bar, m.plotWidth())
	for i := range bars {
		bars[i].v = math.NaN()
	}
	known, cut := false, ""
	for i := range m.frame.Probes {
		p := &m.frame.Probes[i]
		v := figure(p)
		if math.IsNaN(v) {
			continue
		}
		known = true
		if v > most {
			v, cut = most, "≥ "
		}
		if b := &bars[m.place(p.Starts)]; math.IsNaN(b.v) || v >= b.v {
			*b = bar{v, m.colour.verdict(p.Outcome)}
		}
	}
	marked := -1
	if mark > 0 && mark <= most {
		marked = min(int(float64(rows)*(1-mark/most)), rows-1)
	}
	out := make([]*line, rows)
	for r := range out {
		l := newLine(m.width)
		if r == rows-1 {
			l.text("", " ").text(m.colour.dim, name)
		}
		l.to(gutter).chart(bars, m.plotWidth(), r, rows, most, mark, m.colour.rule)
		switch {
		case !known:
		case r == marked:
			l.right(m.colour.accent, text(mark), m.width-1)
		case r == 0 && most > 0:
			l.right(m.colour.dim, cut+text(most), m.width-1)
		}
		out[r] = l
	}
	return out
}

// p99Chart is the P99 of all turns against its objective, where there is one.
func (m *capacityModel) p99Chart(rows int) []*line {
	limit := float64(m.now.limit("p99"))
	most := limit
	for _, p := range m.frame.Probes {
		if !math.IsInf(p.P99, 0) && p.P99 > most {
			most = p.P99
		}
	}
	// One rate far beyond the boundary must not flatten the others to nothing.
	if limit > 0 {
		most = min(most, 3*limit)
	}
	figure := func(p *ProbeLine) float64 { return p.P99 }
	if most == 0 { // all that are known are infinite, and as high as one another
		return m.chart(rows, "P99", func(p *ProbeLine) float64 {
			if math.IsInf(p.P99, 1) {
				return 1
			}
			return math.NaN()
		}, 1, 0, func(float64) string { return "∞" })
	}
	return m.chart(rows, "P99", figure, most, limit, func(v float64) string { return span(durationOf(v)) })
}

// badChart is the share of bad turns against what availability allows.
func (m *capacityModel) badChart(rows int) []*line {
	const least = 0.01 // that a chart of nothing bad reaches to
	most, allowed := least, m.now.allowed()
	for _, p := range m.frame.Probes {
		if p.Bad > most && p.Bad <= 1 {
			most = p.Bad
		}
	}
	return m.chart(rows, m.words.bad, func(p *ProbeLine) float64 { return p.Bad }, max(most, allowed), allowed, func(v float64) string { return unit.Share(v).Text() })
}

// axis names the rates below the charts: the boundary's first, the ends' where there is room.
func (m *capacityModel) axis() *line {
	f, c := &m.frame, m.colour
	least, most := m.ends()
	width := m.plotWidth()
	taken := make([]bool, width+1)
	type label struct {
		text  string
		paint paint
	}
	labels := make(map[int]label)
	place := func(from int, text string, p paint) bool {
		from = min(max(from, 0), width-textWidth(text))
		if from < 0 || slices.Contains(taken[max(from-1, 0):min(from+textWidth(text)+1, width)], true) {
			return false
		}
		for i := from; i < from+textWidth(text); i++ {
			taken[i] = true
		}
		labels[from] = label{text, p}
		return true
	}
	put := func(rate float64, mark string, p paint, before bool) {
		if !isRate(rate) {
			return
		}
		at, text := m.place(rate), mark+perSecond(rate)
		from := at
		if before { // ends at its place
			text = perSecond(rate) + mark
			from -= textWidth(text) - 1
		}
		if !place(from, text, p) && mark != "" {
			place(at, mark, p)
		}
	}
	put(f.Holds, "▲", c.good, true)
	put(f.Breaks, "▲", c.bad, false)
	if !m.allMade() {
		put(f.Asked, "△", c.accent, false)
	}
	put(most, "", c.dim, true)
	put(least, "", c.dim, false)
	l := newLine(m.width).text("", " ").text(c.dim, m.words.starts).to(gutter)
	for i := range width {
		if x, ok := labels[i]; ok {
			l.to(gutter+i).text(x.paint, x.text)
		}
	}
	return l
}

// probeColumns are where the columns of the table of probes end; -1 leaves one out.
type probeColumns struct{ starts, turns, p99, bad, verdict int }

func (m *capacityModel) columns() probeColumns {
	if m.width < narrow {
		return probeColumns{starts: 17, turns: -1, p99: 27, bad: -1, verdict: 29}
	}
	return probeColumns{starts: 17, turns: 27, p99: 37, bad: 47, verdict: 49}
}

// probeRows is the table of the probes by their load, around the boundary until the
// reader moves it.
func (m *capacityModel) probeRows(n int) []*line {
	c, w, at := m.colour, m.words, m.columns()
	list := m.byLoad()
	edge := 0
	for i, p := range list {
		if p.Starts <= m.frame.Holds {
			edge = i
		}
	}
	rows := m.windowAt(edge, len(list), n-2)
	head := newLine(m.width)
	put := func(l *line, p paint, text string, end int) {
		if end >= 0 {
			l.right(p, text, end)
		}
	}
	put(head, c.dim, w.probe, 5)
	put(head, c.dim, w.startsASecond, at.starts)
	put(head, c.dim, w.turnsASecond, at.turns)
	put(head, c.dim, "P99", at.p99)
	put(head, c.dim, w.bad, at.bad)
	head.to(at.verdict).text(c.dim, w.verdict)
	out := []*line{m.titleOf(w.probesByLoad, rows, len(list)), head}
	if len(list) == 0 {
		out = append(out, newLine(m.width).text("", " ").text(c.dim, w.noProbes))
	}
	for _, p := range list[rows.from:rows.to] {
		ink := c.verdict(p.Outcome)
		l := newLine(m.width)
		put(l, c.dim, strconv.Itoa(p.n), 5)
		put(l, c.bold, figureOf(p.Starts), at.starts)
		put(l, c.plain, figureOf(p.Turns), at.turns)
		put(l, c.against(p.P99, float64(m.now.limit("p99"))), p99Of(p.P99), at.p99)
		put(l, c.plain, shareOf(p.Bad), at.bad)
		l.to(at.verdict).text(ink, verdictMark(p.Outcome)+" ").outer(ink, p.Verdict, m.width-l.w-1)
		if p.Broke != "" {
			l.text("", "  ").outer(c.dim, p.Broke, m.width-l.w-1)
		}
		out = append(out, l)
	}
	return filled(out, n, m.width)
}
