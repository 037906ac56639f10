package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
)

// runOptions are the flags of `cstest run`.
type runOptions struct {
	scenarioFlags
	resultsDir     string
	outputs        []string
	tags           []string
	allowTarget    []string
	noTUI          bool
	json           bool
	quiet          bool
	verbose        bool
	noColor        bool
	onInconclusive string
	cpuProfile     string
	processes      string
	shard          string
	startAt        string
	startTimeout   time.Duration
	journal        string
}

func newRunCmd(s streams) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [SCENARIO]",
		Short: "Run a scenario, show it live, judge it, write the results, exit with the verdict",
		Long: `Run a scenario. SCENARIO is a path, - for standard input, or a built-in name
(see: cstest scenarios). Without it: ./cstest.yaml if there is one, else midnight-sale,
which takes about two minutes.

The first Ctrl-C starts no more conversations, lets those begun end, and reports. The
second leaves at once; cstest report on the result directory then does the rest.`,
		Example: `  cstest run
  cstest run smoke
  cstest run my.yaml --target http://10.0.0.5:8000 --scale 10%
  cstest run steady-200 --profile article-0 -d 1m`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runRun(cmd.Context(), s, &o, args)
		},
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the results go (default results/<name>-<UTC time>)")
	f.StringArrayVar(&o.outputs, "out", nil, "NAME=VALUE, tell others while the run is under way: prometheus=:9464, remote-write=URL, otlp=URL, json=FILE, turns=FILE (may be repeated)")
	f.StringArrayVar(&o.tags, "tag", nil, "KEY=VALUE kept in the result (may be repeated)")
	f.StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	f.BoolVar(&o.noTUI, "no-tui", false, "one line a second instead of the live view")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but the verdict")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "say what is being done")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.StringVar(&o.processes, "processes", "1", "spread the load over N processes of this machine, or auto")
	f.StringVar(&o.shard, "shard", "", "drive only part i of N of the load, as 0/4, or env: as Kubernetes, Slurm and others say it; cstest merge adds the parts up")
	f.StringVar(&o.startAt, "start-at", "", "start the load at this time (RFC 3339), the same for all shards; @FILE waits for a file to hold it")
	f.DurationVar(&o.startTimeout, "start-timeout", 10*time.Minute, "how long --start-at @FILE waits")
	f.StringVar(&o.journal, "journal", "", "- writes a shard's journal to standard output for cstest merge, and no files")
	f.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the generator to this file")
	_ = f.MarkHidden("cpuprofile") // it exists: it was just added
	f.StringVar(&o.onInconclusive, "on-inconclusive", "fail", "what an inconclusive verdict exits with: fail (11) or pass (0)")
	return cmd
}

// job is one `cstest run` under way.
type job struct {
	*runOptions
	s       streams
	lang    reason.Lang
	chosen  *chosen
	dir     string
	about   *result.About
	spread  spread
	signals *signals
	view    view
	outputs *output.Set
	// elsewhere says that others drive the load, and the outputs are told of what they tell.
	elsewhere bool
	secrets   *redact.Redactor
}

func runRun(ctx context.Context, s streams, o *runOptions, args []string) (err error) {
	j, err := newJob(ctx, s, o, args)
	defer func(s streams) { o.sayEnded(s, err) }(s)
	if err != nil {
		return err
	}
	s, flush := s.clean(j.secrets)
	defer flush()
	j.s = s
	return cleaned(j.run(ctx), j.secrets)
}

// run drives the load and reports it.
func (j *job) run(ctx context.Context) error {
	s, o := j.s, j.runOptions
	release, err := j.occupy()
	if err != nil {
		return resultsError{err}
	}
	defer release()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	if !o.quiet {
		fmt.Fprintln(s.err, headline(j.chosen, j.lang))
		if j.spread.said != (reason.Phrase{}) {
			fmt.Fprintln(s.err, j.spread.said.Text(j.lang))
		}
		for _, w := range j.chosen.Warnings() {
			s.say("warning: %s", w)
		}
	}
	if err := j.openOutputs(); err != nil {
		return err
	}
	ended := false
	defer func() {
		if !ended {
			j.endOutputs(nil)
		}
	}()
	j.signals = catchSignals(ctx)
	defer j.signals.release()
	j.view = newView(j)
	defer j.view.close() // a panic must not leave the terminal to itself
	stopProfile, err := profileCPU(o.cpuProfile)
	if err != nil {
		return usageError{err}
	}
	done, err := trial.Run(j.signals.hard, j.signals.graceful, trial.Options{
		Scenario: j.chosen.Scenario, Executable: executable, Resolved: j.about.Scenario, Dir: j.about.Dir,
		Shard: j.spread.shard, Shards: j.spread.shards, Processes: j.spread.processes, StartAt: j.spread.startAt,
		LogDir: filepath.Join(j.dir, "logs"), Journal: filepath.Join(j.dir, result.JournalFile), JournalTo: j.pieces(), RunID: j.about.RunID, About: j.about,
		AllowTarget: o.allowTarget, Observe: j.observe(), Armed: j.outputs.Begin, Lane: j.outputs.Lane, Turns: j.outputs, Notice: j.notice, Signal: j.signals.number, Redact: j.secrets.Text,
	})
	j.view.close()
	if perr := stopProfile(); perr != nil {
		s.warn(perr)
	}
	if err != nil {
		if code := j.signals.code(); code != 0 && errors.Is(err, context.Canceled) {
			return quietError{code}
		}
		j.tellUnstarted(err)
		return err
	}
	ended = true
	return j.finish(done)
}

func newJob(ctx context.Context, s streams, o *runOptions, args []string) (*job, error) {
	lang := s.language()
	if !slices.Contains([]string{"fail", "pass"}, o.onInconclusive) {
		return nil, usagef("--on-inconclusive %q: want fail or pass", o.onInconclusive)
	}
	tags, err := pairs("tag", o.tags)
	if err != nil {
		return nil, err
	}
	c, err := o.load(s, args)
	if err != nil {
		return nil, err
	}
	if err := c.CheckSecrets(o.notOurs()...); err != nil {
		return nil, err
	}
	j := &job{runOptions: o, s: s, lang: lang, chosen: c, dir: o.resultsDir}
	if err := o.checkJournal(); err != nil {
		return nil, err
	}
	if j.secrets, err = c.redactor(); err != nil {
		return nil, err
	}
	if j.spread, err = o.spread(c); err != nil {
		return nil, err
	}
	if err := o.sayReady(s, j.spread); err != nil {
		return nil, err
	}
	if j.spread.startAt, err = o.start(ctx); err != nil {
		return nil, err
	}
	if j.about, err = newAbout(c, j.spread, tags, lang, o.onInconclusive == "pass", j.secrets.Text); err != nil {
		return nil, err
	}
	if o.journal == "" && j.dir == "" {
		j.dir = filepath.Join("results", escape.Slug(c.Name)+"-"+time.Now().UTC().Format("20060102T150405Z"))
	}
	if _, err := os.Stat(filepath.Join(j.dir, result.DocumentFile)); err == nil && o.journal == "" {
		return nil, usagef("%s already holds a finished result: choose another --results-dir", j.dir)
	}
	return j, nil
}

func (j *job) notice(what reason.Reason) {
	if !j.quiet {
		fmt.Fprintln(j.s.err, what.Text(j.lang))
	}
}

// finish writes the results, prints the summary, and gives the exit code.
func (j *job) finish(done *trial.Done) error {
	told, missed := j.flushOutputs()
	if j.journal != "" {
		j.endOutputs(nil)
		return j.finishShard(done)
	}
	doc := result.Build(j.chosen.Scenario, j.about, result.Recording{
		Snapshot: done.Snapshot, Facts: done.Facts, Started: done.Started, Warnings: append(done.Warnings, missed...), Signal: j.signals.number(), Outputs: told,
	})
	crashed := j.crashed(done.Crash)
	written := errors.Join(done.JournalErr, writeResult(j.dir, doc, done.Snapshot, j.about))
	printed := j.print(doc)
	if printed != nil {
		fmt.Fprintln(j.s.err, lastWords(doc, j.lang))
	}
	if err := stepSummary(func(w io.Writer) error { return report.WriteMarkdown(doc, w, j.lang) }); err != nil {
		j.s.warn(err)
	}
	if crashed != nil {
		j.endOutputs(doc)
		if err := errors.Join(written, printed); err != nil {
			j.s.writeError(err)
		}
		return crashed
	}
	j.notify(doc)
	j.endOutputs(doc)
	return conclude(j.s, j.signals, written, printed, j.exitCode(doc))
}

// tellUnstarted leaves the cause where a CI job looks for results: there are none.
func (j *job) tellUnstarted(err error) {
	code := exitCode(err)
	if j.journal != "" || code == exitUsage {
		return
	}
	u := &ci.Unstarted{
		Scenario: j.chosen.Name, RunID: j.about.RunID, Version: j.about.Version, Seed: j.chosen.Seed, At: time.Now(),
		Why: j.secrets.Text(reason.TextOf(err, j.lang)), ExitCode: code,
	}
	told := u.Write(j.dir, j.lang)
	if err := errors.Join(told, stepSummary(func(w io.Writer) error { return u.WriteMarkdown(w, j.lang) })); err != nil {
		j.s.warn(err)
	}
}

// lastWords is the result in a line, for when nothing else can be written.
func lastWords(doc *result.Document, lang reason.Lang) string {
	c := doc.Counts
	line := reason.Say("verdict %s: %d of %d turns ok, %d degraded", reason.Word(doc.Verdict), c.OK, c.Turns, c.Degraded).Text(lang)
	if len(doc.Reasons) > 0 {
		line += "; " + escape.Clean(doc.Reasons[0])
	}
	return line
}

// print puts the result on standard output.
func (j *job) print(doc *result.Document) error {
	switch {
	case j.json:
		return report.WriteJSON(doc, unscrubbed(j.s.out))
	case j.quiet:
		_, err := fmt.Fprintf(j.s.out, "%s %s\n", doc.Verdict, j.dir)
		return err
	}
	if err := showDocument(j.s, doc, j.lang, j.noColor); err != nil {
		return err
	}
	page := filepath.Join(j.dir, "report.html")
	if _, err := os.Stat(page); err != nil {
		page = j.dir // the report could not be written: what could be is there
	}
	_, err := fmt.Fprintf(j.s.out, "\n  %s\n", page)
	return err
}

// stepSummary adds what write writes to a CI job's summary page.
func stepSummary(write func(io.Writer) error) error {
	path := os.Getenv("GITHUB_STEP_SUMMARY")
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // the CI system names the file
	if err != nil {
		return fmt.Errorf("GITHUB_STEP_SUMMARY: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
