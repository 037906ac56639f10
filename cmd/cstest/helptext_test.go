package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Every command that a person sees shows two examples that it would take, and
// the codes that it exits with.
func TestEveryHelpHasExamplesAndExitCodes(t *testing.T) {
	root := newRootCmd(streams{})
	seen := 0
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		seen++
		var help strings.Builder
		cmd.SetOut(&help)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		examples := strings.Split(strings.TrimSpace(cmd.Example), "\n")
		if len(examples) < 2 {
			t.Errorf("%s: %d examples, want two", cmd.CommandPath(), len(examples))
		}
		for _, example := range examples {
			tryExample(t, root, strings.TrimSpace(example))
		}
		text := help.String()
		for _, want := range []string{"Examples:\n", "Exit codes:\n  0    ", "\n  64   ", "\n  70   "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s --help has no %q:\n%s", cmd.CommandPath(), want, text)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	if seen < 20 {
		t.Errorf("%d commands walked", seen)
	}
}

// tryExample holds the cstest calls of a line against the commands and flags that
// there are.
func tryExample(t *testing.T, root *cobra.Command, line string) {
	t.Helper()
	for part := range strings.SplitSeq(line, "|") {
		words := strings.Fields(part)
		if len(words) == 0 || words[0] != root.Name() {
			continue
		}
		for i, w := range words {
			words[i] = strings.Trim(w, "'")
			if w == ">" || w == "#" {
				words = words[:i]
				break
			}
		}
		cmd, rest, err := root.Find(words[1:])
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestExitCodesOfCommands(t *testing.T) {
	root := newRootCmd(streams{})
	for path := range codesOf {
		if cmd, _, err := root.Find(strings.Fields(path)); err != nil || cmd == root {
			t.Errorf("exit codes of %q, which is no command: %v", path, err)
		}
	}
	if got, want := exitCodeLines([]int{64, 0}), "  0    pass; done\n  64   wrong usage, or a scenario or file with problems\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
