package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/result"
)

type compareOptions struct {
	anyScenario bool
	json        bool
	noColor     bool
	lang        string
}

func newCompareCmd(s streams) *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare finished results",
		Long: `Compare finished results, A the baseline and B the candidate. Each is a result directory,
or a directory that holds several of one scenario: only with several on each side is the
noise between runs known. Exits 10 when B is worse, 11 when it cannot be told.`,
		Example: `  cstest compare results/before results/after
  cstest compare results/before results/after --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return runCompare(s, o, args[0], args[1]) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.anyScenario, "any-scenario", false, "compare results of different scenarios all the same")
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.StringVar(&o.lang, "lang", "en", "language of what a person reads: en or zh")
	return cmd
}

func runCompare(s streams, o compareOptions, a, b string) error {
	lang, err := reason.ParseLang(o.lang)
	if err != nil {
		return usageError{err}
	}
	before, err := openResults(a)
	if err != nil {
		return err
	}
	after, err := openResults(b)
	if err != nil {
		return err
	}
	c, err := result.Compare(before, after, result.CompareOptions{AnyScenario: o.anyScenario})
	if err != nil {
		return usageError{reason.Of(err).Map(report.Clean).Err()} // results name themselves, and may come from anybody
	}
	if o.json {
		err = report.WriteComparisonJSON(c, s.out)
	} else {
		err = s.show(o.noColor, lang, func(w io.Writer, o report.TextOptions) error { return report.WriteComparison(c, w, o) })
	}
	if err != nil {
		return resultsError{err}
	}
	if c.ExitCode == exitPass {
		return nil
	}
	return quietError{c.ExitCode}
}

// openResults reads one result, or every result in a directory of them.
func openResults(dir string) ([]*result.Document, error) {
	inside, err := filepath.Glob(filepath.Join(dir, "*", result.DocumentFile))
	if err != nil {
		return nil, usageError{err}
	}
	if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); err == nil || len(inside) == 0 {
		doc, err := openResult(dir)
		if err != nil {
			return nil, err
		}
		return []*result.Document{doc}, nil
	}
	var docs []*result.Document
	for _, path := range inside {
		doc, err := result.Read(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}
