package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	_ = cmd.RegisterFlagCompletionFunc("set", completeSet) // refused only where there is no such flag, which a test would see
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

// wordFlags are the flags that take one of a few words, by command where it matters.
func wordFlags() map[string][]string {
	return map[string][]string{
		"on-inconclusive":         {"fail", "pass"},
		"cstest init --from":      {"curl", "har", "openapi", "postman"},
		"cstest report --unit":    {"ns", "us", "ms"},
		"cstest report --format":  {"text", "html", "markdown", "junit", "json", "csv", "openmetrics", "load-performance", "benchmark-json", "gobench", "github"},
		"cstest compare --format": {"text", "markdown", "json"},
		"cstest trend --format":   {"text", "html", "markdown", "json"},
		"cstest capacity --until": {"context", "integrity", "full_quality", "expected"},
		"cstest tune --gate":      metricNames(),
		"redis":                   {"embedded", "redis://"},
		"profile":                 refserver.Profiles(),
	}
}

// completeWords says of every command what may follow those of its flags that take
// one of a few words, a knob, or a field to vary.
func completeWords(cmd *cobra.Command) {
	words := wordFlags()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		list, some := words[cmd.CommandPath()+" --"+f.Name]
		if !some {
			list = words[f.Name]
		}
		var complete cobra.CompletionFunc
		switch {
		case len(list) > 0:
			complete = cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)
		case f.Name == "knob":
			complete = completeKnob
		case f.Name == "vary":
			complete = completeVary
		default:
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, complete) // refused only where there is one already
	})
	for _, sub := range cmd.Commands() {
		completeWords(sub)
	}
}

func completeKnob(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return knobs(""), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeVary proposes what --vary takes: the profile, knobs by their names, and
// paths as --set does.
func completeVary(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	paths, directive := completeSet(cmd, args, begun)
	if strings.Contains(begun, "=") {
		return paths, directive
	}
	return append(append([]string{"profile="}, knobs("")...), paths...), directive
}
