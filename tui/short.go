package tui

import (
	"strconv"

	"github.com/cstest/cstest/unit"
)

// short is the view for small terminals: one figure a row, the most telling first.
func (m *model) short() []*line {
	f, w, c := &m.frame, m.words, m.colour
	if m.width < 1 {
		return nil
	}
	switch m.page {
	case turnsPage:
		return append([]*line{m.shortHeader()}, m.failureRows(max(m.height-2, 1))...)
	case objectivesPage:
		return append([]*line{m.shortHeader()}, m.shortObjectives()...)
	}
	row := func(name string) *line {
		return newLine(m.width).text(c.dim, name).to(max(12, textWidth(m.words.lag)+1))
	}
	out := []*line{m.shortHeader()}
	if _, when, ok := stormAt(f.Storms, f.Elapsed, m.recovery()); ok && when != comingStorm {
		out = append(out, m.banner())
	}
	limit := float64(m.limit("p99"))
	name, tail := f.Last.tail()
	soFar := ""
	if name != "P99" {
		soFar = "P99 "
	}
	latency := row(name).text(m.bolder(c.against(float64(tail), limit)), millis(tail))
	if limit > 0 {
		latency.text(c.dim, " / "+span(m.limit("p99")))
	}
	latency.text(c.dim, "  "+w.soFar+" "+soFar).text(c.against(float64(f.SoFar.P99), limit), millis(f.SoFar.P99))
	cl := f.Last.classes()
	answers := newLine(m.width).text(c.good, w.ok+" "+share(cl.ok, cl.n)).
		text(some(cl.lesser, c.warn, c.dim), " "+w.lesser+" "+share(cl.lesser, cl.n)).
		text(some(cl.bad, c.bad, c.dim), " "+w.bad+" "+share(cl.bad, cl.n))
	s := f.Seconds
	seconds := row(w.badSeconds)
	switch {
	case s.Total == 0 && s.Budget == 0:
		seconds.text(c.plain, "–")
	case s.Bad > s.Budget:
		seconds.text(c.bad, format(w.over, s.Bad-s.Budget, s.Budget))
	default:
		seconds.text(c.good, format(w.left2, s.Budget-s.Bad, s.Budget))
	}
	starts := row(w.arrivals).text(c.bold, perSecond(f.Achieved)).text(c.dim, " "+format(w.planned, perSecond(f.Planned)))
	if f.Users > 0 {
		starts = row(w.users).text(c.bold, count(f.Users)).text(c.dim, m.usersPlanned())
	}
	return append(out, latency, answers, newLine(m.width).stack(m.parts(&f.Last), m.width, c.rule), seconds, starts,
		row(w.inFlight).text(c.bold, count(f.InFlight)),
		row(w.objectives).join(m.marks()),
		row(w.lag).text(c.plain, millis(f.Generator.LagP99)).text(c.dim, "  "+w.tainted+" "+strconv.Itoa(f.Generator.Tainted)+" s"))
}

func (m *model) shortHeader() *line {
	f, c := &m.frame, m.colour
	when := unit.Clock(f.Elapsed) + "/" + unit.Clock(f.Total)
	name := ""
	if m.opts.Scenario != nil {
		name = m.opts.Scenario.Name
	}
	if f.Phase != Loading {
		when = m.words.phases[min(int(f.Phase), len(m.words.phases)-1)] + " " + when
	} else if f.Stage != "" {
		name = f.Stage + " · " + name
	}
	l := newLine(m.width)
	return l.outer(c.title, name, m.width-textWidth(when)-1).right(c.bold, when, m.width)
}

func (m *model) shortObjectives() []*line {
	var out []*line
	for _, o := range m.frame.Objectives {
		p := m.colour.verdict(o.Verdict)
		l := newLine(m.width).text(p, verdictMark(o.Verdict)+" ")
		value := measured(&o)
		out = append(out, l.outer(m.colour.bold, o.Name, m.width-textWidth(value)-4).right(p, value, m.width))
	}
	return out
}
