package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Shards that write their journals to standard output leave no files, and their
// logs add up anywhere: without the data files, mixed, and cut.
func TestShardsLogsAddUp(t *testing.T) {
	t.Parallel()
	url := (&talker{}).start(t)
	home := t.TempDir()
	path := filepath.Join(home, "s.yaml")
	text := strings.Replace(direct(url, "", "{arrivals: constant, stages: [{name: steady, for: 3s, starts: 100/s}]}"), "say: 你好", `say: "${users.name}，你好"`, 1) +
		"data: {users: {csv: users.csv}}\n"
	for name, content := range map[string]string{"s.yaml": text, "users.csv": "name\n张三\n李四\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(4 * time.Second).UTC().Format(time.RFC3339Nano)
	var runs []*running
	for _, shard := range []string{"0/2", "1/2"} {
		runs = append(runs, launch(t, "run", path, "--shard", shard, "--start-at", at, "--journal", "-", "--no-tui"))
	}
	var logs []string
	for i, r := range runs {
		if code := r.ends(t); code != 0 || !strings.Contains(r.stderr.String(), "300 turns recorded") {
			t.Fatalf("shard %d: exit %d\n%s", i, code, &r.stderr)
		}
		logs = append(logs, r.out.String())
	}
	if left, err := os.ReadDir(home); err != nil || len(left) != 2 {
		t.Errorf("beside the scenario: %v, %v", left, err)
	}
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	merge := func(log string) (ended, string) {
		to := filepath.Join(t.TempDir(), "sum")
		file := filepath.Join(t.TempDir(), "all.log")
		if err := os.WriteFile(file, []byte(log), 0o600); err != nil {
			t.Fatal(err)
		}
		return cstest(t, "merge", file, "--results-dir", to), to
	}
	r, to := merge("2026-11-11T00:00:00Z " + strings.ReplaceAll(logs[1]+logs[0]+logs[1], "\n", "\n2026-11-11T00:00:00Z "))
	if doc := open(t, to); r.code != 0 || doc.Counts.Turns != 600 || doc.Verdict != "pass" || len(doc.Reasons) != 0 {
		t.Errorf("exit %d, %s of %d turns %q\n%s", r.code, doc.Verdict, doc.Counts.Turns, doc.Reasons, r.stderr)
	}
	lines := strings.SplitAfter(logs[0], "\n")
	r, to = merge(logs[1] + strings.Join(lines[:len(lines)/2], ""))
	if doc := open(t, to); r.code != 11 || doc.Verdict != "incomplete" || !strings.HasPrefix(doc.Reasons[0], "shard 0/2 is cut off after ") {
		t.Errorf("cut: exit %d, %s %q\n%s", r.code, doc.Verdict, doc.Reasons, r.stderr)
	}
	r, to = merge(logs[1])
	if doc := open(t, to); r.code != 11 || doc.Verdict != "incomplete" || !slices.Contains(doc.Reasons, "shard 0/2 is missing") {
		t.Errorf("missing: exit %d, %s %q\n%s", r.code, doc.Verdict, doc.Reasons, r.stderr)
	}
	if r, _ = merge("nothing of ours\n"); r.code != exitUsage || !strings.Contains(r.stderr, "no journal and no log of a shard with --journal -") {
		t.Errorf("another file: exit %d\n%s", r.code, r.stderr)
	}
}

func TestJournalToStandardOutputIsForShards(t *testing.T) {
	t.Parallel()
	path := write(t, direct("http://127.0.0.1:9", "", "{arrivals: constant, stages: [{name: steady, for: 1s, starts: 40/s}]}"))
	for _, c := range []struct{ args, want string }{
		{"--journal -", "--journal - is for the shard of a load: add --shard"},
		{"--journal x --shard 0/2", `--journal "x": want - for standard output`},
		{"--journal - --shard 0/2 --results-dir x", "--journal - writes no files and --results-dir says where to"},
		{"--journal - --shard 0/2 --json", "both want standard output"},
	} {
		if r := cstest(t, append([]string{"run", path}, strings.Fields(c.args)...)...); r.code != exitUsage || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: exit %d, want 64 and %q\n%s", c.args, r.code, c.want, r.stderr)
		}
	}
}
