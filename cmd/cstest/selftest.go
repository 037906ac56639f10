package main

import (
	"context"
	"fmt"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/trial"
)

func newSelftestCmd(s streams) *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Prove on this machine that what cstest reports is what really happened",
		Long: `Drive the bundled mock LLM, which knows the latencies it injected, and compare: quantiles
with the truth, response times with a server that stood still, starts with their plan.
Takes about 30 s. Exits 12 when the ruler is not straight on this machine.`,
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
	checks, err := trial.Selftest(sig.graceful, executable, logs, func(line string) { fmt.Fprintln(s.err, line) })
	if code := sig.code(); code != 0 {
		return quietError{code}
	}
	if err != nil {
		return err
	}
	tw := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "CHECK\tWHAT\tTRUTH\tMEASURED\tALLOWED\t\t")
	bent := 0
	for _, c := range checks {
		mark := "ok"
		if !c.OK {
			mark = "WRONG"
			bent++
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t\n", c.Group, c.What, c.Truth, c.Measured, c.Allowed, mark)
	}
	if err := tw.Flush(); err != nil {
		return resultsError{err}
	}
	if bent > 0 {
		fmt.Fprintf(s.out, "\n%d of %d checks failed: on this machine, now, do not trust a figure finer than that\n", bent, len(checks))
		return quietError{exitInvalid}
	}
	fmt.Fprintf(s.out, "\nall %d checks hold: the ruler is straight on this machine\n", len(checks))
	return nil
}
