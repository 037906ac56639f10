package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report"
	"github.com/cstest/cstest/trial"
)

type tryOptions struct {
	scenarioFlags
	allowTarget []string
}

func newTryCmd(s streams) *cobra.Command {
	var o tryOptions
	cmd := &cobra.Command{
		Use:   "try [SCENARIO]",
		Short: "Hold one conversation and show every request, response, extracted field and outcome",
		Long: `Hold one conversation with the target, through the code path of a load, and show all
of it, secrets masked: how one gets the mapping of one's own server right.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTry(cmd.Context(), s, &o, args)
		},
	}
	o.register(cmd)
	cmd.Flags().StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	return cmd
}

func runTry(ctx context.Context, s streams, o *tryOptions, args []string) error {
	c, err := o.load(s, args)
	if err != nil {
		return err
	}
	if err := c.CheckSecrets(); err != nil {
		return err
	}
	secrets, err := c.redactor()
	if err != nil {
		return err
	}
	s, flush := s.clean(secrets)
	defer flush()
	return cleaned(tryOne(ctx, s, o, c, secrets), secrets)
}

func tryOne(ctx context.Context, s streams, o *tryOptions, c *chosen, secrets *report.Redactor) error {
	logs, err := os.MkdirTemp("", "cstest-try-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(logs) // a temporary folder
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	sig := catchSignals(ctx)
	defer sig.release()
	fmt.Fprintln(s.err, "target "+targetLine(c))
	bad, unmapped := 0, 0
	err = trial.Try(sig.graceful, trial.Options{Scenario: c.Scenario, Executable: executable, LogDir: logs, AllowTarget: o.allowTarget, Redact: secrets.Text},
		func(e *trial.Exchange) bool {
			if !measure.Answered.Has(e.Outcome) {
				bad++
			}
			if len(e.Unmapped) > 0 {
				unmapped++
			}
			fmt.Fprintf(s.out, "%s, turn %d of %d\n%s\n", report.Clean(e.Conversation), e.Number, e.Of, e.String())
			return true
		})
	switch {
	case err != nil && sig.code() != 0:
		return quietError{sig.code()}
	case err != nil:
		return err
	case bad > 0:
		return &trial.TargetError{Why: reason.New(reason.TurnsNotAnswered, bad)}
	case unmapped > 0:
		return &trial.TargetError{Why: reason.New(reason.MappingWrong, unmapped)}
	}
	return nil
}
