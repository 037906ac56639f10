//go:build linux

package main

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisServer starts a redis-server for a test, or skips it.
func redisServer(t *testing.T) string {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	ln.Close()
	cmd := exec.Command(bin, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			c.Close()
			return fmt.Sprintf("redis://127.0.0.1:%d/0", port)
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// One of three processes of the bundled server is killed under load: the others know
// its dialogs, so nobody's is lost or mixed up, and the run is judged as ever.
func TestABundledProcessIsKilled(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, calm), "--results-dir", dir, "--redis", redisServer(t),
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
