package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/report"
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
the sum as one run. The order does not matter. Exits with the verdict.`,
		Example: "  cstest merge shard0 shard1 --results-dir results/sale",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return runMerge(s, o, args) },
	}
	f := cmd.Flags()
	f.StringVar(&o.resultsDir, "results-dir", "", "where the sum goes (needed)")
	f.StringVar(&o.lang, "lang", "en", "language of what a person reads: en or zh")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.BoolVar(&o.json, "json", false, "print result.json instead of the summary")
	return cmd
}

func runMerge(s streams, o mergeOptions, dirs []string) error {
	lang, err := report.ParseLang(o.lang)
	if err != nil {
		return usageError{err}
	}
	if o.resultsDir == "" {
		return usagef("merge needs --results-dir: where shall the sum go?")
	}
	journals := make([]string, len(dirs))
	seen := map[string]bool{}
	for i, dir := range dirs {
		journals[i] = filepath.Join(dir, journalFile)
		if _, err := os.Stat(journals[i]); err != nil {
			return usagef("%s: no %s in it: is it the result directory of a shard?", dir, journalFile)
		}
		if clean := filepath.Clean(dir); seen[clean] {
			return usagef("%s is given twice: a shard counts once", dir)
		} else {
			seen[clean] = true
		}
	}
	doc, snap, a, err := fromJournal(journals...)
	if err != nil {
		return usageError{err}
	}
	release, err := report.Lock(o.resultsDir)
	if err != nil {
		return resultsError{err}
	}
	defer release() //nolint:errcheck // a lock left behind is taken over
	if err := writeResult(o.resultsDir, doc, snap, a); err != nil {
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
func printDocument(s streams, doc *report.Document, lang report.Lang, json, noColor bool) error {
	if json {
		return report.WriteJSON(doc, s.out)
	}
	return report.WriteText(doc, s.out, report.TextOptions{Color: colorful(s.out, noColor), Width: width(s.out), Lang: lang})
}
