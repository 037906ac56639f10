package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What a shell asks for is what it gets: a line for each proposal, less what
// describes it.
func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct{ line, want string }{
		{"run llm-h", "llm-hang"},
		{"scenarios show sm", "smoke"},
		{"audit --lang z", "zh"},
		{"run smoke --profile art", "article-2"},
		{"run smoke --knob redis.p", "redis.pool="},
		{"run midnight-sale --set load.stages[p", "load.stages[peak]."},
		{"run midnight-sale --set llm.faults[storm].sh", "llm.faults[storm].share="},
		{"run --set load.stages[sp", "load.stages[spike]."},
		{"tune smoke --set target.bundled.knobs.cache", "target.bundled.knobs.cache.hot="},
		{"capacity smoke --set sla.av", "sla.availability="},
		{"capacity smoke --until con", "context"},
		{"tune smoke --vary prof", "profile="},
		{"tune smoke --vary redis.p", "redis.pool="},
		{"tune midnight-sale --vary load.stages[p", "load.stages[peak]."},
		{"tune smoke --gate ans", "answered"},
		{"serve reference-server --knob redis.p", "redis.pool="},
		{"serve reference-server --profile art", "article-2"},
		{"run smoke --on-inconclusive p", "pass"},
		{"slurm run smoke --on-inconclusive p", "pass"},
		{"report x --format gi", "github"},
		{"compare a b --format mark", "markdown"},
		{"trend a --format h", "html"},
		{"init --from h", "har"},
		{"help scen", "scenarios"},
	} {
		var out strings.Builder
		args := append([]string{"__complete"}, strings.Fields(c.line)...)
		if code := run(t.Context(), args, strings.NewReader(""), &out, &out); code != 0 {
			t.Errorf("%s: exit %d: %s", c.line, code, out.String())
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			name, _, _ := strings.Cut(strings.TrimSpace(line), "\t")
			got = append(got, name)
		}
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q among them", c.line, got, c.want)
		}
	}
}

// Every flag that takes one of a few words is completed, on every command.
func TestEveryWordFlagIsCompleted(t *testing.T) {
	of := map[string]bool{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			of[f.Name], of[cmd.CommandPath()+" --"+f.Name] = true, true
			listed := strings.Contains(f.Usage, " | ") || slices.Contains([]string{"set", "knob", "vary", "profile"}, f.Name)
			if _, some := cmd.GetFlagCompletionFunc(f.Name); listed && !some && !cmd.Hidden {
				t.Errorf("%s --%s is not completed", cmd.CommandPath(), f.Name)
			}
		})
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRootCmd(streams{}))
	for flag := range wordFlags() {
		if !of[flag] {
			t.Errorf("words of %s, which is no flag", flag)
		}
	}
}

// A word that is nearly a command is told which, wherever it stands.
func TestNearlyACommand(t *testing.T) {
	for line, want := range map[string]string{
		"runn": `"run"`, "tun": `"tune"`, "help runn": `"run"`, "help serve mockll": `"mockllm"`, "k8s rn": `"run"`,
		"scenarios shw": `"show"`, "slurm rn": `"run"`, "run --sett x": "--set",
	} {
		if got := says(t, "", strings.Fields(line)...); !strings.Contains(got.err, "did you mean "+want) {
			t.Errorf("%s: %q, want %s", line, got.err, want)
		}
	}
}

// --env goes where ${env:NAME} is looked up, and is told nowhere.
func TestEnvFlag(t *testing.T) {
	t.Setenv("CSTEST_TEST_TOKEN", "")
	var o scenarioFlags
	o.changed = func(string) bool { return false }
	o.env = []string{"CSTEST_TEST_TOKEN=k-123"}
	text := `{version: 1, name: s, target: {url: "http://127.0.0.1:1", auth: {bearer: "${env:CSTEST_TEST_TOKEN}"}}, load: {users: 1, for: 1s}, conversations: [{name: c, turns: [{say: hi}]}], sla: {availability: 99%}}`
	c, err := o.choose(found{name: "s.yaml", data: []byte(text), dir: "."})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckSecrets(); err != nil {
		t.Errorf("secret not found: %v", err)
	}
	redact, err := c.redactor()
	if err != nil {
		t.Fatal(err)
	}
	if got := redact.Text("Bearer k-123"); strings.Contains(got, "k-123") || len(c.overrides) != 0 {
		t.Errorf("told: %q, overrides %q", got, c.overrides)
	}
	o.env = []string{"NOVALUE"}
	if _, err := o.choose(found{}); err == nil || !strings.Contains(err.Error(), "--env") {
		t.Errorf("without a value: %v", err)
	}
}
