package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	refserver "github.com/cstest/cstest/reference-server"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/experiments"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/tune"
)

// tuneOptions are the flags of `cstest tune`.
type tuneOptions struct {
	scenarioFlags
	vary        []string
	secure      bool // the target speaks TLS
	rounds      int
	stepwise    bool
	gate        string
	resultsDir  string
	allowTarget []string
	noTUI       bool
	json        bool
	quiet       bool
	noColor     bool
}

func newTuneCmd(s streams) *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune [SCENARIO] --vary KEY=a,b,c",
		Short: "Run variants of a scenario side by side and say which differences are real",
		Long: `Run variants of a scenario side by side and say which differences are real. KEY is a knob
of the bundled server, profile, protocol (rest, queue, websocket, http2), or any field of the
scenario as --set takes it; the first value is the baseline. Several --vary give every combination. One's own server has its
variants in the scenario (variants:, see docs/tune.md); they need no --vary.

Every round runs every variant once, in an order drawn anew, with the same arrivals and
servers freshly started; the baseline runs twice, which shows what chance alone does.
A scenario of seconds with a stage that is not judged, to warm up, is best: see
tuning-stages, which varies the profile by itself, and protocols, which varies the way to talk.

The first Ctrl-C ends the run under way and reports the rounds that are done.
With --gate METRIC: exits 10 when a variant is worse in it, 11 when it cannot be told.`,
		Example: `  cstest tune smoke --vary redis.pool=0,50 --rounds 10
  cstest tune tuning-stages
  cstest tune protocols
  cstest tune my.yaml --vary llm.latency.median=50ms,110ms --vary target.http=1.1,h2c --gate mean`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error { return runTune(cmd.Context(), s, &o, args) },
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.vary, "vary", nil, "KEY=a,b,c, the first value is the baseline (may be repeated; default the scenario's variants)")
	f.IntVar(&o.rounds, "rounds", 0, "how often every variant runs (default as often as can show a difference and once more, 10 at least)")
	f.BoolVar(&o.stepwise, "stepwise", false, "compare each variant with the one before it, not with the baseline (tuning-stages does)")
	f.StringVar(&o.gate, "gate", "", "the metric that decides the exit code: "+strings.Join(metricNames(), ", "))
	f.StringVar(&o.resultsDir, "results-dir", "", "where the results go (default results/tune-<name>-<UTC time>)")
	f.StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	f.BoolVar(&o.noTUI, "no-tui", false, "a line for each run instead of the live view")
	f.BoolVar(&o.json, "json", false, "print tune.json instead of the tables")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the verdict")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	return cmd
}

func metricNames() []string {
	var out []string
	for _, m := range tune.Metrics() {
		out = append(out, m.Name)
	}
	return out
}

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

func runTune(ctx context.Context, s streams, o *tuneOptions, args []string) error {
	x, err := newExperiment(s, o, args)
	if err != nil {
		return err
	}
	s, flush := s.clean(x.secrets)
	defer flush()
	x.s = s
	return cleaned(x.run(ctx), x.secrets)
}

// newExperiment plans, and checks every variant before the first is run.
func newExperiment(s streams, o *tuneOptions, args []string) (*experiment, error) {
	if o.gate != "" && !slices.Contains(metricNames(), o.gate) {
		return nil, usagef("--gate %q: want one of %s", o.gate, strings.Join(metricNames(), ", "))
	}
	x := &experiment{tuneOptions: o, s: s, lang: s.language()}
	var err error
	if x.from, err = find(s.in, args); err != nil {
		return nil, err
	}
	variants, err := o.variants(x.from)
	if err != nil {
		return nil, err
	}
	same := map[string]string{}
	for i, v := range variants {
		c, err := o.arm(v, 0).choose(x.from)
		if err != nil {
			return nil, refused(reason.VariantRefused, v.Name(), reason.Of(err))
		}
		if err := c.CheckSecrets(); err != nil {
			return nil, err
		}
		resolved, err := c.resolved()
		if err != nil {
			return nil, err
		}
		state := v.Value(variantKey) + "\x00" + string(resolved)
		if other, ok := same[state]; ok {
			return nil, refused(reason.VariantsSame, other, v.Name())
		}
		same[state] = v.Name()
		if i == 0 {
			x.base = c
		}
	}
	if x.secrets, err = x.base.redactor(); err != nil {
		return nil, err
	}
	x.own = applier{variants: x.base.Variants, dir: x.base.dir, secrets: x.secrets}
	x.held = slices.ContainsFunc(variants[0], func(s tune.Setting) bool { return holds(s.Key) })
	if x.plan, err = tune.NewPlan(variants, o.rounds, x.base.Seed, x.held); err != nil {
		return nil, usageError{err}
	}
	x.article = len(o.vary) == 0 && x.from.name == tuningStages
	x.plan.Stepwise = o.stepwise || x.article
	if x.dir = o.resultsDir; x.dir == "" {
		x.dir = filepath.Join("results", "tune-"+escape.Slug(x.base.Name)+"-"+time.Now().UTC().Format("20060102T150405Z"))
	}
	if _, err := os.Stat(filepath.Join(x.dir, experiments.FileName)); err == nil {
		return nil, usagef("%s already holds an experiment: choose another --results-dir", x.dir)
	}
	return x, nil
}

// The built-in scenarios that are made for one variation.
const (
	tuningStages = "tuning-stages.yaml"
	waysToTalk   = "protocols.yaml"
)

// variants are all combinations of what is varied: as --vary says, or as the
// scenario is made for.
func (o *tuneOptions) variants(from found) ([]tune.Variant, error) {
	c, err := o.choose(from)
	if err != nil {
		return nil, err
	}
	o.secure = c.Target.Bundled == nil && (strings.HasPrefix(c.Target.URL, "https:") || strings.HasPrefix(c.Target.URL, "wss:"))
	var list []tune.Vary
	for _, text := range o.vary {
		v, err := tune.ParseVary(text)
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, v)
	}
	if len(list) == 0 {
		switch {
		case len(c.Variants) > 0:
			list = append(list, ownVariants(c.Scenario))
		case from.name == tuningStages:
			list = append(list, tune.Vary{Key: "profile", Values: []string{"article-0", "article-1", "article-2", "article-3"}})
		case from.name == waysToTalk:
			list = append(list, tune.Vary{Key: protocolKey, Values: protocolNames()})
		default:
			return nil, refused(reason.VaryNothing)
		}
	}
	if err := checkVariants(c.Scenario, list); err != nil {
		return nil, err
	}
	if err := checkProtocols(list); err != nil {
		return nil, err
	}
	variants, err := tune.Matrix(list)
	if err != nil {
		return nil, usageError{err}
	}
	return variants, nil
}

// arm gives the flags of a variant: those of the command line, then its settings.
func (o *tuneOptions) arm(v tune.Variant, seed uint64) *scenarioFlags {
	f := o.scenarioFlags
	f.set = slices.Clone(f.set)
	for _, s := range v {
		switch s.Key {
		case variantKey:
		case protocolKey:
			f.set = append(f.set, protocolFields(s.Value, o.secure)...)
		default:
			f.set = append(f.set, pathOf(s.Key)+"="+s.Value)
		}
	}
	if seed != 0 {
		f.seed = seed
		f.changed = func(name string) bool { return name == "seed" || o.changed(name) }
	}
	return &f
}

// pathOf is the scenario's field that a key of --vary means.
func pathOf(key string) string {
	if key == "profile" {
		return "target.bundled.profile"
	}
	if slices.ContainsFunc(refserver.Knobs(), func(k refserver.Knob) bool { return k.Name == key }) {
		return "target.bundled.knobs." + key
	}
	return key
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
