package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/report"
)

// sale has what a search leaves out: a storm, its recovery, a guard.
const sale = `version: 1
name: sale
target:
  bundled: {profile: hardened, redis: embedded, knobs: {limit.global: 0/s, limit.user: 0/s}}
llm:
  latency: {constant: 5ms}
  faults: [{name: storm, at: 1s, for: 1s, kind: status, status: 503}]
load:
  arrivals: constant
  stages: [{name: x, for: 3s, starts: 1/s}]
conversations: [{name: c, turns: [{say: 你好}]}]
guard: {max_turns: 5/s}
sla: {availability: 90%, latency: {p90: 2s}, recovery: {after: storm, latency: 5s}}
`

func TestCapacityEndToEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sale.yaml")
	if err := os.WriteFile(path, []byte(sale), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	got := cstest(t, "capacity", path, "--from", "40/s", "--max", "40/s", "--settle", "1s", "--hold", "2s",
		"--need", "100/s", "--replicas", "2", "--results-dir", dir)
	// 40/s is all that was asked for, and 100/s take three of that.
	if got.code != 10 || !strings.Contains(got.stdout, "take 3 replicas") || !strings.Contains(got.stderr, "are left out") {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	raw, err := os.ReadFile(filepath.Join(dir, report.CapacityFile))
	if err != nil {
		t.Fatal(err)
	}
	var r capacity.Result
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	if r.LimitedBy != "max" || !r.Sure || r.Holds.Turns != 40 || len(r.Probes) != 2 || r.Need.Replicas != 3 {
		t.Errorf("%+v, holds %+v", r, r.Holds)
	}
	doc := open(t, filepath.Join(dir, filepath.FromSlash(r.Probes[1].Dir)))
	if len(doc.Storms) != 0 || len(doc.Stages) != 2 || doc.Verdict != "pass" {
		t.Errorf("a probe of %d storms, stages %+v, %s", len(doc.Storms), doc.Stages, doc.Verdict)
	}
}

func TestCapacityRefuses(t *testing.T) {
	t.Parallel()
	path := writeLittle(t)
	for want, args := range map[string][]string{
		"--users has no place here":      {"--users", "5"},
		"--scale has no place here":      {"--scale", "10%"},
		"say it with --need":             {"--replicas", "3"},
		"--max not below --from":         {"--max", "5/s"},
		"--precision is from 0.5% to 50": {"--precision", "60%"},
	} {
		if got := cstest(t, append([]string{"capacity", path}, args...)...); got.code != 64 || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: exit %d, %s", args, got.code, got.stderr)
		}
	}
}
