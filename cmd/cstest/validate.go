package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
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
		fmt.Fprintln(s.err, "warning: "+w.String())
	}
	if o.resolved {
		b, err := c.resolved()
		if err != nil {
			return err
		}
		if _, err := s.out.Write(b); err != nil {
			return err
		}
		return describePlan(s.err, c)
	}
	return describePlan(s.out, c)
}

// describePlan prints the load and, for each objective, the turns it needs and
// will get.
func describePlan(w io.Writer, c *chosen) error {
	fmt.Fprintf(w, "%s: valid\n%s\n", c.Name, headline(c, reason.English))
	fmt.Fprintf(w, "design effect %s (turns that hang together in a conversation)\n", unit.Figure(c.TurnsTogether()))
	users := c.UsersTold()
	if users > 0 {
		fmt.Fprintf(w, "%s users, who each ask again and again: more time does not make them more\n", wholeTurns(users))
	}
	if n, known := c.ConversationsExpected(); known {
		turns, _ := c.TurnsExpected()
		judged, _ := c.JudgedTurnsExpected()
		fmt.Fprintf(w, "about %s conversations, %s turns, %s of them judged\n", wholeTurns(n), wholeTurns(turns), wholeTurns(judged))
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "OBJECTIVE\tKIND\tTARGET\tNEEDS AT LEAST\tEXPECTED")
	judged, known := c.JudgedTurnsExpected()
	for _, obj := range c.Objectives() {
		needs, expected := "", ""
		deff, of := c.TurnsTogether(), " turns without a bad one"
		if users > 0 {
			deff, of = 1, " users without a bad turn"
		}
		if n := sla.Needs(float64(obj.Target), float64(c.SLA.Confidence), deff); countedInTurns(obj) && n > 0 {
			needs = unit.Count(n).Text() + of
			switch {
			case users > 0 && users < float64(n)-0.5:
				expected = wholeTurns(users) + ": too few, inconclusive at best"
			case !known:
				expected = "depends on the target's speed"
			case judged < float64(n):
				expected = wholeTurns(math.Floor(judged)) + ": too few, inconclusive at best"
			default:
				expected = "about " + wholeTurns(judged)
			}
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", obj.Name, obj.Kind, targetOf(obj), needs, expected)
	}
	return tw.Flush()
}

// wholeTurns shows an expected number, whole.
func wholeTurns(n float64) string { return unit.Count(math.Round(n)).Text() }

// targetOf writes what an objective asks in short.
func targetOf(o scenario.Objective) string {
	text := ""
	if o.Target > 0 {
		text = o.Target.String()
	}
	if o.Limit > 0 {
		text += " within " + o.Limit.String()
	}
	if o.TierAtMost != "" {
		text += " at tier " + string(o.TierAtMost) + " or better"
	}
	if o.Max > 0 {
		text += fmt.Sprintf(" at most %g", o.Max)
	}
	if text == "" {
		return "none at all"
	}
	return text
}

// countedInTurns tells whether an objective is a share of turns.
func countedInTurns(o scenario.Objective) bool {
	switch o.Kind {
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindExpected, scenario.KindFirstToken:
		return true
	default:
		return false
	}
}
