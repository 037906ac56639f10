package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/engine/pack"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/unit"
)

// conductOptions are the flags of a run that an engine spreads over machines.
type conductOptions struct {
	runOptions
	shards int
	cores  int // of each; 0: as many as the plan needs
}

func (o *conductOptions) registerConduct(cmd *cobra.Command) {
	o.registerPlan(cmd)
	o.registerResult(cmd)
}

// registerRender is for commands that write what others run.
func (o *conductOptions) registerRender(cmd *cobra.Command) {
	o.registerPlan(cmd)
	cmd.Flags().DurationVar(&o.startTimeout, "start-timeout", 10*time.Minute, "how long all shards may take to be ready")
	o.onInconclusive = "fail"
}

func (o *conductOptions) registerPlan(cmd *cobra.Command) {
	o.register(cmd)
	completeScenarioFlags(cmd)
	f := cmd.Flags()
	f.IntVar(&o.shards, "shards", 0, "spread the load over N shards (needed)")
	f.IntVar(&o.cores, "cores", 0, "whole cores of each shard (default: as many as the plan needs)")
	f.StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
}

func (o *conductOptions) registerResult(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the results go (default results/<name>-<UTC time>)")
	f.StringArrayVar(&o.outputs, "out", nil, "NAME=VALUE, tell others of all shards while the run is under way: prometheus=:9464, remote-write=URL, otlp=URL, json=FILE (may be repeated)")
	f.StringArrayVar(&o.tags, "tag", nil, "KEY=VALUE kept in the result (may be repeated)")
	f.BoolVar(&o.noTUI, "no-tui", false, "one line a second instead of the live view")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the verdict")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.DurationVar(&o.startTimeout, "start-timeout", 10*time.Minute, "how long all shards may take to be ready")
	f.StringVar(&o.onInconclusive, "on-inconclusive", "fail", "what an inconclusive verdict exits with: fail (11) or pass (0)")
}

// spreadJob is a run that an engine spreads over machines.
type spreadJob struct {
	*job
	options *conductOptions
	pack    *pack.Pack
	needs   trial.Needs
	lent    *trial.Lent // the mock LLM that all shards share; nil without one
}

// newSpreadJob reads the scenario, and refuses what cannot be spread.
func newSpreadJob(s streams, o *conductOptions, args []string) (*spreadJob, error) {
	x, err := newSpreadJobUnchecked(s, o, args)
	if err != nil {
		return nil, err
	}
	return x, x.chosen.CheckSecrets()
}

// newSpreadJobUnchecked is newSpreadJob where secrets may be elsewhere.
func newSpreadJobUnchecked(s streams, o *conductOptions, args []string) (*spreadJob, error) {
	c, err := o.load(s, args)
	if err != nil {
		return nil, err
	}
	x, err := newJobOf(s, o, c)
	if err != nil {
		return nil, err
	}
	return x, x.prepare()
}

// newJobOf is a run of a scenario whose shards may be there already.
func newJobOf(s streams, o *conductOptions, c *chosen) (*spreadJob, error) {
	tags, err := pairs("tag", o.tags)
	if err != nil {
		return nil, err
	}
	j := &job{runOptions: &o.runOptions, elsewhere: true, s: s, lang: s.language(), chosen: c, dir: o.resultsDir}
	j.spread = spread{processes: 1}
	if j.secrets, err = c.redactor(); err != nil {
		return nil, err
	}
	if j.about, err = newAbout(c, j.spread, tags, j.lang, o.onInconclusive == "pass", j.secrets.Text); err != nil {
		return nil, err
	}
	if j.dir == "" {
		j.dir = filepath.Join("results", escape.Slug(c.Name)+"-"+time.Now().UTC().Format("20060102T150405Z"))
	}
	return &spreadJob{job: j, options: o}, unused(j.dir)
}

// prepare packs what shards are given, and says what each needs.
func (x *spreadJob) prepare() (err error) {
	if err := pack.Refuse(x.chosen.Scenario, x.options.shards); err != nil {
		return usageError{err}
	}
	if x.pack, err = pack.New(x.chosen.Scenario, []byte(x.about.Scenario)); err != nil {
		return usageError{err}
	}
	x.needs = trial.NeedsOf(x.chosen.Scenario, x.options.shards)
	if x.options.cores > 0 {
		x.needs.Cores = x.options.cores
	}
	return nil
}

// tellNeeds says what each shard needs.
func (x *spreadJob) tellNeeds() {
	n := x.needs
	for _, r := range needsIn(n, x.options.shards) {
		x.notice(r)
	}
}

// needsIn puts what each shard needs into words.
func needsIn(n trial.Needs, shards int) (list reason.Reasons) {
	if n.Rate > 0 {
		list = append(list, reason.New(reason.SpreadNeeds, shards, n.Rate, n.Cores, n.Connections, n.Ports, n.Descriptors))
	} else {
		list = append(list, reason.New(reason.SpreadRateUnknown, shards, n.Cores, trial.ServedBy(n.Cores), n.Connections, n.Ports, n.Descriptors))
	}
	if n.ManyPorts() {
		list = append(list, reason.New(reason.SpreadManyPorts, n.Ports))
	}
	return list
}

// command is what a shard runs, but for what names and starts it; executable and
// scenario are as the shard's machine has them.
func (x *spreadJob) command(executable, scenario string) []string {
	args := []string{
		executable, "run", scenario, "--shard", "env", "--journal", "-", "--no-tui", "--quiet", "--lang", string(x.lang),
		"--start-timeout", unit.Duration(x.startTimeout + time.Minute).String(), "--on-inconclusive", x.onInconclusive,
	}
	for _, a := range x.allowTarget {
		args = append(args, "--allow-target", a)
	}
	return args
}

// drive has an engine run the shards, adds them up and reports the sum.
func (x *spreadJob) drive(ctx context.Context, cluster func(dir string) (conduct.Cluster, error)) error {
	s, flush := x.s.clean(x.secrets)
	defer flush()
	x.s = s
	return cleaned(x.run(ctx, cluster), x.secrets)
}

func (x *spreadJob) run(ctx context.Context, cluster func(dir string) (conduct.Cluster, error)) error {
	release, err := x.occupy()
	if err != nil {
		return resultsError{err}
	}
	defer release()
	if !x.quiet {
		fmt.Fprintln(x.s.err, headline(x.chosen, x.lang))
	}
	if x.pack != nil { // else the shards are there already
		x.tellNeeds()
	}
	dir, err := filepath.Abs(x.dir)
	if err != nil {
		return err
	}
	if err := x.openOutputs(); err != nil {
		return err
	}
	var doc *result.Document
	x.signals = catchSignals(ctx)
	defer x.signals.release()
	defer func() { x.endOutputs(doc) }()
	mock, err := x.borrow()
	if err != nil {
		x.tellUnstarted(err)
		return err
	}
	engine, err := cluster(dir)
	if err != nil {
		return err
	}
	x.view = newView(x.job)
	defer x.view.close()
	done, err := conduct.Run(x.signals.hard, x.signals.graceful, conduct.Options{
		Scenario: x.chosen.Scenario, Shards: x.options.shards, Cluster: engine, LogDir: filepath.Join(dir, "shards"),
		StartTimeout: x.startTimeout, Mock: mock, Observe: x.observe(), Armed: x.outputs.Begin, Notice: x.notice,
	})
	x.view.close()
	if err != nil {
		if code := x.signals.code(); code != 0 && errors.Is(err, context.Canceled) {
			return quietError{code}
		}
		x.tellUnstarted(err)
		return err
	}
	defer done.Logs.Close() // a temporary file
	sum, err := x.addUp(done)
	if err != nil {
		return err
	}
	if doc, err = sum.Document(); err != nil {
		return err
	}
	return x.conclude(sum, doc)
}

// borrow finds the mock LLM that is to be armed for all shards; nil where none is named.
func (x *spreadJob) borrow() (conduct.Mock, error) {
	llm := x.chosen.LLM
	if llm == nil || llm.Admin == "" {
		return nil, nil
	}
	lent, err := trial.Borrow(x.signals.graceful, x.chosen.Scenario, x.about.RunID)
	if err != nil {
		return nil, err
	}
	x.lent = lent
	return lent, nil
}

// hearClient asks the mock LLM how the target treated it, now that it is known what
// became of the turns of all shards.
func (x *spreadJob) hearClient(sum *result.Recovered) {
	if x.lent == nil || !sum.Facts.LLMKnown {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hearWithin)
	defer cancel()
	if err := x.lent.Client(ctx, sum.Facts); err != nil {
		sum.Warnings = append(sum.Warnings, reason.New(reason.ClientUnheard, err))
	}
}

// hearWithin is how long it may take.
const hearWithin = 10 * time.Second

// addUp merges what was gathered.
func (x *spreadJob) addUp(done *conduct.Done) (*result.Recovered, error) {
	shards, warnings := result.RecoverLogs(done.Logs)
	if len(shards) == 0 {
		return nil, refused(reason.NoShardLeft, filepath.Join(x.dir, "shards"))
	}
	sum, err := result.Merge(shards...)
	if err != nil {
		return nil, err
	}
	// Who drives says whether the run was ended; shards of whom an engine wanted their
	// place were told to end, and the run is what they lack.
	sum.Signal = x.signals.number()
	sum.Warnings = append(append(sum.Warnings, warnings...), done.Warnings...)
	sum.ArmedOnce(done.Facts)
	x.hearClient(sum)
	sum.About.Overrides = append(sum.About.Overrides, x.about.Overrides...)
	sum.About.Tags, sum.About.Scale = x.about.Tags, x.about.Scale
	told, missed := x.flushOutputs()
	sum.Outputs, sum.Warnings = told, append(sum.Warnings, missed...)
	return sum, nil
}

// conclude writes the result, and exits with its verdict.
func (x *spreadJob) conclude(sum *result.Recovered, doc *result.Document) error {
	written := writeResult(x.dir, doc, sum.Snapshot, &sum.About)
	printed := x.print(doc)
	if err := stepSummary(func(w io.Writer) error { return report.WriteMarkdown(doc, w, x.lang) }); err != nil {
		x.s.warn(err)
	}
	x.notify(doc)
	return conclude(x.s, x.signals, written, printed, doc.ExitCode)
}
