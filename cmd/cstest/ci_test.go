package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"go.yaml.in/yaml/v4"
)

// ciScenario is a short load of a server that answers at once, or well only at first.
func ciScenario(t *testing.T, well bool) string {
	t.Helper()
	var turns atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if turns.Add(1) > 3 && !well {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, `{"answer": "券可以用"}`)
	}))
	t.Cleanup(s.Close)
	return write(t, fmt.Sprintf(`version: 1
name: ci
target:
  url: %s
  api: custom
  request: {path: /, body: {text: "${turn.text}"}}
  response: {answer: answer}
load: {stages: [{name: all, for: 2s, starts: 200/s}]}
conversations: [{name: c, turns: [{say: 优惠券怎么用}]}]
sla: {availability: 90%%}
`, s.URL))
}

// ciStep runs a step of a CI configuration as the runner would: bash, in a folder of its
// own, with the given environment and a cstest that is this test's.
func ciStep(t *testing.T, dir, script string, env ...string) (code int, out string) {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	binary := filepath.Join(dir, "cstest")
	self := command(t).Path
	if err := os.WriteFile(binary, fmt.Appendf(nil, "#!/bin/sh\n%s=1 exec '%s' \"$@\"\n", asCstest, self), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "-eo", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func readYAML(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// The action's own step, with its inputs put in as GitHub does: summary, outputs,
// annotations, and the comparison with a baseline that it first makes.
func TestActionForGitHub(t *testing.T) {
	t.Parallel()
	root := repository(t)
	var action struct {
		Inputs map[string]struct{ Default string }
		Runs   struct {
			Steps []struct {
				ID, Shell, Run string
				Env            map[string]string
			}
		}
	}
	readYAML(t, filepath.Join(root, "action.yml"), &action)
	inputs := map[string]string{}
	for name, in := range action.Inputs {
		inputs[name] = in.Default
	}
	run := func(dir string, with map[string]string) (code int, out, output, summary string) {
		for _, step := range action.Runs.Steps {
			if step.ID != "run" {
				continue
			}
			env := []string{"GITHUB_ACTIONS=true", "RUNNER_TEMP=" + dir, "GITHUB_OUTPUT=" + dir + "/output", "GITHUB_STEP_SUMMARY=" + dir + "/summary"}
			for name, val := range step.Env {
				val = strings.ReplaceAll(val, "${{ github.action_path }}", root)
				for in, d := range inputs {
					if w, ok := with[in]; ok {
						d = w
					}
					val = strings.ReplaceAll(val, "${{ inputs."+in+" }}", d)
				}
				if strings.Contains(val, "${{") {
					t.Fatalf("%s: %s is not an input", name, val)
				}
				env = append(env, name+"="+val)
			}
			code, out = ciStep(t, dir, step.Run, env...)
		}
		o, _ := os.ReadFile(filepath.Join(dir, "output"))
		s, _ := os.ReadFile(filepath.Join(dir, "summary"))
		return code, out, string(o), string(s)
	}
	dir := t.TempDir()
	baseline := filepath.Join(dir, "accepted")
	code, out, output, summary := run(dir, map[string]string{"scenario": ciScenario(t, true), "args": "--tag commit=abc", "baseline": baseline, "accept": "yes"})
	if code != 0 || !strings.Contains(output, "verdict=pass\n") || !strings.Contains(output, "exit-code=0\n") || !strings.Contains(summary, "ci") {
		t.Fatalf("exit %d, output %q, summary %q\n%s", code, output, summary, out)
	}
	if list, err := filepath.Glob(filepath.Join(baseline, "*", "result.json")); err != nil || len(list) != 1 {
		t.Errorf("accepted: %v %v\n%s", list, err, out)
	}
	for _, file := range []string{"report.html", "junit.xml", "metrics.txt", "load-performance.json", "benchmark.json", "compare.md"} {
		if _, err := os.Stat(filepath.Join(dir, "cstest-results", file)); err != nil {
			t.Error(err)
		}
	}
	bad := t.TempDir()
	code, out, output, _ = run(bad, map[string]string{"scenario": ciScenario(t, false)})
	if code != 10 || !strings.Contains(output, "verdict=fail\n") || !strings.Contains(out, "::error") {
		t.Errorf("exit %d, output %q\n%s", code, output, out)
	}
	none := t.TempDir()
	code, out, output, _ = run(none, map[string]string{"scenario": "no-such-scenario"})
	if code != 64 || !strings.Contains(output, "verdict=none\n") {
		t.Errorf("exit %d, output %q\n%s", code, output, out)
	}
}

// GitLab's job: its script, with its variables, leaves the files that its reports name.
func TestJobForGitLab(t *testing.T) {
	t.Parallel()
	root := repository(t)
	var file map[string]struct {
		Variables map[string]string
		Script    []string
		Artifacts struct{ Reports map[string]string }
	}
	readYAML(t, filepath.Join(root, "ci", "gitlab.yml"), &file)
	j := file[".cstest"]
	dir := t.TempDir()
	env := []string{"CSTEST=" + filepath.Join(dir, "cstest"), "CSTEST_SCRIPT=" + filepath.Join(root, "ci", "run.sh")}
	for name, val := range j.Variables {
		if name == "CSTEST_SCENARIO" {
			val = ciScenario(t, true)
		}
		if name == "CSTEST_SCENARIO" || name == "CSTEST_RESULTS" {
			env = append(env, name+"="+val)
		}
	}
	code, out := ciStep(t, dir, strings.Join(j.Script, "\n"), env...)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, out)
	}
	if len(j.Artifacts.Reports) != 3 {
		t.Errorf("reports %v", j.Artifacts.Reports)
	}
	for kind, path := range j.Artifacts.Reports {
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil || len(text) == 0 {
			t.Errorf("%s: %v", kind, err)
		}
		if kind == "load_performance" && !json.Valid(text) {
			t.Errorf("%s", text)
		}
	}
}
