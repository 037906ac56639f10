package main

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

type validateOptions struct {
	scenarioFlags
	resolved bool
}

func newValidateCmd(s streams) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Check scenarios; say what each would do and whether it yields enough turns",
		Example: `  cstest validate
  cstest validate my.yaml other.yaml
  cstest validate --resolved my.yaml`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{""}
			}
			var problems []error
			for _, arg := range args {
				if err := validateOne(s, &o, arg); err != nil {
					problems = append(problems, err)
				}
			}
			return errors.Join(problems...)
		},
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	cmd.Flags().BoolVar(&o.resolved, "resolved", false, "print the scenario with every default filled in")
	return cmd
}

func validateOne(s streams, o *validateOptions, arg string) error {
	args := []string{arg}
	if arg == "" {
		args = nil
	}
	c, err := o.load(s, args)
	if err != nil {
		return err
	}
	for _, w := range c.Warnings() {
		s.say("warning: %s", w)
	}
	if o.resolved {
		b, err := c.resolved()
		if err != nil {
			return err
		}
		if _, err := s.out.Write(b); err != nil {
			return err
		}
		return describePlan(s.err, c, s.language())
	}
	return describePlan(s.out, c, s.language())
}

// words say a plan in a language.
type words struct{ lang reason.Lang }

func (w words) say(format string, args ...any) string {
	return reason.Say(format, args...).Text(w.lang)
}

// describePlan prints the load and what it comes to for each objective.
func describePlan(out io.Writer, c *chosen, lang reason.Lang) error {
	w := words{lang}
	fmt.Fprintf(out, "%s\n%s\n", w.say("%s: valid", c.Name), headline(c, lang))
	fmt.Fprintln(out, w.say("design effect %s (turns that hang together in a conversation)", unit.Figure(c.TurnsTogether())))
	users := c.UsersTold()
	if users > 0 {
		fmt.Fprintln(out, w.say("%s users, who each ask again and again: more time does not make them more", wholeTurns(users)))
	}
	if n, known := c.ConversationsExpected(); known {
		turns, _ := c.TurnsExpected()
		judged, _ := c.JudgedTurnsExpected()
		begun, asked, counted := wholeTurns(n), wholeTurns(turns), wholeTurns(judged)
		switch {
		case c.Load.Conversations == 0:
			fmt.Fprintln(out, w.say("about %s conversations, %s turns, %s of them judged", begun, asked, counted))
		case c.Load.Open():
			fmt.Fprintln(out, w.say("exactly %s conversations, about %s turns, about %s of them judged", begun, asked, counted))
		default:
			fmt.Fprintln(out, w.say("exactly %s conversations, about %s turns; where fewer begin in %s it is inconclusive", begun, asked, unit.Duration(c.TotalDuration())))
		}
	}
	plan, err := outlookOf(c.Scenario)
	if err != nil {
		return err
	}
	return plan.describe(out, w)
}

// wholeTurns shows an expected number, whole.
func wholeTurns(n float64) string { return unit.Count(math.Round(n)).Text() }

// target writes what an objective asks in short.
func (w words) target(o scenario.Objective) string {
	text := ""
	if o.Target > 0 {
		text = o.Target.String()
	}
	if o.Limit > 0 {
		text += w.say(" within %s", o.Limit.String())
	}
	if o.TierAtMost != "" {
		text += w.say(" at tier %s or better", o.TierAtMost)
	}
	if o.Group != "" {
		text += w.say(" of group %s", o.Group)
	}
	if o.Max > 0 {
		text += w.say(" at most %g", o.Max)
	}
	if text == "" {
		return w.say("none at all")
	}
	return text
}

// countedInTurns tells whether an objective is a share of turns.
func countedInTurns(o scenario.Objective) bool {
	switch o.Kind {
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindExpected, scenario.KindFirstToken, scenario.KindFirstReasoning, scenario.KindChunkGap:
		return true
	default:
		return false
	}
}
