package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cstest/cstest/engine"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/unit"
)

// checkJournal refuses what does not go with --journal.
func (o *runOptions) checkJournal() error {
	switch {
	case o.journal == "":
		return nil
	case o.journal != "-":
		return usagef("--journal %q: want - for standard output; into a file it goes in --results-dir", o.journal)
	case o.shard == "":
		return usagef("--journal - is for the shard of a load: add --shard")
	case o.resultsDir != "":
		return usagef("--journal - writes no files and --results-dir says where to: give one of them")
	case o.json:
		return usagef("--journal - and --json both want standard output: give one of them")
	}
	return nil
}

// pieces is where the journal goes in place of a file; nil where it is one.
func (j *job) pieces() measure.File {
	if j.journal == "" {
		return nil
	}
	// It holds no secrets, and a scrubber would cut into its text.
	return measure.NewPieces(unscrubbed(j.s.out), result.Shard{I: j.spread.shard, N: j.spread.shards}.String())
}

// sayReady tells who gathers the journals of shards that this one waits to start.
func (o *runOptions) sayReady(s streams, sp spread) error {
	if o.journal == "" {
		return nil
	}
	_, err := io.WriteString(s.out, engine.Status{Shard: result.Shard{I: sp.shard, N: sp.shards}, Ready: true}.Line())
	return err
}

// sayEnded tells that nothing more is to come, and how it ended.
func (o *runOptions) sayEnded(s streams, err error) {
	if o.journal == "" || o.shard == "" {
		return
	}
	if part, _, wrong := readShard(o.shard); wrong == nil {
		// Who gathers them learns of a lost line from the engine.
		_, _ = io.WriteString(s.out, engine.Status{Shard: part, Ended: true, Code: exitCode(err)}.Line())
	}
}

// notOurs are the secrets that a shard does without: the mock LLM is armed by who
// drives all of them.
func (o *runOptions) notOurs() []string {
	if part, _, err := readShard(o.shard); o.shard != "" && err == nil && part.N > 1 {
		return []string{"llm.token"}
	}
	return nil
}

// occupy makes the folder of the results this run's own until release. With
// --journal - it is one for the logs of bundled servers, and goes with the run.
func (j *job) occupy() (release func(), err error) {
	if j.journal != "" {
		j.dir = filepath.Join(os.TempDir(), "cstest-"+j.about.RunID+fmt.Sprintf("-%d", os.Getpid()))
		return func() { _ = os.RemoveAll(j.dir) }, nil
	}
	unlock, err := directory.Lock(j.dir)
	if err != nil {
		return nil, err
	}
	return func() {
		_ = unlock() // a lock left behind is taken over by the next run
		j.sweep()
	}, nil
}

// sweep removes the folders of a run that never began: those that are empty.
func (j *job) sweep() {
	for _, dir := range []string{filepath.Join(j.dir, "logs"), j.dir} {
		_ = os.Remove(dir) // refused where something is inside
	}
	if j.resultsDir == "" {
		_ = os.Remove(filepath.Dir(j.dir))
	}
}

// finishShard ends a shard whose journal went to standard output: what it holds
// is judged by who adds it up.
func (j *job) finishShard(done *trial.Done) error {
	code := j.signals.code()
	if code == 0 && len(done.Facts.Interrupted) > 0 {
		code = result.ExitCode(sla.Incomplete, 0, false)
	}
	if !j.quiet {
		j.s.say("shard %d/%d: %s turns recorded", j.spread.shard, j.spread.shards, unit.Count(done.Snapshot.Turns()))
	}
	if done.Crash != nil {
		return reason.Errorf("internal error: %s: please report it\n%s", escape.Clean(done.Crash.Error()), done.Crash.Stack)
	}
	return conclude(j.s, j.signals, done.JournalErr, nil, code)
}

// exitCode is that of the verdict. A shard's says whether it ran and recorded:
// the verdict is that of the sum, and an engine that is told of a failure starts
// a shard again or gives up the others.
func (j *job) exitCode(doc *result.Document) int {
	if j.spread.shards > 1 && j.signals.number() == 0 && doc.Verdict != sla.Incomplete.String() {
		return exitPass
	}
	return doc.ExitCode
}
