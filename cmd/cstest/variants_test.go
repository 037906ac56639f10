package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const benchKey = "key-of-the-bench-4711"

// benched is cstest with the key that the scenarios of ownBench name.
func benched(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, "BENCH_KEY="+benchKey)
	return cmd
}

// ownBench is a server of one's own whose time for an answer stands in a file,
// which the variants' command writes.
func ownBench(t *testing.T, variants string) (path, state string) {
	t.Helper()
	dir := t.TempDir()
	state = filepath.Join(dir, "state")
	if err := os.WriteFile(state, []byte("as found"), 0o644); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		now, err := os.ReadFile(state)
		d, bad := time.ParseDuration(strings.TrimSpace(string(now)))
		if err != nil || bad != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		time.Sleep(d) // the server's own time, not synchronisation
		_, _ = fmt.Fprint(w, `{"answer":"您好"}`)
	}))
	t.Cleanup(server.Close)
	path = filepath.Join(dir, "own.yaml")
	text := `version: 1
name: own
seed: 3
target:
  url: ` + server.URL + `
  api: custom
  headers: {x-bench-key: "${env:BENCH_KEY}"}
  request: {path: /chat, body: {text: "${turn.text}"}}
  response: {answer: answer}
load:
  think: 0s
  stages: [{name: steady, for: 2s, users: 4}]
conversations:
  - {name: c, turns: [{say: 你好}, {say: 再见}]}
sla: {latency: {p99: 2s}, availability: 90%, gate: measured}
variants:
` + strings.ReplaceAll(variants, "READY", server.URL)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, state
}

// Each variant is applied before each of its runs, one whose command fails is
// said and not compared, and the first is applied again at the end.
func TestTuneOwnServer(t *testing.T) {
	t.Parallel()
	path, state := ownBench(t, `
  - {name: fast, apply: {run: [sh, -c, "echo set fast with $BENCH_KEY; echo 5ms > state"]}, ready: {url: READY}}
  - {name: slow, apply: {run: [sh, -c, "echo 60ms > state"]}, ready: {url: READY}}
  - {name: broken, apply: {run: [sh, -c, "echo no such pool; exit 3"]}}
`)
	dir := filepath.Join(t.TempDir(), "out")
	got := finished(t, benched(t, "tune", path, "--rounds", "1", "--results-dir", dir))
	if got.code != 0 {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	e := readExperiment(t, dir)
	if len(e.Arms) != 4 || e.Arms[0].Name != "fast" || e.RoundsDone != 1 {
		t.Fatalf("%+v", e.Arms)
	}
	fast, slow := *e.Arms[0].Figures[0].Median, *e.Arms[1].Figures[0].Median
	if fast < 5e6 || slow < 60e6 || fast > slow {
		t.Errorf("mean %v and %v ns: the server takes 5 and 60 ms", fast, slow)
	}
	// What a server of one's own does not tell has no column, and that is said.
	if said := strings.Join(strings.Fields(got.stdout), " "); !strings.Contains(said, "Not known of this target: CPU/turn, calls/turn, Redis/turn.") || strings.Contains(got.stdout, "Redis/turn  ") {
		t.Errorf("what the server does not tell:\n%s", got.stdout)
	}
	if !e.Arms[2].Invalid || !strings.Contains(strings.Join(e.Warnings, "\n"), "exit status 3: no such pool") {
		t.Errorf("a variant that cannot be applied: %+v %q", e.Arms[2], e.Warnings)
	}
	if now, _ := os.ReadFile(state); string(now) != "5ms\n" {
		t.Errorf("the server was left at %q", now)
	}
	logs, _ := filepath.Glob(filepath.Join(dir, "runs", "*", "logs", "apply.log"))
	restored, _ := os.ReadFile(filepath.Join(dir, "restore", "apply.log"))
	if len(logs) != 4 || !strings.HasPrefix(string(restored), "set fast with ") || strings.Contains(string(restored), benchKey) {
		t.Errorf("logs %q, of the restoring %q", logs, restored)
	}
}

// The server is put back after a Ctrl-C, too, and what cannot be put back is
// said whatever was measured.
func TestTuneOwnServerIsRestored(t *testing.T) {
	t.Parallel()
	path, state := ownBench(t, `
  - {name: fast, apply: {run: [sh, -c, "echo 1ms > state"]}}
  - {name: slow, apply: {run: [sh, -c, "echo 2ms > state"]}}
`)
	cmd := benched(t, "tune", path, "--rounds", "9", "--results-dir", filepath.Join(t.TempDir(), "out"))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	for line := ""; !strings.HasPrefix(line, "1/27 ·"); {
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatalf("it ends before its first run: %v", err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, said)
	_ = cmd.Wait()
	if now, _ := os.ReadFile(state); cmd.ProcessState.ExitCode() != 130 || string(now) != "1ms\n" {
		t.Errorf("exit %d, the server was left at %q", cmd.ProcessState.ExitCode(), now)
	}

	// The baseline runs twice in a round; the third time, at the end, it fails.
	path, _ = ownBench(t, `
  - {name: twice, apply: {run: [sh, -c, "echo x >> times; echo 1ms > state; test $(wc -l < times) -le 2"]}}
  - {name: slow, apply: {run: [sh, -c, "echo 2ms > state"]}}
`)
	dir := filepath.Join(t.TempDir(), "out")
	got := finished(t, benched(t, "tune", path, "--rounds", "1", "--results-dir", dir))
	if got.code != 69 || !strings.Contains(got.stderr, "the server may not be as it was: variant twice could not be applied again") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
	if e := readExperiment(t, dir); e.RoundsDone != 1 {
		t.Errorf("what was measured is lost: %d rounds", e.RoundsDone)
	}
}

func TestTuneUnknownVariant(t *testing.T) {
	t.Parallel()
	path, _ := ownBench(t, `
  - {name: fast, apply: {run: [./a]}}
  - {name: slow, apply: {run: [./b]}}
`)
	got := finished(t, benched(t, "tune", path, "--vary", "variant=fast,quick"))
	if got.code != 64 || !strings.Contains(got.stderr, "no variant quick: its variants are fast, slow") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
	got = cstest(t, "tune", writeLittle(t), "--vary", "variant=fast,slow")
	if got.code != 64 || !strings.Contains(got.stderr, "the scenario has no variants") {
		t.Errorf("exit %d: %s", got.code, got.stderr)
	}
}
