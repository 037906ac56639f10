package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenarios"
)

func newScenariosCmd(s streams) *cobra.Command {
	var names bool
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "List the built-in scenarios by the question they answer",
		Example: `  cstest scenarios
  cstest scenarios --lang zh
  cstest scenarios show midnight-sale > cstest.yaml`,
		Args: noSuchCommand,
		RunE: func(*cobra.Command, []string) error {
			if names {
				_, err := fmt.Fprintln(s.out, strings.Join(scenarios.Names(), "\n"))
				return err
			}
			return listScenarios(s.out, s.language())
		},
	}
	cmd.Flags().BoolVar(&names, "names", false, "print nothing but the names, one a line")
	cmd.AddCommand(&cobra.Command{
		Use:   "show NAME",
		Short: "Print a built-in scenario",
		Example: `  cstest scenarios show midnight-sale > cstest.yaml
  cstest scenarios show llm-503-storm | cstest run -`,
		Args:              arguments(1, 1),
		ValidArgsFunction: completeBuiltIn,
		RunE: func(_ *cobra.Command, args []string) error {
			data, ok := scenarios.Get(args[0])
			if !ok {
				return usagef("no built-in scenario %q%s (built in: %s)", args[0], didYouMean(args[0], append(scenarios.Names(), scenarios.APIs()...)), strings.Join(scenarios.Names(), ", "))
			}
			_, err := s.out.Write(data)
			return err
		},
	})
	return cmd
}

// listScenarios prints each question with the scenarios that answer it.
func listScenarios(w io.Writer, lang reason.Lang) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, q := range scenarios.Questions() {
		if i > 0 {
			fmt.Fprintln(tw)
		}
		fmt.Fprintln(tw, pick(lang, q.En, q.Zh))
		for _, name := range q.Names {
			h := scenarios.HeaderOf(name)
			fmt.Fprintf(tw, "  %s\t%s\t%s\n", name, h.Takes, pick(lang, h.Proves, h.ProvesZh))
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n  %s\n", reason.Say("To start from, for chat systems of these APIs (CHAT_URL and CHAT_KEY in the environment):").Text(lang), strings.Join(scenarios.APIs(), " "))
	return err
}

// pick is one of a text's two languages.
func pick(lang reason.Lang, en, zh string) string {
	if lang == reason.Chinese {
		return zh
	}
	return en
}
