//go:build linux

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/internal/redistest"
)

// One of three processes of the bundled server is killed under load: the others know
// its dialogs, so nobody's is lost or mixed up, and the run is judged as ever.
func TestABundledProcessIsKilled(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, calm), "--results-dir", dir, "--redis", redistest.Start(t).URL()+"/0",
		"--set", "target.bundled.processes=3", "--set", "load.stages[steady].for=10s", "--set", "checks.memory=on")
	r.second(t, 3, 4)
	var servers []proc
	for _, p := range r.family {
		if strings.Contains(p.command, "reference-server") {
			servers = append(servers, p)
		}
	}
	if len(servers) != 3 {
		t.Fatalf("%d processes of the server, want 3 among %v", len(servers), r.family)
	}
	if err := syscall.Kill(servers[1].pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := r.ends(t); code != 0 {
		t.Errorf("exit %d, want 0\n%s", code, &r.stderr)
	}
	r.leavesNobody(t)
	doc := open(t, dir)
	c := doc.Counts
	if c.Integrity != 0 || c.ContextLost != 0 || c.ContextVerified < 100 {
		t.Errorf("integrity %d, context lost %d of %d verified", c.Integrity, c.ContextLost, c.ContextVerified)
	}
	// 36 turns/s of 50 ms: what was on its way there, and no more, is lost.
	if failed := c.TransportError + c.Truncated + c.ServerError; failed > 12 || c.Turns < 300 {
		t.Errorf("%d of %d turns failed", failed, c.Turns)
	}
	if !mentions(doc.Warnings, "reference-server-", " ended during the run", "signal: killed") {
		t.Errorf("warnings %q", doc.Warnings)
	}
	ended := 0
	for _, p := range doc.Processes {
		if strings.HasPrefix(p.Name, "reference-server-") && p.EndedS != nil {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d processes ended, want 1: %+v", ended, doc.Processes)
	}
}
