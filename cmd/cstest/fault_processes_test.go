package main

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/result"
)

// shardsOf are the shard processes among a run's children.
func (r *running) shardsOf() []proc {
	var list []proc
	for _, p := range r.family {
		if strings.HasSuffix(strings.TrimSpace(p.command), "run-shard") {
			list = append(list, p)
		}
	}
	return list
}

// One of the processes a load is spread over is killed: that is told when it
// happens, the run ends, and what is left of it is no evidence.
func TestKilledShardProcessEndsTheRun(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, calm), "--results-dir", dir, "--processes", "2", "--set", "load.stages[steady].for=5m")
	r.second(t, 2, 4)
	shards := r.shardsOf()
	if len(shards) != 2 {
		t.Fatalf("%d shard processes, want 2", len(shards))
	}
	if err := syscall.Kill(shards[0].pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	r.says(t, " ended before its load did: signal: killed: ")
	if code := r.ends(t); code != 11 {
		t.Errorf("exit %d, want 11\n%s", code, &r.stderr)
	}
	r.leavesNobody(t)
	doc := open(t, dir)
	if doc.Verdict != "incomplete" || doc.ExitCode != 11 || !mentions(doc.Reasons, "shard ", "/2 ended before its load did: signal: killed") {
		t.Errorf("verdict %s, exit code %d, reasons %q", doc.Verdict, doc.ExitCode, doc.Reasons)
	}
	// The rest ended at once: five minutes were planned. Two seconds were known.
	if doc.DurationS < 2 || doc.DurationS > 25 || doc.Counts.OK < 24 {
		t.Errorf("%.1f s, %d turns ok", doc.DurationS, doc.Counts.OK)
	}
	if n := len(doc.Processes); n != 5 || !slices.ContainsFunc(doc.Processes, func(p result.Process) bool {
		return strings.HasPrefix(p.Name, "cstest shard ") && p.Exit == "signal: killed" && p.EndedS != nil && *p.EndedS >= 2
	}) {
		t.Errorf("%d processes: %+v", n, doc.Processes)
	}
}

// How many processes auto came to is in the first line and in the result.
func TestProcessesAreTold(t *testing.T) {
	t.Parallel()
	server := &talker{}
	path := write(t, direct(server.start(t), "", shortLoad))
	for _, tt := range []struct {
		flag, want string
		rows       []string
	}{
		{"auto", "processes=1 (auto)", []string{"cstest"}},
		{"2", "processes=2", []string{"cstest", "cstest shard 0/2", "cstest shard 1/2"}},
	} {
		dir := filepath.Join(t.TempDir(), "result")
		r := cstest(t, "run", path, "--results-dir", dir, "--processes", tt.flag)
		if r.code != 0 {
			t.Fatalf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if first, _, _ := strings.Cut(r.stderr, "\n"); !strings.HasSuffix(first, "overrides: "+tt.want) {
			t.Errorf("--processes %s: first line %q", tt.flag, first)
		}
		doc := open(t, dir)
		var rows []string
		for _, p := range doc.Processes {
			rows = append(rows, p.Name)
		}
		slices.Sort(rows)
		if !slices.Equal(doc.Overrides, []string{tt.want}) || !slices.Equal(rows, tt.rows) {
			t.Errorf("--processes %s: overrides %q, processes %q", tt.flag, doc.Overrides, rows)
		}
	}
}
