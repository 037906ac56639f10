//go:build linux

package servers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func variant(run ...string) *scenario.Variant {
	return &scenario.Variant{Name: "v", Apply: scenario.Command{Run: run, Timeout: unit.Duration(10 * time.Second)}}
}

// gone waits until a process has ended: it is killed, but not at once.
func gone(t *testing.T, pid string) bool {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for range 1000 {
		state, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return true
		}
		<-look.C
	}
	return false
}

func TestApplyRunsInTheScenariosFolder(t *testing.T) {
	dir := t.TempDir()
	// $1 is an argument of sh here: nothing expands what the scenario says.
	out, err := Apply(t.Context(), variant("sh", "-c", `echo "$1" > state; echo done; echo bad >&2`, "x", "a b $HOME *"), dir)
	if err != nil || string(out) != "done\nbad\n" {
		t.Fatalf("%q %v", out, err)
	}
	if state, _ := os.ReadFile(filepath.Join(dir, "state")); string(state) != "a b $HOME *\n" {
		t.Errorf("state %q", state)
	}
}

func TestApplyThatFails(t *testing.T) {
	_, err := Apply(t.Context(), variant("sh", "-c", "echo first; echo no such pool; exit 3"), t.TempDir())
	if err == nil || !strings.HasSuffix(err.Error(), "exit status 3: no such pool") {
		t.Error(err)
	}
	if _, err := Apply(t.Context(), variant("./not-there"), t.TempDir()); err == nil || !strings.Contains(err.Error(), `apply ["./not-there"]`) {
		t.Error(err)
	}
}

// A command that does not end is ended, and what it started with it.
func TestApplyThatHangs(t *testing.T) {
	dir := t.TempDir()
	v := variant("sh", "-c", "mkfifo gate; sleep 600 & echo $! > pid; cat gate")
	v.Apply.Timeout = unit.Duration(300 * time.Millisecond)
	_, err := Apply(t.Context(), v, dir)
	if err == nil || !strings.Contains(err.Error(), "did not end within 300 ms") {
		t.Fatal(err)
	}
	pid, _ := os.ReadFile(filepath.Join(dir, "pid"))
	if !gone(t, strings.TrimSpace(string(pid))) {
		t.Errorf("what the command started lives on: %s", pid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Apply(ctx, v, dir); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A server that the command leaves running holds nothing up.
func TestApplyLeavesAServer(t *testing.T) {
	dir := t.TempDir()
	out, err := Apply(t.Context(), variant("sh", "-c", "setsid sleep 600 & echo $! > pid; echo started"), dir)
	if err != nil || string(out) != "started\n" {
		t.Fatalf("%q %v", out, err)
	}
	pid, _ := os.ReadFile(filepath.Join(dir, "pid"))
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err != nil {
		t.Errorf("the server is gone: %v", err)
	}
	_, _ = Apply(t.Context(), variant("kill", strings.TrimSpace(string(pid))), dir)
}

func TestApplyWaitsUntilReady(t *testing.T) {
	var asked atomic.Int64
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch asked.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer s.Close()
	v := variant("true")
	v.Ready = &scenario.Ready{URL: s.URL, Status: 204, Timeout: unit.Duration(10 * time.Second)}
	if _, err := Apply(t.Context(), v, t.TempDir()); err != nil || asked.Load() != 3 {
		t.Errorf("asked %d times, %v", asked.Load(), err)
	}
	v.Ready.Status, v.Ready.Timeout = 200, unit.Duration(250*time.Millisecond)
	_, err := Apply(t.Context(), v, t.TempDir())
	if err == nil || !strings.HasSuffix(err.Error(), "did not answer 200 within 250 ms: HTTP 204") {
		t.Error(err)
	}
}
