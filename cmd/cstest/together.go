package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/cstest/cstest/pool"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/pools"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// reportTogether judges the runs in several directories, or in directories of
// them, as one.
func reportTogether(s streams, o reportOptions, paths []string) error {
	lang := s.language()
	if !slices.Contains([]string{"text", "html", "markdown", "md", "json"}, o.format) {
		return refused(reason.PoolFormat, o.format)
	}
	if o.unit != "" {
		return usagef("--unit is for histogram logs; a result says its units")
	}
	var given []result.Run
	for _, path := range paths {
		if isLog(path) {
			return usagef("%s is a histogram log: several runs together are judged from their result directories", path)
		}
		runs, err := runsIn(path)
		if err != nil {
			return err
		}
		given = append(given, runs...)
	}
	others, unread := beside(given)
	r, err := pool.Judge(given, others, fullVersion())
	if err != nil {
		return usageError{cleanError{err, escape.Clean}} // results name themselves, and may come from anybody
	}
	r.Warn(unread)
	err = s.show(o.noColor || o.output != "", lang, func(w io.Writer, opts report.TextOptions) error {
		return o.to(w, pools.As(r, o.format, opts))
	})
	if err != nil {
		return resultsError{err}
	}
	if r.ExitCode == exitPass {
		return nil
	}
	return quietError{r.ExitCode}
}

// severalIn tells whether path is a directory of results rather than one.
func severalIn(path string) bool {
	for _, file := range []string{result.DocumentFile, result.JournalFile} {
		if _, err := os.Stat(filepath.Join(path, file)); err == nil {
			return false
		}
	}
	return len(inside(path)) > 0
}

// inside are the directories in path that hold a run.
func inside(path string) (dirs []string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		dir := filepath.Join(path, e.Name())
		for _, file := range []string{result.DocumentFile, result.JournalFile} {
			if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
				dirs = append(dirs, dir)
				break
			}
		}
	}
	return dirs
}

// runsIn reads one result, or every result in a directory of them.
func runsIn(path string) ([]result.Run, error) {
	dirs := []string{path}
	if severalIn(path) {
		dirs = inside(path)
	}
	var runs []result.Run
	for _, dir := range dirs {
		doc, err := openResult(dir)
		if err != nil {
			return nil, err
		}
		runs = append(runs, result.Run{Dir: dir, Doc: doc, Values: valuesOf(dir)})
	}
	return runs, nil
}

// beside are the runs that lie in the same directories as those given, and what
// kept one from being read. Nothing is written there.
func beside(given []result.Run) (runs []result.Run, unread reason.Reasons) {
	parents := map[string]bool{}
	for _, g := range given {
		parents[filepath.Dir(filepath.Clean(g.Dir))] = true
	}
	for parent := range parents {
		for _, dir := range inside(parent) {
			if slices.ContainsFunc(given, func(g result.Run) bool { return filepath.Clean(g.Dir) == dir }) {
				continue
			}
			doc, err := result.Read(dir)
			if _, missing := os.Stat(filepath.Join(dir, result.DocumentFile)); missing != nil {
				var killed *result.Recovered
				if killed, err = result.Recover(filepath.Join(dir, result.JournalFile)); err == nil {
					doc, err = killed.Document()
				}
			}
			if err != nil {
				unread = append(unread, reason.New(reason.PoolUnreadable, dir, err))
				continue
			}
			runs = append(runs, result.Run{Dir: dir, Doc: doc, Values: valuesOf(dir)})
		}
	}
	slices.SortFunc(unread, reason.Compare)
	return runs, unread
}

// valuesOf is what the scenario of a run says, nil where it cannot be read.
func valuesOf(dir string) map[string]string {
	text, err := os.ReadFile(filepath.Join(dir, scenarioFile))
	if err != nil {
		return nil
	}
	values, err := scenario.Values(text)
	if err != nil {
		return nil
	}
	return values
}
