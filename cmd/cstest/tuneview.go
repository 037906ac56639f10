package main

import (
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/experiments"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/tui"
	"github.com/cstest/cstest/tune"
	"github.com/cstest/cstest/unit"
)

// experimentView shows an experiment while it goes on: the live view on a terminal,
// elsewhere a line for each run, or nothing. Its methods are called from one goroutine.
type experimentView struct {
	seriesView
	x      *experiment
	of     int
	shown  bool // else there are lines, or nothing
	close  func()
	round  int // of the next run, from 1
	effect []tui.EffectLine
}

func newExperimentView(x *experiment, of int, each time.Duration) *experimentView {
	v := &experimentView{x: x, of: of, close: func() {}, round: 1}
	v.signals, v.started, v.since, v.left = x.signals, x.started, time.Now(), each*time.Duration(of)
	v.at.Of, v.at.Warnings = of, x.plan.Warnings().Texts(x.lang)
	in, out, able := canShow(x.s)
	if x.quiet || x.json || x.noTUI || !able {
		return v
	}
	ui := tui.NewExperiment(tui.Options{
		Scenario: x.base.Scenario, Target: targetLine(x.base), Lang: x.lang, Color: !x.noColor, In: in, Out: out, OnStop: v.onStop,
	})
	v.show = func(s tui.Series) {
		ui.Update(tui.ExperimentFrame{Series: s, Round: v.round, Rounds: x.plan.Rounds, Effects: v.effect})
	}
	v.shown, v.close = true, drawn(ui, x.s, v.tick)
	v.tick()
	return v
}

// begin tells of a run that begins, and gives what is to be told of it.
func (v *experimentView) begin(step tune.Step, c *chosen) func(*trial.Live) {
	if !v.shown {
		return nil
	}
	arm := experiments.Arm(v.x.plan, step.Arm, v.x.lang, v.x.secrets.Text)
	return v.seriesView.begin(c, arm, func() { v.round = step.Round + 1 })
}

// made tells of a run that was made, e being what is known with it; again are runs that
// are to be made beside those planned.
func (v *experimentView) made(e *tune.Experiment, r tune.Run, again int) {
	done := len(e.Runs)
	v.of += again
	left := time.Since(v.started) / time.Duration(done) * time.Duration(v.of-done)
	if !v.shown {
		v.x.say(experiments.Progress(e, r, done, v.of, unit.Clock(left), v.x.lang))
		return
	}
	v.seriesView.made(experiments.Progress(e, r, done, v.of, "", v.x.lang), left, func() {
		v.at.Of, v.at.Warnings = v.of, e.WarningCodes.Texts(v.x.lang)
		v.effect = effectLines(e, v.x.lang)
	})
}

// effectLines are what e knows, as the live view shows it.
func effectLines(e *tune.Experiment, lang reason.Lang) []tui.EffectLine {
	signs := map[string]tui.Sign{"better": tui.Better, "worse": tui.Worse, "equivalent": tui.Same}
	var out []tui.EffectLine
	for _, t := range experiments.Effects(e, lang) {
		l := tui.EffectLine{Metric: t.Metric, Variant: t.Variant, Measured: t.Measured, Change: t.Change, Bounds: t.Bounds, Verdict: t.Verdict, Needs: t.Needs, Sign: signs[t.Code]}
		out = append(out, l)
	}
	return out
}
