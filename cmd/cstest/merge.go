package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

type mergeOptions struct {
	resultsDir string
	noColor    bool
	json       bool
}

func newMergeCmd(s streams) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge RESULT...",
		Short: "Add the shards of one run and judge the sum",
		Long: `Add the shards of one run (cstest run --shard i/N, on one machine or several) and judge
the sum as one run. RESULT is a result directory, or a log that holds what shards with
--journal - wrote, also several of them, in any order, twice or cut; - is a log on
standard input. Shards of another seed, scenario or number
of parts are refused, and so is one given twice; without one of them the sum is incomplete.
Exits with the verdict.`,
		Example: `  cstest merge results/shard-0 results/shard-1 --results-dir results/sale
  cstest merge results/shard-* --results-dir results/sale --json
  cstest merge logs/*.log --results-dir results/sale`,
		Args: arguments(1, many),
		RunE: func(_ *cobra.Command, args []string) error { return runMerge(s, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the sum goes (needed)")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	return cmd
}

func runMerge(s streams, o mergeOptions, dirs []string) error {
	lang := s.language()
	if o.resultsDir == "" {
		return refused(reason.MergeWithoutDir)
	}
	if err := unused(o.resultsDir); err != nil {
		return err
	}
	shards, warnings, err := parts(s, dirs)
	if err != nil {
		return err
	}
	sum, err := result.Merge(shards...)
	if err != nil {
		return usageError{err}
	}
	sum.Warnings = append(sum.Warnings, warnings...)
	sum.ArmedOnce(nil)
	doc, err := sum.Document()
	if err != nil {
		return usageError{err}
	}
	release, err := directory.Lock(o.resultsDir)
	if err != nil {
		return resultsError{err}
	}
	defer release() //nolint:errcheck // a lock left behind is taken over
	if err := writeResult(o.resultsDir, doc, sum.Snapshot, &sum.About); err != nil {
		return resultsError{err}
	}
	if err := printDocument(s, doc, lang, o.json, o.noColor); err != nil {
		return resultsError{reason.Errorf("standard output: %w", err)}
	}
	if doc.ExitCode == exitPass {
		return nil
	}
	return quietError{doc.ExitCode}
}

// parts reads the shards to add up: result directories, journals, and logs that
// hold journals in pieces; - is a log on standard input.
func parts(s streams, paths []string) (shards []*result.Recovered, warnings reason.Reasons, err error) {
	logs, err := measure.NewSpool()
	if err != nil {
		return nil, nil, err
	}
	defer logs.Close()
	for _, path := range paths {
		journal, log := path, false
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			journal = filepath.Join(path, result.JournalFile)
		} else if err == nil || path == "-" {
			log = path == "-" || !measure.IsJournal(path)
		}
		if log {
			if err := readLog(s, logs, path); err != nil {
				return nil, nil, err
			}
			continue
		}
		if _, err := os.Stat(journal); err != nil {
			return nil, nil, refused(reason.MergeNoJournal, path, result.JournalFile)
		}
		shard, err := result.Recover(journal)
		if err != nil {
			return nil, nil, usageError{err}
		}
		shards = append(shards, shard)
	}
	inLogs, warnings := result.RecoverLogs(logs)
	if len(shards)+len(inLogs) == 0 {
		return nil, nil, usagef("%s: want at least one journal that can be read", strings.Join(texts(warnings), "; "))
	}
	return append(shards, inLogs...), warnings, nil
}

// texts puts reasons into words, one by one.
func texts(list reason.Reasons) (all []string) {
	for _, r := range list {
		all = append(all, r.String())
	}
	return all
}

// readLog takes the pieces of journals out of a log.
func readLog(s streams, logs *measure.Spool, path string) error {
	in := s.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return usageError{err}
		}
		defer f.Close() // only read from
		in = f
	}
	n, err := logs.Read(in)
	if err != nil {
		return usagef("%s: %w", path, err)
	}
	if n == 0 {
		return refused(reason.MergeNoPieces, path)
	}
	return nil
}

// printDocument puts a result on standard output.
func printDocument(s streams, doc *result.Document, lang reason.Lang, json, noColor bool) error {
	if json {
		return report.WriteJSON(doc, s.out)
	}
	return showDocument(s, doc, lang, noColor)
}

// showDocument puts the summary of a result on standard output.
func showDocument(s streams, doc *result.Document, lang reason.Lang, noColor bool) error {
	return s.show(noColor, lang, func(w io.Writer, o report.TextOptions) error { return report.WriteText(doc, w, o) })
}

// unused errs when dir holds a run already: a sum must not take its place.
func unused(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil {
		return refused(reason.MergeHoldsResult, dir)
	}
	if _, err := os.Stat(filepath.Join(dir, result.JournalFile)); err == nil {
		return refused(reason.MergeHoldsJournal, dir)
	}
	return nil
}
