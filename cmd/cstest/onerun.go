package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trial"
)

// oneRun is a run among many: its result lies in a folder inside of theirs.
type oneRun struct {
	dir, inside string
	executable  string
	allowTarget []string
	lang        reason.Lang
	signals     *signals
	secrets     *redact.Redactor
	tags        map[string]string
	observe     func(*trial.Live) // nil: nobody watches
}

// drive runs c and writes its result as `cstest run` does.
func (r *oneRun) drive(c *chosen) (*result.Document, *trial.Done, error) {
	dir := filepath.Join(r.dir, filepath.FromSlash(r.inside))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, resultsError{err}
	}
	about, err := newAbout(c, spread{processes: 1}, r.tags, r.lang, false, r.secrets.Text)
	if err != nil {
		return nil, nil, err
	}
	done, err := trial.Run(r.signals.hard, r.signals.graceful, trial.Options{
		Scenario: c.Scenario, Executable: r.executable, Resolved: about.Scenario, Dir: about.Dir, Processes: 1,
		LogDir: filepath.Join(dir, "logs"), Journal: filepath.Join(dir, result.JournalFile), RunID: about.RunID, About: about,
		AllowTarget: r.allowTarget, Observe: r.observe, Signal: r.signals.number, Redact: r.secrets.Text,
	})
	if err != nil {
		return nil, nil, err
	}
	doc := result.Build(c.Scenario, about, result.Recording{
		Snapshot: done.Snapshot, Facts: done.Facts, Started: done.Started, Warnings: done.Warnings, Signal: r.signals.number(),
	})
	if err := errors.Join(done.JournalErr, writeResult(dir, doc, done.Snapshot, about)); err != nil {
		return nil, nil, resultsError{err}
	}
	if done.Crash != nil {
		return nil, nil, reason.Errorf("internal error: %s: please report it", r.secrets.Text(escape.Clean(done.Crash.Error())))
	}
	return doc, done, nil
}
