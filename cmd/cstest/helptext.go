package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// meanings are the exit codes and what each says.
var meanings = []struct {
	code int
	text string
}{
	{0, "pass; done"},
	{10, "fail: the SLA is broken"},
	{11, "inconclusive: too little evidence either way"},
	{12, "invalid: this machine could not measure it"},
	{64, "wrong usage, or a scenario or file with problems"},
	{69, "the target could not be used"},
	{70, "cstest itself failed"},
	{74, "results could not be written whole"},
	{130, "interrupted (129 hung up, 143 terminated)"},
}

// The exit codes of commands that judge, those that only print, and those that
// drive load without a verdict of their own.
var (
	judging  = []int{0, 10, 11, 12, 64, 69, 70, 74, 130}
	printing = []int{0, 64, 70, 74}
)

// codesOf are the exit codes of a command, by its path below cstest.
var codesOf = map[string][]int{
	"run": judging, "tune": judging, "capacity": judging,
	"report": {0, 10, 11, 12, 64, 70, 74}, "merge": {0, 10, 11, 12, 64, 70, 74}, "compare": {0, 10, 11, 64, 70, 74},
	"try":      {0, 10, 64, 69, 70, 130},
	"selftest": {0, 12, 64, 70, 74, 130},
	"audit":    {0, 10, 64, 70, 74},
}

// tellExitCodes puts the exit codes of every command below its flags.
func tellExitCodes(root *cobra.Command) {
	const key = "exit-codes"
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		codes, ok := codesOf[strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")]
		if !ok {
			codes = printing
		}
		if cmd == root {
			codes = judging
		}
		if cmd.Annotations == nil {
			cmd.Annotations = map[string]string{}
		}
		cmd.Annotations[key] = exitCodeLines(codes)
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	usage := root.UsageFunc()
	root.SetUsageFunc(func(cmd *cobra.Command) error {
		err := usage(cmd)
		if codes := cmd.Annotations[key]; err == nil && codes != "" {
			_, err = fmt.Fprintf(cmd.OutOrStderr(), "\nExit codes:\n%s", codes)
		}
		return err
	})
}

func exitCodeLines(codes []int) string {
	var b strings.Builder
	for _, m := range meanings {
		for _, code := range codes {
			if code == m.code {
				fmt.Fprintf(&b, "  %-4d %s\n", m.code, m.text)
			}
		}
	}
	return b.String()
}
