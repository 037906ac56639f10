package main

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/tui"
	"github.com/cstest/cstest/tune"
	"github.com/cstest/cstest/unit"
)

// experimentView shows an experiment while it goes on: the live view on a terminal,
// elsewhere a line for each run, or nothing. Its methods are called from one goroutine.
type experimentView struct {
	x     *experiment
	of    int
	each  time.Duration   // about what a run takes, until some are made
	ui    *tui.Experiment // nil: there are lines, or nothing
	close func()

	mu    sync.Mutex
	frame tui.ExperimentFrame
	run   *frames   // of the run under way; nil before its first second
	since time.Time // the run under way began
}

func newExperimentView(x *experiment, of int, each time.Duration) *experimentView {
	v := &experimentView{x: x, of: of, each: each, close: func() {}, since: time.Now()}
	v.frame = tui.ExperimentFrame{Of: of, Round: 1, Rounds: x.plan.Rounds}
	in, _ := x.s.in.(*os.File)
	out := fileOf(x.s.err)
	if x.quiet || x.json || x.noTUI || !tui.Able(in, out, os.Environ()) {
		return v
	}
	v.ui = tui.NewExperiment(tui.Options{
		Scenario: x.base.Scenario, Target: targetLine(x.base), Lang: x.lang, Color: !x.noColor, In: in, Out: out,
		OnStop: func(hard bool) { x.signals.end(syscall.SIGINT, hard) },
	})
	v.close = drawn(v.ui, x.s, v.tick)
	v.tick()
	return v
}

// begin tells of a run that begins, and gives what is to be told of it.
func (v *experimentView) begin(step tune.Step, c *chosen) func(*trial.Live) {
	if v.ui == nil {
		return nil
	}
	b := newFrames(c.Scenario, v.x.signals, spread{})
	v.mu.Lock()
	v.since, v.run = time.Now(), nil
	v.frame.Round, v.frame.Variant = step.Round+1, report.TuneArm(v.x.plan, step.Arm, v.x.lang, v.x.secrets.Text)
	v.frame.Now = tui.Frame{Phase: tui.Starting, Total: c.TotalDuration()}
	v.mu.Unlock()
	v.tick()
	return func(l *trial.Live) {
		f := b.build(l)
		v.mu.Lock()
		v.frame.Now, v.run = f, b
		v.mu.Unlock()
		v.tick()
	}
}

// more tells of runs that are to be made beside those planned.
func (v *experimentView) more(n int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.of += n
	v.frame.Of = v.of
}

// made tells of a run that was made, e being what is known with it.
func (v *experimentView) made(e *tune.Experiment, r tune.Run) {
	done := len(e.Runs)
	spent := time.Since(v.x.started)
	left := spent / time.Duration(done) * time.Duration(v.of-done)
	if v.ui == nil {
		v.x.say(report.TuneProgress(e, r, done, v.of, unit.Clock(left), v.x.lang))
		return
	}
	v.mu.Lock()
	v.each, v.since, v.run = spent/time.Duration(done), time.Now(), nil
	f := &v.frame
	f.Done, f.Now, f.Variant = done, tui.Frame{Phase: tui.Starting}, ""
	f.Made = slices.Insert(slices.Clone(f.Made), 0, report.TuneProgress(e, r, done, v.of, "", v.x.lang))
	f.Warnings = e.WarningCodes.Texts(v.x.lang)
	f.Effects = effectLines(e, v.x.lang)
	v.mu.Unlock()
	v.tick()
}

// tick shows what there is, with the clocks moved on.
func (v *experimentView) tick() {
	v.mu.Lock()
	f := v.frame
	if v.run != nil {
		if now, ok := v.run.between(); ok {
			f.Now = now
		}
	}
	f.Elapsed = time.Since(v.x.started)
	if rest := v.of - f.Done; rest > 0 {
		f.Left = max(v.each*time.Duration(rest)-time.Since(v.since), time.Second)
	}
	f.Stopping = v.x.signals.stopping()
	v.mu.Unlock()
	v.ui.Update(f)
}

// effectLines are what e knows, as the live view shows it.
func effectLines(e *tune.Experiment, lang report.Lang) []tui.EffectLine {
	signs := map[string]tui.Sign{"better": tui.Better, "worse": tui.Worse, "equivalent": tui.Same}
	var out []tui.EffectLine
	for _, t := range report.TuneEffects(e, lang) {
		l := tui.EffectLine{Metric: t.Metric, Variant: t.Variant, Measured: t.Measured, Change: t.Change, Bounds: t.Bounds, Verdict: t.Verdict, Needs: t.Needs, Sign: signs[t.Code]}
		out = append(out, l)
	}
	return out
}
