package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

// ownServer starts the chat server that is not ours and gives its URL.
func ownServer(t *testing.T, llm string, args ...string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the chat server of this test is written in it")
	}
	return started(t, exec.Command(python, append([]string{"testdata/own_server.py", llm}, args...)...))
}

// started runs a server until the end of the test; it gives the first line the
// server writes.
func started(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill() // it has no state to save
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s said nothing: %v", cmd, err)
	}
	return strings.TrimSpace(line)
}

// freeAddress is one that nobody listened on a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 { // below the ports that connections of other tests leave from
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port below 32000")
	return ""
}

// own is a scenario for that server; llm says where the mock is.
func own(url, llm string) string {
	return fmt.Sprintf(`version: 1
name: own-server
seed: 11
target:
  url: %s
  api: custom
  request: {path: /api/talk, body: {uid: "${user.id}", text: "${turn.text}", dialog_id: "${dialog.id}"}}
  response: {ok: success, dialog_id: data.dialog_id, answer: data.reply, tier: {from: data.src, map: {model: llm, kb: faq}}}
  timeout: 5s
llm:
  %s
  latency: {median: 30ms, p99: 60ms}
  faults: [{name: storm, at: 2s, for: 2s, kind: status, status: 503, share: 100%%}]
load:
  arrivals: constant
  stages: [{name: steady, for: 6s, starts: 8/s}]
  drain: 15s
conversations:
  - name: coupon-return-coupon
    think: 200ms
    turns:
      - say: 我有一张满减优惠券,怎么用?
      - say: 我要退货
      - say: 优惠券还能用吗?
checks: {memory: on}
sla: {latency: {p90: 3s}, availability: 90%%}
`, url, llm)
}

// checkStorm: inside the storm the fixed texts answered, outside the model did.
func checkStorm(t *testing.T, doc *result.Document) {
	t.Helper()
	if len(doc.Storms) != 1 || doc.Storms[0].Name != "storm" || doc.Storms[0].Kind != "status" || doc.Storms[0].EndS == nil {
		t.Fatalf("storms %+v", doc.Storms)
	}
	s := doc.Storms[0]
	if length := *s.EndS - s.StartS; s.StartS < 1.9 || length < 1.9 || length > 4 {
		t.Errorf("the storm from %.2f s for %.2f s was planned at 2 s for 2 s", s.StartS, length)
	}
	if doc.Tiers.FAQ < 24 || doc.Tiers.LLM < 48 || doc.Tiers.Unknown > 0 || s.Tiers.FAQ == 0 {
		t.Errorf("tiers: %+v in the storm, %+v in all", s.Tiers, doc.Tiers)
	}
	for _, second := range doc.Series {
		if second.Turns == 0 {
			continue
		}
		// A turn in flight at an edge may be on either side: most decide, and the
		// middle of the second.
		middle, want := float64(second.TS)+0.5, "llm"
		if middle > s.StartS && middle < *s.EndS {
			want = "faq"
		}
		if second.Tier != want {
			t.Errorf("second %d was answered by %s, want %s: %+v", second.TS, second.Tier, want, second.Tiers)
		}
	}
	if doc.Counts.Degraded != doc.Tiers.FAQ {
		t.Errorf("%d degraded, %d from the fixed texts", doc.Counts.Degraded, doc.Tiers.FAQ)
	}
	// The mock learns when t = 0 is from a message: while that travels, a first
	// call or two may count as made before it.
	if n := doc.LLM.Calls; n == nil || *n > doc.Counts.Turns || *n < doc.Counts.Turns-3 {
		t.Errorf("the mock knows %s calls, the server made one for each of %d turns", shown(n), doc.Counts.Turns)
	}
}

func TestStormOnOwnServer(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	url := ownServer(t, "http://"+addr)
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, own(url, "listen: "+addr)), "--results-dir", dir)
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	if !strings.Contains(r.stderr, "mock LLM listens on http://"+addr) || !strings.Contains(r.stderr, "STORM storm") {
		t.Errorf("standard error names neither the mock nor the storm\n%s", r.stderr)
	}
	doc := open(t, dir)
	if doc.Target.Kind != "external" || doc.Target.API != "custom" || doc.Counts.Conversations != 48 || doc.Counts.Turns != 144 {
		t.Errorf("target %+v, counts %+v", doc.Target, doc.Counts)
	}
	if objective(t, doc, "context") != "pass" || objective(t, doc, "integrity") != "pass" || doc.Counts.ContextVerified < 40 {
		t.Errorf("objectives %+v, context verified %d", doc.Objectives, doc.Counts.ContextVerified)
	}
	checkStorm(t, doc)
}

func TestForgetfulOwnServerFailsOnContext(t *testing.T) {
	t.Parallel()
	addr := freeAddress(t)
	url := ownServer(t, "http://"+addr, "--forget")
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, own(url, "listen: "+addr)), "--results-dir", dir, "--quiet",
		"--set", "load.stages[steady].for=3s", "--set", "llm.faults=[]")
	if r.code != exitFail {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	// Every first turn has nothing to remember, every later one remembers nothing.
	if objective(t, doc, "context") != "fail" || objective(t, doc, "integrity") != "pass" || doc.Counts.ContextLost != 48 || doc.Counts.OK != 24 {
		t.Errorf("objectives %+v, counts %+v", doc.Objectives, doc.Counts)
	}
}

func TestRunningMockIsArmedAndGivenBack(t *testing.T) {
	t.Parallel()
	var mock ready
	line := started(t, command(t, "serve", "mockllm", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0",
		"--seed", "99", "--latency-median", "5ms", "--latency-p99", "9ms"))
	if err := json.Unmarshal([]byte(line), &mock); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	url := ownServer(t, mock.URL)
	before := get(t, mock.Admin+"/mock/config")
	if !strings.Contains(before, "99") || !strings.Contains(before, "5ms") {
		t.Fatalf("config before the run: %s", before)
	}
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, own(url, "admin: "+mock.Admin)), "--results-dir", dir, "--quiet")
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	checkStorm(t, open(t, dir))
	if after := get(t, mock.Admin+"/mock/config"); after != before {
		t.Errorf("config before\n%s\nand after\n%s", before, after)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v\n%s", url, resp.Status, err, b)
	}
	return string(b)
}

// shown is a figure that may not be known.
func shown(n *int64) string {
	if n == nil {
		return "no"
	}
	return strconv.FormatInt(*n, 10)
}
