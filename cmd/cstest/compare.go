package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/report/comparisons"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/result"
)

type compareOptions struct {
	anyScenario bool
	baseline    string
	accept      bool
	force       bool
	last        int
	format      string
	json        bool
	noColor     bool
}

func newCompareCmd(s streams) *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare A B",
		Short: "Compare finished results",
		Long: `Compare finished results, A the baseline and B the candidate. Each is a result directory,
or a directory that holds several of one scenario: only with several on each side is the
noise between runs known. Exits 10 when B is worse, 11 when it cannot be told.

With --baseline DIR only B is given: it is compared with the results accepted into DIR, the
newest of the same scenario. --accept takes B among them, unless it is worse.`,
		Example: `  cstest compare results/before results/after
  cstest compare results/before results/after --format markdown
  cstest compare --baseline accepted results/after --accept`,
		Args: arguments(1, 2),
		RunE: func(_ *cobra.Command, args []string) error { return runCompare(s, o, args) },
	}
	f := cmd.Flags()
	f.BoolVar(&o.anyScenario, "any-scenario", false, "compare results of different scenarios all the same")
	f.StringVar(&o.baseline, "baseline", "", "folder of accepted results, which take the place of A")
	f.BoolVar(&o.accept, "accept", false, "take B into the folder of --baseline, unless it is worse")
	f.BoolVar(&o.force, "force", false, "with --accept: even if it is worse")
	f.IntVar(&o.last, "last", 10, "with --baseline: compare with at most so many of the newest")
	f.StringVar(&o.format, "format", "text", "text | markdown | json")
	f.BoolVar(&o.json, "json", false, "the same as --format json")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	return cmd
}

func runCompare(s streams, o compareOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	after, err := runsIn(args[len(args)-1])
	if err != nil {
		return err
	}
	c, err := o.compare(args[0], after)
	if err != nil {
		return err
	}
	took := false
	if o.accept {
		if took, err = o.take(c, after); err != nil {
			return err
		}
	}
	if err := o.print(s, s.language(), c); err != nil {
		return resultsError{err}
	}
	if c.ExitCode == exitPass || took {
		return nil
	}
	return quietError{c.ExitCode}
}

// check tells what is wrong with the flags.
func (o *compareOptions) check(args []string) error {
	if o.json {
		o.format = "json"
	}
	switch {
	case o.format != "text" && o.format != "markdown" && o.format != "md" && o.format != "json":
		return usagef("--format %q: want text, markdown or json", o.format)
	case o.baseline == "" && len(args) != 2:
		return usagef("compare takes two results, or one and --baseline DIR")
	case o.baseline != "" && len(args) != 1:
		return usagef("with --baseline, compare takes one result: the accepted ones are the other side")
	case o.baseline == "" && o.accept:
		return usagef("--accept needs --baseline: which folder shall take the result?")
	case o.force && !o.accept:
		return usagef("--force goes with --accept only")
	case o.last < 1:
		return usagef("--last %d: want 1 at least", o.last)
	}
	return nil
}

// compare holds what was run after against the first argument, or the baseline.
func (o *compareOptions) compare(first string, after []result.Run) (*result.Comparison, error) {
	var before []result.Run
	var others reason.Reasons
	var err error
	if o.baseline == "" {
		before, err = runsIn(first)
	} else {
		before, others, err = accepted(o.baseline, after[0], o.last)
	}
	if err != nil {
		return nil, err
	}
	if len(before) == 0 {
		c := result.FirstOf(after, reason.New(reason.BaselineEmpty, o.baseline, o.baseline))
		c.Note(others...)
		return c, nil
	}
	c, err := result.Compare(before, after, result.CompareOptions{AnyScenario: o.anyScenario})
	if err != nil {
		return nil, usageError{cleanError{err, escape.Clean}} // results name themselves, and may come from anybody
	}
	c.Note(others...)
	return c, nil
}

// take accepts the runs, where nothing speaks against it, says what it did, and
// tells whether all of them are accepted.
func (o *compareOptions) take(c *result.Comparison, runs []result.Run) (all bool, err error) {
	all = true
	for _, r := range runs {
		if c.ExitCode == exitFail && !o.force {
			c.Note(reason.New(reason.BaselineNotWorse, r.Doc.RunID))
			all = false
			continue
		}
		said, err := accept(o.baseline, r)
		if err != nil {
			return false, err
		}
		c.Note(said)
		if said.Code == reason.BaselineRefuses {
			all = false
		} else {
			c.Forget(reason.BaselineEmpty)
		}
	}
	return all, nil
}

func (o *compareOptions) print(s streams, lang reason.Lang, c *result.Comparison) error {
	switch o.format {
	case "json":
		return comparisons.WriteJSON(c, s.out)
	case "markdown", "md":
		return comparisons.WriteMarkdown(c, s.out, lang)
	}
	return s.show(o.noColor, lang, func(w io.Writer, o report.TextOptions) error { return comparisons.WriteText(c, w, o) })
}
