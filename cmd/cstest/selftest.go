package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/selftest"
	"github.com/cstest/cstest/unit"
)

func newSelftestCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Prove on this machine that what cstest reports is what really happened",
		Long: `Drive the bundled mock LLM, which notes at its own socket what it did with every turn, and
compare turn by turn: durations, response times over a server that stood still, starts with
their plan, outcomes with the faults that were played; then nginx, where it is installed,
with its log. Takes about 45 s. Exits 12 when the ruler is not straight on this machine.`,
		Example: `  cstest selftest
  cstest selftest > selftest.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSelftest(cmd.Context(), s) },
	}
}

func runSelftest(ctx context.Context, s streams) error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	logs, err := os.MkdirTemp("", "cstest-selftest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs) // a temporary folder
	sig := catchSignals(ctx)
	defer sig.release()
	report, err := selftest.Run(sig.graceful, executable, logs, func(line string) { fmt.Fprintln(s.err, line) })
	if code := sig.code(); code != 0 {
		return quietError{code}
	}
	if err != nil {
		return err
	}
	if err := printSelftest(s.out, report); err != nil {
		return resultsError{err}
	}
	if report.Failed() > 0 {
		return quietError{exitInvalid}
	}
	return nil
}

// printSelftest prints every check, and from what size on a figure can be trusted.
func printSelftest(w io.Writer, report *selftest.Report) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CHECK\tWHAT\tTRUTH\tMEASURED\tALLOWED\t")
	for _, c := range report.Checks {
		mark := "ok"
		switch {
		case !c.OK:
			mark = "WRONG"
		case c.Allowed == "":
			mark = ""
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Group, c.What, c.Truth, c.Measured, c.Allowed, mark)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, line := range report.Skipped {
		fmt.Fprintf(w, "\nnot checked: %s\n", line)
	}
	var err error
	if n := report.Failed(); n > 0 {
		_, err = fmt.Fprintf(w, "\n%d of %d checks failed\n", n, len(report.Checks))
	} else {
		_, err = fmt.Fprintf(w, "\nall %d checks hold: the ruler is straight on this machine\n", len(report.Checks))
	}
	if report.Trust > 0 && err == nil {
		_, err = fmt.Fprintf(w, "figures under %s are not to be trusted on this machine now: 99 of 100 turns were measured to within that\n",
			unit.Duration(report.Trust).Text())
	}
	return err
}
