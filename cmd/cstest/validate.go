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
	lang                                 reason.Lang
	ValidF, DesignF, UsersF, LoadF, Head string
	WithoutBadTurns, WithoutBadUsers     string
	UpToF, FromF, Never                  string
	Nothing, SecondsF, OneStorm, StormsF string
	TurnsF, UserTurnsF, DialogsF         string
	LeftOutF, AtBestF, SureF             string
	WithinF, TierF, MostF, None, Warning string
}

func planWordsIn(lang reason.Lang) planWords {
	if lang == reason.Chinese {
		return planWords{
			lang:   lang,
			ValidF: "%s：有效\n", DesignF: "设计效应 %s（同一会话的轮次相互关联）\n", UsersF: "%s 个用户，各自一再提问：时间再长也不会变多\n",
			LoadF: "约 %s 个会话、%s 轮，其中 %s 轮计入判定\n", Head: "目标\t种类\t要求\t至少需要\t将判定\t八成把握通过\t八成把握不通过",
			WithoutBadTurns: " 轮且无一不合格", WithoutBadUsers: " 个用户且无一不合格",
			UpToF: "不合格至多 %s", FromF: "不合格至少 %s", Never: "不可能：太少",
			Nothing: "无", SecondsF: "%s 秒，其中 %s 秒可为坏秒", OneStorm: "1 场风暴", StormsF: "%s 场风暴",
			TurnsF: "约 %s 轮", UserTurnsF: "至少 %s 轮", DialogsF: "约 %s 个会话",
			LeftOutF: "%s：%s 轮中不计风暴与允许的全部恢复时间", AtBestF: "%s：至多 %s",
			SureF:   "被测系统的不合格占比不超过所列值时，五次中有四次通过；不低于所列值时，五次中有四次不通过；介于两者之间时可能证据不足。\n轮次按每个应答用时 %s 估算。\n",
			WithinF: " 在 %s 内", TierF: " 档位不低于 %s", MostF: " 至多 %g", None: "一个也不许有", Warning: "警告：",
		}
	}
	return planWords{
		lang:   lang,
		ValidF: "%s: valid\n", DesignF: "design effect %s (turns that hang together in a conversation)\n", UsersF: "%s users, who each ask again and again: more time does not make them more\n",
		LoadF: "about %s conversations, %s turns, %s of them judged\n", Head: "OBJECTIVE\tKIND\tTARGET\tNEEDS AT LEAST\tWILL JUDGE\tPASSES 4 IN 5\tFAILS 4 IN 5",
		WithoutBadTurns: " turns without a bad one", WithoutBadUsers: " users without a bad turn",
		UpToF: "up to %s bad", FromF: "from %s bad", Never: "never: too few",
		Nothing: "nothing", SecondsF: "%s s, of which %s may be bad", OneStorm: "1 storm", StormsF: "%s storms",
		TurnsF: "about %s turns", UserTurnsF: "at least %s turns", DialogsF: "about %s conversations",
		LeftOutF: "%s: of %s turns the storm and all the time that recovery is allowed are left out", AtBestF: "%s: at best %s",
		SureF:   "Four times in five a target passes with up to that share of bad turns, and fails from that on; between, it may stay open.\nTurns are counted as if each answer took %s.\n",
		WithinF: " within %s", TierF: " at tier %s or better", MostF: " at most %g", None: "none at all", Warning: "warning: ",
	}
}

// describePlan prints the load and what it comes to for each objective.
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
	plan, err := outlookOf(c.Scenario)
	if err != nil {
		return err
	}
	return plan.describe(out, &w)
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
	case scenario.KindLatency, scenario.KindAvailability, scenario.KindFullQuality, scenario.KindExpected, scenario.KindFirstToken, scenario.KindFirstReasoning, scenario.KindChunkGap:
		return true
	default:
		return false
	}
}
