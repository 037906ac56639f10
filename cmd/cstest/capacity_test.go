package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/report/capacities"
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
	raw, err := os.ReadFile(filepath.Join(dir, capacities.FileName))
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
		`--until "mood": want context`:   {"--until", "mood"},
		"see conversations.turns.expect": {"--until", "expected"},
	} {
		if got := cstest(t, append([]string{"capacity", path}, args...)...); got.code != 64 || !strings.Contains(got.stderr, want) {
			t.Errorf("%v: exit %d, %s", args, got.code, got.stderr)
		}
	}
}

// A server that answers fast and wrongly beyond 15 turns a second: answers break,
// latency does not.
func TestCapacityUntilAnswersGoWrong(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		now := time.Now()
		mu.Lock()
		asked = append(asked, now)
		for now.Sub(asked[0]) > time.Second {
			asked = asked[1:]
		}
		busy := len(asked) > 15
		mu.Unlock()
		answer := "可以退货"
		if busy {
			answer = "不知道"
		}
		fmt.Fprintf(w, `{"answer": %q}`, answer)
	}))
	defer server.Close()
	path := write(t, `version: 1
name: knee
target: {url: `+server.URL+`, api: custom, request: {path: /, body: {text: "${turn.text}"}}, response: {answer: answer}}
load: {arrivals: constant, stages: [{name: x, for: 3s, starts: 1/s}]}
conversations: [{name: c, turns: [{say: 能退货吗, expect: {contains: 退货}}]}]
checks: {memory: off, canned: []}
sla: {availability: 50%}
`)
	var got ended
	var r capacity.Result
	for range 4 { // on a machine so busy that the generator is the limit, once more
		dir := filepath.Join(t.TempDir(), "out")
		got = cstest(t, "capacity", path, "--until", "expected", "--from", "10/s", "--max", "40/s", "--settle", "1s", "--hold", "3s", "--precision", "50%", "--results-dir", dir)
		raw, err := os.ReadFile(filepath.Join(dir, capacities.FileName))
		if err != nil {
			t.Fatalf("%v\n%s%s", err, got.stdout, got.stderr)
		}
		r = capacity.Result{}
		if err := json.Unmarshal(raw, &r); err != nil {
			t.Fatal(err)
		}
		if r.LimitedBy != "generator" {
			break
		}
	}
	if r.Holds == nil || r.Breaks == nil || r.Holds.Turns > 18 || r.Breaks.Turns < 12 || r.Beside == nil || r.Beside.Holds == nil || r.Beside.Holds.Turns < r.Breaks.Turns-3 {
		t.Errorf("holds %+v, breaks %+v, beside %+v\n%s%s", r.Holds, r.Breaks, r.Beside, got.stdout, got.stderr)
	}
	if !strings.Contains(got.stdout, "expected answers breaks first") {
		t.Errorf("%s", got.stdout)
	}
}
