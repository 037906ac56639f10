package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/report/directory"
	"github.com/cstest/cstest/result"
)

// leaveResult writes a result that was once measured, changed, where a run would.
func leaveResult(t *testing.T, dir, id string, change func(*result.Document)) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "result", "testdata", "pass.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := result.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	d.RunID = id
	if change != nil {
		change(d)
	}
	path := filepath.Join(dir, id)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := directory.Write(path, d, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// slower multiplies what was answered how fast, with a scatter that differs from
// seed to seed.
func slower(by float64, seed int) func(*result.Document) {
	return func(d *result.Document) {
		by *= 1 + float64(seed%3)/200
		q := &d.Latency.Response
		for _, p := range []*int64{q.MeanNs, q.P50Ns, q.P95Ns, q.P99Ns} {
			*p = int64(float64(*p) * by)
		}
		d.StartedAt = fmt.Sprintf("2026-11-11T00:00:%02dZ", seed)
		d.Scenario.Seed = uint64(seed)
	}
}

// Two folders of six runs each: 10 % more of the mean is found, none is not.
func TestCompareFolders(t *testing.T) {
	base, same, slow := t.TempDir(), t.TempDir(), t.TempDir()
	for i := range 6 {
		leaveResult(t, base, fmt.Sprintf("base-%d", i), slower(1, i))
		leaveResult(t, same, fmt.Sprintf("same-%d", i), slower(1, i+7))
		leaveResult(t, slow, fmt.Sprintf("slow-%d", i), slower(1.1, i+20))
	}
	if got := cstest(t, "compare", base, same); got.code != 0 || !strings.Contains(got.stdout, "EQUIVALENT") {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	got := cstest(t, "compare", base, slow, "--format", "markdown", "--lang", "zh")
	if got.code != 10 || !strings.Contains(got.stdout, "## ❌ 对比：更差") || !strings.Contains(got.stdout, "| 均值 |") || !strings.Contains(got.stdout, "| 更差 |") {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestBaseline(t *testing.T) {
	runs, folder := t.TempDir(), filepath.Join(t.TempDir(), "accepted")
	first := leaveResult(t, runs, "first", slower(1, 1))
	if got := cstest(t, "compare", "--baseline", folder, first); got.code != 11 || !strings.Contains(got.stdout, "holds no accepted result of this scenario") {
		t.Errorf("an empty baseline: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	for i := range 4 {
		path := leaveResult(t, runs, fmt.Sprintf("good-%d", i), slower(1, i))
		if got := cstest(t, "compare", "--baseline", folder, path, "--accept"); got.code != 0 || !strings.Contains(got.stdout, fmt.Sprintf("good-%d is accepted", i)) {
			t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	}
	if got := cstest(t, "compare", "--baseline", folder, filepath.Join(runs, "good-0"), "--accept"); got.code != 0 || !strings.Contains(got.stdout, "good-0 is accepted already") {
		t.Errorf("twice: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}

	slow := t.TempDir()
	for i := range 3 {
		leaveResult(t, slow, fmt.Sprintf("slow-%d", i), slower(1.3, i))
	}
	got := cstest(t, "compare", "--baseline", folder, slow, "--accept")
	if got.code != 10 || !strings.Contains(got.stdout, "not accepted") || len(inside(folder)) != 4 {
		t.Errorf("worse: exit %d, %d accepted\n%s%s", got.code, len(inside(folder)), got.stdout, got.stderr)
	}
	if got := cstest(t, "compare", "--baseline", folder, slow, "--last", "2", "--json"); got.code != 10 {
		t.Errorf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	} else {
		var c result.Comparison
		if err := json.Unmarshal([]byte(got.stdout), &c); err != nil || len(c.A) != 2 || c.A[1].RunID != "good-3" {
			t.Errorf("the two newest: %v, %v", c.A, err)
		}
	}
	if got := cstest(t, "compare", "--baseline", folder, slow, "--accept", "--force"); got.code != 0 || len(inside(folder)) != 7 {
		t.Errorf("forced: exit %d, %d accepted\n%s%s", got.code, len(inside(folder)), got.stdout, got.stderr)
	}

	invalid := leaveResult(t, runs, "invalid", func(d *result.Document) { d.Verdict, d.ExitCode = "invalid", 12 })
	if got := cstest(t, "compare", "--baseline", folder, invalid, "--accept"); got.code != 11 || !strings.Contains(got.stdout, "is not accepted") {
		t.Errorf("an invalid run: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	other := leaveResult(t, runs, "other", func(d *result.Document) { d.Scenario.Name, d.Scenario.SHA256 = "other", strings.Repeat("0", 64) })
	if got := cstest(t, "compare", "--baseline", folder, other); got.code != 11 || !strings.Contains(got.stdout, "7 accepted results are left out") {
		t.Errorf("another scenario: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	hostile := leaveResult(t, runs, "hostile", nil)
	text, err := os.ReadFile(filepath.Join(hostile, result.DocumentFile))
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), `"run_id": "hostile"`, `"run_id": "../escaped"`, 1))
	if err := os.WriteFile(filepath.Join(hostile, result.DocumentFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := cstest(t, "compare", "--baseline", folder, hostile, "--accept"); got.code != exitUsage || !strings.Contains(got.stderr, "no name for a directory") {
		t.Errorf("a name that leaves the folder: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestCompareFlags(t *testing.T) {
	dir := leaveResult(t, t.TempDir(), "run", nil)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{dir}, "two results, or one and --baseline"},
		{[]string{dir, dir, "--baseline", "x"}, "takes one result"},
		{[]string{dir, dir, "--accept"}, "--accept needs --baseline"},
		{[]string{dir, "--baseline", "x", "--force"}, "--force goes with --accept"},
		{[]string{dir, "--baseline", "x", "--last", "0"}, "--last 0"},
		{[]string{dir, dir, "--format", "pdf"}, `--format "pdf"`},
	} {
		if got := cstest(t, append([]string{"compare"}, tt.args...)...); got.code != exitUsage || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%q: exit %d, %s", tt.args, got.code, got.stderr)
		}
	}
}
