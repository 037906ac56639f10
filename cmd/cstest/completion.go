package main

import (
	"strings"

	"github.com/spf13/cobra"

	refserver "github.com/cstest/cstest/reference-server"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/scenarios"
)

// completeScenario proposes the built-in scenarios, each with what it proves, and
// leaves files to the shell.
func completeScenario(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names, _ := completeBuiltIn(cmd, args, begun)
	return names, cobra.ShellCompDirectiveDefault
}

// completeBuiltIn proposes the built-in scenarios alone.
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

// completeScenarioFlags says what may follow the flags that choose a scenario.
func completeScenarioFlags(cmd *cobra.Command) {
	cmd.ValidArgsFunction = completeScenario
	for flag, complete := range map[string]cobra.CompletionFunc{
		"profile": cobra.FixedCompletions(refserver.Profiles(), cobra.ShellCompDirectiveNoFileComp),
		"knob": func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return knobs(""), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		},
		"set": completeSet,
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete) // refused only where there is no such flag, which a test would see
	}
}

func knobs(before string) []string {
	var out []string
	for _, k := range refserver.Knobs() {
		out = append(out, cobra.CompletionWithDesc(before+k.Name+"=", k.About))
	}
	return out
}

// completeSet proposes paths of the scenario that the command names, or of the
// one it would take.
func completeSet(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if strings.Contains(begun, "=") {
		return nil, directive
	}
	const inKnobs = "target.bundled.knobs."
	if strings.HasPrefix(begun, inKnobs) {
		return knobs(inKnobs), directive
	}
	sc := &scenario.Scenario{} // without a scenario that can be read, the fields at least
	if f, err := find(strings.NewReader(""), args); err == nil {
		if parsed, err := scenario.Parse(f.name, f.data, scenario.Options{Dir: f.dir}); err == nil {
			sc = parsed
		}
	}
	return sc.CompletePath(begun), directive
}
