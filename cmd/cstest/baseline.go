package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

// A baseline is a folder of accepted results, small enough to be committed: of
// each, its result.json and its scenario.

// accepted are the newest results in dir, at most so many, that were asked what
// like was, and a word on the others. A folder that is not there holds none.
func accepted(dir string, like result.Run, most int) (runs []result.Run, others reason.Reasons, err error) {
	left := 0
	for _, d := range inside(dir) {
		doc, err := result.Read(d)
		if err != nil {
			return nil, nil, usageError{err}
		}
		r := result.Run{Dir: d, Doc: doc, Values: valuesOf(d)}
		if len(result.AskedDifferently(doc, like.Doc)) > 0 {
			left++
			continue
		}
		if doc.RunID != like.Doc.RunID {
			runs = append(runs, r)
		}
	}
	slices.SortStableFunc(runs, func(a, b result.Run) int { return a.Doc.Started().Compare(b.Doc.Started()) })
	if left > 0 {
		others = reason.Reasons{reason.New(reason.BaselineOthers, left)}
	}
	return runs[max(0, len(runs)-most):], others, nil
}

// accept copies a result into dir, and says what became of it. What measured
// nothing is no measure for others.
func accept(dir string, r result.Run) (reason.Reason, error) {
	d := *r.Doc
	if d.Verdict == "invalid" || d.Verdict == "incomplete" {
		return reason.New(reason.BaselineRefuses, d.RunID, reason.Word(d.Verdict)), nil
	}
	if !fs.ValidPath(d.RunID) || strings.ContainsAny(d.RunID, `/\`) || d.RunID == "." {
		return reason.Reason{}, usagef("%s: the run calls itself %q, which is no name for a directory", r.Dir, d.RunID)
	}
	to := filepath.Join(dir, d.RunID)
	if _, err := os.Stat(filepath.Join(to, result.DocumentFile)); err == nil {
		return reason.New(reason.BaselineHas, d.RunID), nil
	}
	var files []directory.File
	if text, err := os.ReadFile(filepath.Join(r.Dir, scenarioFile)); err == nil {
		files = append(files, directory.File{Name: scenarioFile, Write: func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		}})
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return reason.Reason{}, resultsError{err}
	}
	if err := directory.Write(to, &d, files); err != nil {
		return reason.Reason{}, resultsError{reason.Errorf("accept %s: %w", d.RunID, err)}
	}
	return reason.New(reason.BaselineTook, d.RunID, dir), nil
}
