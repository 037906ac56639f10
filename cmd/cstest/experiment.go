package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/experiments"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/tune"
)

// experiment is one `cstest tune` under way.
type experiment struct {
	*tuneOptions
	s       streams
	lang    reason.Lang
	from    found
	plan    *tune.Plan
	base    *chosen // of the baseline
	article bool    // its stages are what is varied
	held    bool    // variants differ in how conversations are held
	own     applier // of the scenario's variants
	secrets *redact.Redactor
	dir     string
	signals *signals
	view    *experimentView
	started time.Time
	runs    []tune.Run
}

// overhead is about what a run takes beside its load.
const overhead = 1500 * time.Millisecond

func (x *experiment) run(ctx context.Context) (err error) {
	release, err := directory.Lock(x.dir)
	if err != nil {
		return resultsError{err}
	}
	defer func() {
		_ = release() // a lock left behind is taken over by the next run
		_ = os.Remove(x.dir)
	}()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	steps := x.plan.Steps()
	each := x.base.TotalDuration() + overhead
	x.say(targetLine(x.base))
	x.say(reason.New(reason.TunePlan, len(x.plan.Arms)-1, x.plan.Rounds, len(steps), each, each*time.Duration(len(steps))).Text(x.lang))
	if short := x.plan.Warnings(); len(short) > 0 && !x.quiet {
		x.s.warn(short.Err())
	}
	x.signals = catchSignals(ctx)
	defer x.signals.release()
	defer func() {
		failed := x.own.restore(filepath.Join(x.dir, "restore"))
		if _, quiet := errors.AsType[quietError](err); failed != nil && (err == nil || quiet) {
			err = failed // outweighs whatever was measured
		} else if failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	x.started = time.Now()
	x.view = newExperimentView(x, len(steps), each)
	defer x.view.close() // a panic must not leave the terminal to itself
	for len(steps) > 0 {
		step := steps[0]
		steps = steps[1:]
		r, err := x.step(executable, step)
		if err != nil {
			if x.signals.stopping() || ctx.Err() != nil {
				break
			}
			return err
		}
		if x.signals.stopping() {
			break // the run was cut short: it is in its folder and in no table
		}
		x.runs = append(x.runs, r)
		var again []tune.Step
		if len(steps) == 0 || steps[0].Round != step.Round {
			again = tune.Again(x.runs, step.Round)
			steps = append(again, steps...)
		}
		x.view.made(x.analyze(), r, len(again))
		if err := x.write(); err != nil {
			return resultsError{err}
		}
	}
	return x.finish()
}

// giveUpAfter is how many runs of an arm may come to nothing before it is not
// tried again.
const giveUpAfter = 2

// step makes one run. What is wrong with a variant is said of it and the others
// go on; without the baseline there is nothing to compare with.
func (x *experiment) step(executable string, step tune.Step) (tune.Run, error) {
	var failed []tune.Run
	for _, r := range x.runs {
		if r.Arm == step.Arm && r.Left != "" && r.Verdict == "" {
			failed = append(failed, r)
		}
	}
	if len(failed) >= giveUpAfter {
		last := failed[len(failed)-1]
		last.Round, last.Seed = step.Round, step.Seed
		return last, nil
	}
	arm := x.plan.Arms[step.Arm]
	c, err := x.arm(arm.Variant, step.Seed).choose(x.from)
	if err != nil {
		return tune.Run{}, err
	}
	secrets, err := c.redactor()
	if err != nil {
		return tune.Run{}, err
	}
	run, err := x.drive(executable, step, c, secrets)
	var results resultsError
	switch {
	case err == nil || x.signals.stopping() || errors.As(err, &results):
		return run, err
	case step.Arm == 0 || arm.Control:
		return tune.Run{}, err
	}
	return tune.FailedRun(step, cleaned(err, secrets)), nil
}

// drive runs one variant once and writes its result as `cstest run` does.
func (x *experiment) drive(executable string, step tune.Step, c *chosen, secrets *redact.Redactor) (tune.Run, error) {
	inside := filepath.ToSlash(filepath.Join("runs", fmt.Sprintf("%03d-%s", len(x.runs)+1, x.slug(step.Arm))))
	run := oneRun{
		dir: x.dir, inside: inside, executable: executable, allowTarget: x.allowTarget, lang: x.lang, signals: x.signals, secrets: secrets,
		tags: map[string]string{"variant": x.plan.Arms[step.Arm].Variant.Name(), "round": strconv.Itoa(step.Round + 1)},
	}
	run.observe = x.view.begin(step, c)
	if err := x.own.apply(x.signals.graceful, x.plan.Arms[step.Arm].Variant, filepath.Join(x.dir, filepath.FromSlash(inside), "logs")); err != nil {
		return tune.Run{}, err
	}
	doc, done, err := run.drive(c)
	if err != nil {
		return tune.Run{}, err
	}
	figures := tune.Figures(done.Snapshot, done.Facts)
	if !x.held {
		figures = tune.WithoutHeld(figures)
	}
	return tune.NewRun(step, inside, doc.Verdict, figures), nil
}

// slug names an arm in a file name.
func (x *experiment) slug(arm int) string {
	name := escape.Slug(x.secrets.Text(x.plan.Arms[arm].Variant.Name()))
	if x.plan.Arms[arm].Control {
		name += "-again"
	}
	return name
}

func (x *experiment) say(line string) {
	if !x.quiet {
		fmt.Fprintln(x.s.err, line)
	}
}

// analyze is the experiment as far as it came.
func (x *experiment) analyze() *tune.Experiment {
	e := tune.Analyze(x.plan, x.runs, x.gate)
	e.CstestVersion, e.Scenario, e.Target = fullVersion(), x.base.Name, targetLine(x.base)
	e.StartedAt = x.started.UTC().Format(time.RFC3339Nano)
	if x.article {
		e.Beside(sla.ArticleClaims(), x.users(), runtime.NumCPU())
	}
	if n := x.signals.number(); n != 0 {
		e.Interrupted, e.ExitCode = true, 128+n
	}
	for i := range e.Arms {
		e.Arms[i].Name = x.secrets.Text(e.Arms[i].Name)
		for k := range e.Arms[i].Settings {
			e.Arms[i].Settings[k].Value = x.secrets.Text(e.Arms[i].Settings[k].Value)
		}
	}
	return e
}

// users is how many a closed load keeps in its last judged stage.
func (x *experiment) users() (n int) {
	for _, s := range x.base.Load.Stages {
		if s.Users != nil && (s.Judged == nil || *s.Judged) {
			n = int(s.Users.To)
		}
	}
	return n
}

func (x *experiment) write() error {
	return directory.WriteFiles(x.dir, experiments.Renderings(x.analyze(), x.lang))
}

// finish writes and prints the whole, and gives the exit code.
func (x *experiment) finish() error {
	x.view.close()
	e := x.analyze()
	var written error
	if len(x.runs) > 0 {
		written = x.write()
	}
	return conclude(x.s, x.signals, written, x.print(e), e.ExitCode)
}

func (x *experiment) print(e *tune.Experiment) error {
	switch {
	case x.json:
		return experiments.WriteJSON(e, unscrubbed(x.s.out))
	case x.quiet:
		_, err := fmt.Fprintf(x.s.out, "%s %s\n", e.Verdict, x.dir)
		return err
	}
	err := x.s.show(x.noColor, x.lang, func(w io.Writer, o report.TextOptions) error { return experiments.WriteText(e, w, o) })
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(x.s.out, "  %s\n", filepath.Join(x.dir, "tune.html"))
	return err
}
