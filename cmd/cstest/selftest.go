package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/selftest"
	"github.com/cstest/cstest/unit"
)

func newSelftestCmd(s streams) *cobra.Command {
	witness := false
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Prove on this machine that what cstest reports is what really happened",
		Long: `Drive the bundled mock LLM, which notes at its own socket what it did with every turn, and
compare turn by turn: durations, response times over a server that stood still, starts with
their plan, outcomes with the faults that were played; then nginx, where it is installed,
with its log. Where the machine itself stood still, that is shown and not held against cstest
(Linux, as root). Takes about 45 s. Exits 12 when the ruler is not straight on this machine.`,
		Example: `  cstest selftest
  cstest selftest > selftest.txt`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if witness {
				return selftest.Witness(s.in, s.out)
			}
			return runSelftest(cmd.Context(), s)
		},
	}
	cmd.Flags().BoolVar(&witness, "witness", false, "note when this machine stands still until standard input ends; selftest starts it")
	_ = cmd.Flags().MarkHidden("witness") // it exists: it was just added
	return cmd
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
	report, err := selftest.Run(sig.graceful, executable, logs, func(what reason.Phrase) { fmt.Fprintln(s.err, what.Text(s.language())) })
	if code := sig.code(); code != 0 {
		return quietError{code}
	}
	if err != nil {
		return err
	}
	if err := printSelftest(s.out, report, s.language()); err != nil {
		return resultsError{err}
	}
	if report.Failed() > 0 {
		return quietError{exitInvalid}
	}
	return nil
}

// printSelftest prints every check, and from what size on a figure can be trusted.
func printSelftest(w io.Writer, report *selftest.Report, lang reason.Lang) error {
	say := func(format string, args ...any) string { return reason.Say(format, args...).Text(lang) }
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, say("CHECK\tWHAT\tTRUTH\tMEASURED\tALLOWED\t"))
	for _, c := range report.Checks {
		mark := say("ok")
		switch {
		case !c.OK:
			mark = say("WRONG")
		case c.Allowed == (reason.Phrase{}):
			mark = ""
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Group, c.What.Text(lang), c.Truth.Text(lang), c.Measured.Text(lang), c.Allowed.Text(lang), mark)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, line := range report.Skipped {
		fmt.Fprintf(w, "\n%s\n", say("not checked: %s", line))
	}
	var err error
	if n := report.Failed(); n > 0 {
		_, err = fmt.Fprintf(w, "\n%s\n", say("%d of %d checks failed", n, len(report.Checks)))
	} else {
		_, err = fmt.Fprintf(w, "\n%s\n", say("all %d checks hold: the ruler is straight on this machine", len(report.Checks)))
	}
	if report.Trust > 0 && err == nil {
		_, err = fmt.Fprintln(w, say("figures under %s are not to be trusted on this machine now: 99 of 100 turns were measured to within that",
			unit.Duration(report.Trust).Text()))
	}
	return err
}
