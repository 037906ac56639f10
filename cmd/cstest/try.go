package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/redact"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

type tryOptions struct {
	scenarioFlags
	allowTarget  []string
	conversation string
	turn         int
	fault        string
}

func newTryCmd(s streams) *cobra.Command {
	var o tryOptions
	cmd := &cobra.Command{
		Use:   "try [SCENARIO]",
		Short: "Hold one conversation and show every request, response, extracted field and outcome",
		Long: `Hold one conversation with the target, through the code path of a load, and show all
of it, secrets masked: how one gets the mapping of one's own server right. Logins and
polls are shown too, chunked and compressed bodies as text, and for each path of the
mapping what it found.`,
		Example: `  cstest try my.yaml --conversation coupon-return-coupon --turn 2
  cstest try midnight-sale --fault storm     # what users get while the model fails`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runTry(cmd.Context(), s, &o, args)
		},
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	cmd.Flags().StringArrayVar(&o.allowTarget, "allow-target", nil, "host or CIDR of a public target you are entitled to load (may be repeated)")
	f := cmd.Flags()
	f.StringVar(&o.conversation, "conversation", "", "hold this conversation of the scenario instead of one chosen by weight")
	f.IntVar(&o.turn, "turn", 0, "show this turn only; those before it are held unseen")
	f.StringVar(&o.fault, "fault", "", "hold the conversation while this fault of the mock LLM lasts: what users get then")
	return cmd
}

func runTry(ctx context.Context, s streams, o *tryOptions, args []string) error {
	lang := s.language()
	c, err := o.load(s, args)
	if err != nil {
		return err
	}
	if o.conversation != "" {
		if c.Scenario, err = c.Only(o.conversation); err != nil {
			return usageError{err}
		}
	}
	if o.turn < 0 {
		return usagef("--turn counts from 1")
	}
	fault, err := faultOf(c.Scenario, o.fault)
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
	return cleaned(tryOne(ctx, s, o, c, fault, secrets, lang), secrets)
}

func tryOne(ctx context.Context, s streams, o *tryOptions, c *chosen, fault *scenario.Fault, secrets *redact.Redactor, lang reason.Lang) error {
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
	fmt.Fprintln(s.err, reason.New(reason.TargetIs, targetLine(c)).Text(lang))
	bad, unmapped, shown := 0, 0, 0
	err = trial.Try(sig.graceful, trial.Options{Scenario: c.Scenario, Executable: executable, LogDir: logs, AllowTarget: o.allowTarget, Redact: secrets.Text}, fault,
		func(e *trial.Exchange) bool {
			if o.turn > 0 && e.Number < o.turn {
				return true
			}
			shown++
			if !measure.Answered.Has(e.Outcome) && e.Outcome != measure.Refused {
				bad++
			}
			if len(e.Unmapped) > 0 {
				unmapped++
			}
			fmt.Fprintf(s.out, "%s\n%s\n", escape.Clean(reason.New(reason.TurnOf, e.Conversation, e.Number, e.Of).Text(lang)), printable(e.Text(lang)))
			return o.turn == 0
		})
	switch {
	case err != nil && sig.code() != 0:
		return quietError{sig.code()}
	case err != nil:
		return err
	case o.turn > 0 && shown == 0:
		return usagef("--turn %d: the conversation has no such turn, or ended before it", o.turn)
	case bad > 0:
		return &trial.TargetError{Why: reason.New(reason.TurnsNotAnswered, bad)}
	case unmapped > 0:
		return &trial.TargetError{Why: reason.New(reason.MappingWrong, unmapped)}
	}
	return nil
}

// faultOf is the fault of that name of the scenario's mock LLM, nil for no name.
func faultOf(sc *scenario.Scenario, name string) (*scenario.Fault, error) {
	if name == "" {
		return nil, nil
	}
	if sc.LLM == nil {
		return nil, usagef("--fault %s: the scenario has no mock LLM (llm) that could fail", name)
	}
	var names []string
	for i := range sc.LLM.Faults {
		if sc.LLM.Faults[i].Name == name {
			return &sc.LLM.Faults[i], nil
		}
		names = append(names, sc.LLM.Faults[i].Name)
	}
	return nil, usagef("--fault %q is none of the scenario's%s (it has: %s)", name, didYouMean(name, names), strings.Join(names, ", "))
}
