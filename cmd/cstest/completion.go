package main

import (
	"github.com/spf13/cobra"

	"github.com/cstest/cstest/scenarios"
)

// completeBuiltIn proposes the built-in scenarios, each with what it proves.
func completeBuiltIn(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, name := range scenarios.Names() {
		out = append(out, cobra.CompletionWithDesc(name, scenarios.HeaderOf(name).Proves))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
