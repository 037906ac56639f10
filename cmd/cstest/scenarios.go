package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/scenarios"
	"github.com/cstest/cstest/unit"
)

func newScenariosCmd(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenarios",
		Short: "List the built-in scenarios",
		Args:  noSuchCommand,
		RunE:  func(*cobra.Command, []string) error { return listScenarios(s.out) },
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "show NAME",
		Short:   "Print a built-in scenario",
		Example: "  cstest scenarios show midnight-sale > cstest.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, ok := scenarios.Get(args[0])
			if !ok {
				return usagef("no built-in scenario %q%s (built in: %s)", args[0], didYouMean(args[0], scenarios.Names()), strings.Join(scenarios.Names(), ", "))
			}
			_, err := s.out.Write(data)
			return err
		},
	})
	return cmd
}

func listScenarios(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, name := range scenarios.Names() {
		data, _ := scenarios.Get(name)
		sc, err := scenario.Parse(name+".yaml", data, scenario.Options{})
		if err != nil {
			return err
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\n", name, unit.Duration(sc.TotalDuration()).Text(), sc.Description)
	}
	return tw.Flush()
}
