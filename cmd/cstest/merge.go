package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/result"
)

type mergeOptions struct {
	resultsDir string
	lang       string
	noColor    bool
	json       bool
}

func newMergeCmd(s streams) *cobra.Command {
	var o mergeOptions
	cmd := &cobra.Command{
		Use:   "merge RESULT...",
		Short: "Add the shards of one run and judge the sum",
		Long: `Add the shards of one run (cstest run --shard i/N, on one machine or several) and judge
the sum as one run. The order does not matter. Shards of another seed, scenario or number
of parts are refused, and so is one given twice; without one of them the sum is incomplete.
Exits with the verdict.`,
		Example: `  cstest merge results/shard-0 results/shard-1 --results-dir results/sale
  cstest merge results/shard-* --results-dir results/sale --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runMerge(s, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the sum goes (needed)")
	f.StringVar(&o.lang, "lang", "en", "language of what a person reads: en or zh")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	return cmd
}

func runMerge(s streams, o mergeOptions, dirs []string) error {
	lang, err := reason.ParseLang(o.lang)
	if err != nil {
		return usageError{err}
	}
	if o.resultsDir == "" {
		return refused(reason.MergeWithoutDir)
	}
	if err := unused(o.resultsDir); err != nil {
		return err
	}
	shards := make([]*result.Recovered, len(dirs))
	for i, dir := range dirs {
		path := filepath.Join(dir, result.JournalFile)
		if _, err := os.Stat(path); err != nil {
			return refused(reason.MergeNoJournal, dir, result.JournalFile)
		}
		if shards[i], err = result.Recover(path); err != nil {
			return usageError{err}
		}
	}
	sum, err := result.Merge(shards...)
	if err != nil {
		return usageError{err}
	}
	doc, err := sum.Document()
	if err != nil {
		return usageError{err}
	}
	release, err := report.Lock(o.resultsDir)
	if err != nil {
		return resultsError{err}
	}
	defer release() //nolint:errcheck // a lock left behind is taken over
	if err := writeResult(o.resultsDir, doc, sum.Snapshot, &sum.About); err != nil {
		return resultsError{err}
	}
	if err := printDocument(s, doc, lang, o.json, o.noColor); err != nil {
		return resultsError{fmt.Errorf("standard output: %w", err)}
	}
	if doc.ExitCode == exitPass {
		return nil
	}
	return quietError{doc.ExitCode}
}

// printDocument puts a result on standard output.
func printDocument(s streams, doc *result.Document, lang report.Lang, json, noColor bool) error {
	if json {
		return report.WriteJSON(doc, s.out)
	}
	return showDocument(s, doc, lang, noColor)
}

// showDocument puts the summary of a result on standard output.
func showDocument(s streams, doc *result.Document, lang report.Lang, noColor bool) error {
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
