package main

import (
	"math"
	"time"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/capacities"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/tui"
)

// searchView shows a search while it goes on: the live view on a terminal, elsewhere a
// line for each probe, or nothing. Its methods are called from one goroutine.
type searchView struct {
	seriesView
	p     *probing
	shown bool // else there are lines, or nothing
	close func()
	frame tui.CapacityFrame
}

func newSearchView(p *probing) *searchView {
	v := &searchView{p: p, close: func() {}}
	v.signals, v.started, v.since = p.signals, p.started, time.Now()
	in, out, able := canShow(p.s)
	if p.quiet || p.json || p.noTUI || !able {
		return v
	}
	ui := tui.NewCapacity(tui.Options{
		Scenario: p.base.Scenario, Target: targetLine(p.base), Lang: p.lang, Color: !p.noColor, In: in, Out: out, OnStop: v.onStop,
	})
	v.show = func(s tui.Series) {
		f := v.frame
		f.Series = s
		ui.Update(f)
	}
	v.frame.Precision, v.frame.Asked = float64(p.precision), p.search.From
	v.at.Of, v.left, v.at.AtLeast = p.left()
	v.shown, v.close = true, drawn(ui, p.s, v.tick)
	v.tick()
	return v
}

// begin tells of a probe that begins, and gives what is to be told of it.
func (v *searchView) begin(step capacity.Step, c *chosen) func(*trial.Live) {
	if !v.shown {
		return nil
	}
	return v.seriesView.begin(c, capacities.Asked(step.Rate, v.p.lang), func() { v.frame.Asked = step.Rate })
}

// made tells of the last probe that was made, r being what is known with it.
func (v *searchView) made(r *capacity.Result) {
	line := capacities.Progress(r.Probes[len(r.Probes)-1], len(r.Probes), v.p.lang)
	if !v.shown {
		v.p.say(line)
		return
	}
	more, left, least := v.p.left()
	v.seriesView.made(line, left, func() {
		v.at.Of, v.at.AtLeast = len(r.Probes)+more, least
		v.at.Warnings = r.WarningCodes.Texts(v.p.lang)
		v.frame.Holds, v.frame.Breaks, v.frame.Probes = kneeOf(r.Holds), kneeOf(r.Breaks), probeLines(r.Probes, v.p.lang)
	})
}

// left is about how many probes are to be made, and how long they take.
func (p *probing) left() (n int, t time.Duration, least bool) {
	steps, least := p.search.Left(p.probes)
	for _, s := range steps {
		t += p.settle.D() + time.Duration(s.Lengths)*p.hold.D() + overhead
	}
	return len(steps), t, least
}

func kneeOf(k *capacity.Knee) float64 {
	if k == nil {
		return 0
	}
	return k.Starts
}

// probeLines are probes as the live view shows them.
func probeLines(probes []capacity.Probe, lang reason.Lang) []tui.ProbeLine {
	outcomes := map[capacity.Outcome]sla.Verdict{capacity.Held: sla.Pass, capacity.Broke: sla.Fail, capacity.Unsure: sla.Inconclusive, capacity.Invalid: sla.NotVerified}
	known := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	var out []tui.ProbeLine
	for _, p := range probes {
		l := tui.ProbeLine{Starts: p.Starts, Turns: known(p.Turns), P99: math.NaN(), Bad: known(p.BadShare), Outcome: outcomes[p.Outcome]}
		l.Verdict, l.Broke = capacities.Verdict(p, lang)
		switch {
		case p.P99Ns != nil:
			l.P99 = float64(*p.P99Ns)
		case p.P99Infinite:
			l.P99 = math.Inf(1)
		}
		out = append(out, l)
	}
	return out
}
