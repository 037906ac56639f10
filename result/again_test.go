package result

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// A second program, in another language, comes from result.json alone to the same
// verdicts of random runs: of storms and what came after them, of seconds in which the
// generator was late, and of what fails without these.
func TestRandomRunsByAnotherProgram(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the second implementation is written in it")
	}
	const runs = 100
	draw := rapid.Custom(func(t *rapid.T) *lawRun { return drawLawRun(t, true) })
	docs := make([]*Document, runs)
	for i := range docs {
		docs[i] = draw.Example(i).build(t)
	}
	seen := map[string]int{}
	for i, again := range judgedAgain(t, python, docs) {
		d := docs[i]
		for _, o := range d.Objectives {
			if got := again.Objectives[o.Name].Verdict; got != o.Verdict {
				t.Errorf("run %d, %s: %s (%s), the other says %s", i, o.Name, o.Verdict, o.Reason, got)
			}
			seen[string(o.Kind)+" "+o.Verdict]++
		}
		if again.Verdict != d.Verdict || !slices.Equal(again.Without, d.Generator.FailsWithoutLate) {
			t.Errorf("run %d: %s, without late seconds %q fail; the other says %s and %q: %q", i, d.Verdict, d.Generator.FailsWithoutLate, again.Verdict, again.Without, d.Reasons)
		}
		seen[d.Verdict]++
		if len(d.Generator.FailsWithoutLate) > 0 {
			seen["fails without"]++
		}
	}
	for _, what := range []string{"pass", "fail", "invalid", "inconclusive", "fails without", "recovery_latency pass", "recovery_latency fail", "recovery_quality inconclusive"} {
		if seen[what] == 0 {
			t.Errorf("no %s among the runs: %v", what, seen)
		}
	}
}

// again is what the second program says of a run.
type again struct {
	Objectives map[string]struct{ Verdict string }
	Verdict    string
	ExitCode   int      `json:"exit_code"`
	Without    []string `json:"fails_without_late"`
}

// judgedAgain has the second program judge documents.
func judgedAgain(t *testing.T, python string, docs []*Document) []again {
	t.Helper()
	dir, args := t.TempDir(), []string{"../sla/testdata/verdict.py"}
	for i, d := range docs {
		b, err := json.Marshal(d)
		path := filepath.Join(dir, fmt.Sprint(i, ".json"))
		if err != nil || os.WriteFile(path, b, 0o600) != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != len(docs) {
		t.Fatalf("verdict.py: %v\n%s", err, out)
	}
	list := make([]again, len(docs))
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}
