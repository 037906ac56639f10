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
	lang     string
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
			lang, err := reason.ParseLang(o.lang)
			if err != nil {
				return usageError{err}
			}
			if len(args) == 0 {
				args = []string{""}
			}
			var problems []error
			for _, arg := range args {
				if err := validateOne(s, &o, arg, lang); err != nil {
					problems = append(problems, err)
				}
			}
			return errors.Join(problems...)
		},
	}
	o.register(cmd)
	completeScenarioFlags(cmd)
	cmd.Flags().StringVar(&o.lang, "lang", "en", "language of what a person reads: en or zh")
	cmd.Flags().BoolVar(&o.resolved, "resolved", false, "print the scenario with every default filled in")
	return cmd
}

func validateOne(s streams, o *validateOptions, arg string, lang reason.Lang) error {
	args := []string{arg}
	if arg == "" {
		args = nil
	}
	c, err := o.load(s, args)
	if err != nil {
		return err
	}
	for _, w := range c.Warnings() {
		fmt.Fprintln(s.err, planWordsIn(lang).Warning+w.String())
	}
	if o.resolved {
		b, err := c.resolved()
		if err != nil {
			return err
		}
		if _, err := s.out.Write(b); err != nil {
			return err
		}
		return describePlan(s.err, c, lang)
	}
	return describePlan(s.out, c, lang)
}

// planWords is every text of a plan in one language. Fields that end in F are formats.
type planWords struct {
	ValidF, DesignF, UsersF, LoadF, Head string
	WithoutBadTurns, WithoutBadUsers     string
	TooFewF, Unknown, AboutF             string
	WithinF, TierF, MostF, None, Warning string
}

func planWordsIn(lang reason.Lang) planWords {
	if lang == reason.Chinese {
		return planWords{
			ValidF: "%s：有效\n", DesignF: "设计效应 %s（同一会话的轮次相互关联）\n", UsersF: "%s 个用户，各自一再提问：时间再长也不会变多\n",
			LoadF: "约 %s 个会话、%s 轮，其中 %s 轮计入判定\n", Head: "目标\t种类\t要求\t至少需要\t预计",
			WithoutBadTurns: " 轮且无一不合格", WithoutBadUsers: " 个用户且无一不合格",
			TooFewF: "%s：太少，至多是证据不足", Unknown: "取决于被测系统的快慢", AboutF: "约 %s",
			WithinF: " 在 %s 内", TierF: " 档位不低于 %s", MostF: " 至多 %g", None: "一个也不许有", Warning: "警告：",
		}
	}
	return planWords{
		ValidF: "%s: valid\n", DesignF: "design effect %s (turns that hang together in a conversation)\n", UsersF: "%s users, who each ask again and again: more time does not make them more\n",
		LoadF: "about %s conversations, %s turns, %s of them judged\n", Head: "OBJECTIVE\tKIND\tTARGET\tNEEDS AT LEAST\tEXPECTED",
		WithoutBadTurns: " turns without a bad one", WithoutBadUsers: " users without a bad turn",
		TooFewF: "%s: too few, inconclusive at best", Unknown: "depends on the target's speed", AboutF: "about %s",
		WithinF: " within %s", TierF: " at tier %s or better", MostF: " at most %g", None: "none at all", Warning: "warning: ",
	}
}

// describePlan prints the load and, for each objective, the turns it needs and
// will get.
func describePlan(out io.Writer, c *chosen, lang reason.Lang) error {
	w := planWordsIn(lang)
	fmt.Fprintf(out, w.ValidF+"%s\n", c.Name, headline(c, lang))
	fmt.Fprintf(out, w.DesignF, unit.Figure(c.TurnsTogether()))
	users := c.UsersTold()
	if users > 0 {
		fmt.Fprintf(out, w.UsersF, wholeTurns(users))
	}
	if n, known := c.ConversationsExpected(); known {
		turns, _ := c.TurnsExpected()
		judged, _ := c.JudgedTurnsExpected()
		fmt.Fprintf(out, w.LoadF, wholeTurns(n), wholeTurns(turns), wholeTurns(judged))
	}
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, w.Head)
	for _, obj := range c.Objectives() {
		needs, expected := w.needs(c, obj, users)
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", obj.Name, obj.Kind, w.target(obj), needs, expected)
	}
	return tw.Flush()
}

// needs says how many turns an objective needs to pass, or users of a closed load,
// and how many it will get; nothing where it does not count them.
func (w *planWords) needs(c *chosen, obj scenario.Objective, users float64) (needs, expected string) {
	judged, known := c.JudgedTurnsExpected()
	deff, of := c.TurnsTogether(), w.WithoutBadTurns
	if users > 0 {
		deff, of = 1, w.WithoutBadUsers
	}
	n := sla.Needs(float64(obj.Target), float64(c.SLA.Confidence), deff)
	if !countedInTurns(obj) || n <= 0 {
		return "", ""
	}
	needs = unit.Count(n).Text() + of
	switch {
	case users > 0 && users < float64(n)-0.5:
		expected = fmt.Sprintf(w.TooFewF, wholeTurns(users))
	case !known:
		expected = w.Unknown
	case judged < float64(n):
		expected = fmt.Sprintf(w.TooFewF, wholeTurns(math.Floor(judged)))
	default:
		expected = fmt.Sprintf(w.AboutF, wholeTurns(judged))
	}
	return needs, expected
}

// wholeTurns shows an expected number, whole.
func wholeTurns(n float64) string { return unit.Count(math.Round(n)).Text() }

// target writes what an objective asks in short.
func (w *planWords) target(o scenario.Objective) string {
	text := ""
	if o.Target > 0 {
		text = o.Target.String()
	}
	if o.Limit > 0 {
		text += fmt.Sprintf(w.WithinF, o.Limit.String())
	}
	if o.TierAtMost != "" {
		text += fmt.Sprintf(w.TierF, o.TierAtMost)
	}
	if o.Max > 0 {
		text += fmt.Sprintf(w.MostF, o.Max)
	}
	if text == "" {
		return w.None
	}
	return text
}

// countedInTurns tells whether an objective is a share of turns.
func countedInTurns(o scenario.Objective) bool {
	switch o.Kind {
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindExpected, scenario.KindFirstToken, scenario.KindFirstReasoning:
		return true
	default:
		return false
	}
}
