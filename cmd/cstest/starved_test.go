package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// pressed is a /proc of a machine of two processors, which others take at times.
type pressed struct {
	root string
	self int

	mu       sync.Mutex
	taken    bool
	pressure time.Duration
	user     time.Duration
	idle     time.Duration
	own      time.Duration
	burnt    time.Duration
}

func (p *pressed) is() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

func (p *pressed) take(taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = taken
}

// pass lets time pass on the machine.
func (p *pressed) pass(t *testing.T, d time.Duration) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken {
		p.pressure, p.user, p.own, p.burnt = p.pressure+d*8/10, p.user+2*d, p.own+d/2, p.burnt+d*3/2
	} else {
		p.user, p.own, p.idle = p.user+d/10, p.own+d/10, p.idle+2*d-d/10
	}
	put := func(name, text string) {
		path := filepath.Join(p.root, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		err = errors.Join(err, os.WriteFile(path+".new", []byte(text), 0o600))
		if err = errors.Join(err, os.Rename(path+".new", path)); err != nil {
			t.Error(err)
		}
	}
	ticks := func(d time.Duration) int64 { return int64(d / (10 * time.Millisecond)) }
	process := func(pid int, name string, cpu time.Duration, born int) {
		put(fmt.Sprintf("%d/stat", pid), fmt.Sprintf("%d (%s) S 1 1 1 0 -1 0 0 0 0 0 %d 0 0 0 20 0 1 0 %d 0 0\n", pid, name, ticks(cpu), born))
	}
	put("pressure/cpu", fmt.Sprintf("some avg10=0.00 avg60=0.00 avg300=0.00 total=%d\n", p.pressure.Microseconds()))
	put("stat", fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\ncpu0 0\ncpu1 0\n", ticks(p.user), ticks(p.idle)))
	process(1, "init", 0, 0)
	process(p.self, "cstest", p.own, 10)
	if p.burnt > 0 {
		process(p.self+1, "burn", p.burnt, 20)
	}
}

// A target of one's own on a machine whose processors others take is slow meanwhile:
// that is told with figures, and is no fail of the target's.
func TestTargetOnAStarvedMachineIsNotBlamed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"told": exitInvalid, "not told": exitFail} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pressed{root: t.TempDir()}
			var first sync.Once
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.Header.Get("Traceparent") != "" && p.self > 0 {
					first.Do(func() { // the preflight's: the load comes within a second
						time.AfterFunc(1500*time.Millisecond, func() { p.take(true) })
						time.AfterFunc(7*time.Second, func() { p.take(false) })
					})
				}
				if p.is() {
					select {
					case <-time.After(400 * time.Millisecond):
					case <-r.Context().Done():
					}
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"reply":"hello"}`)
			}))
			t.Cleanup(server.Close)
			path := write(t, direct(server.URL, "", "{arrivals: constant, stages: [{name: s, for: 12s, starts: 40/s}], drain: 5s}"))
			dir := filepath.Join(t.TempDir(), "result")
			cmd := command(t, "run", path, "--results-dir", dir, "--no-tui", "--quiet", "--set", "sla={latency: {p95: 300ms}}", "--set", "conversations[talk].turns=[{say: a}]")
			proc := p.root
			if want == exitFail {
				proc = filepath.Join(p.root, "nothing")
			}
			cmd.Env = append(cmd.Env, "HOST_PROC="+proc)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			p.self = cmd.Process.Pid
			p.pass(t, 100*time.Millisecond)
			over := make(chan struct{})
			go func() {
				defer close(over)
				_ = cmd.Wait() // its exit code is of no matter: the result is looked at
			}()
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for running := true; running; {
				select {
				case <-tick.C:
					p.pass(t, 100*time.Millisecond)
				case <-over:
					running = false
				}
			}
			doc := open(t, dir)
			if code := cmd.ProcessState.ExitCode(); code != want {
				t.Errorf("exit %d, want %d\n%s\n%q\n%q", code, want, out.String(), doc.Reasons, doc.Warnings)
			}
			warned := slices.ContainsFunc(doc.Warnings, func(w string) bool { return strings.Contains(w, "(burn)") })
			if n := len(doc.Generator.StarvedAtS); warned != (want == exitInvalid) || n > 8 || n < 4 == (want == exitInvalid) {
				t.Errorf("warned %t, starved at %v\n%q", warned, doc.Generator.StarvedAtS, doc.Warnings)
			}
		})
	}
}

// This machine, when it is short of processors, says so itself.
func TestBusyMachineIsTold(t *testing.T) { // alone: it takes every processor
	if _, err := os.Stat("/proc/pressure/cpu"); err != nil {
		t.Skip(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile(sh)
	if err != nil {
		t.Fatal(err)
	}
	burn := filepath.Join(t.TempDir(), "burn")
	if err := os.WriteFile(burn, text, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 * runtime.NumCPU() {
		cmd := exec.Command(burn, "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	url := nodeServer(t, "pacing") // a process of its own: what the target started would be its own
	for again := 2; ; again-- {    // what else takes the machine may keep burn from it while it is looked at
		dir := filepath.Join(t.TempDir(), "result")
		cmd := command(t, "run", write(t, direct(url, "", "{arrivals: constant, stages: [{name: s, for: 4s, starts: 5/s}], drain: 5s}")), "--results-dir", dir, "--quiet", "--no-tui", "--set", "target.response.answer=answer")
		cmd.Env = append(cmd.Env, "HOST_PROC=/proc")
		r := finished(t, cmd)
		doc := open(t, dir)
		if slices.ContainsFunc(doc.Warnings, func(w string) bool {
			return strings.Contains(w, "processors did not suffice") && strings.Contains(w, "burn")
		}) && len(doc.Generator.StarvedAtS) > 0 {
			return
		}
		if again == 0 {
			t.Fatalf("exit %d, starved at %v: %q\n%s", r.code, doc.Generator.StarvedAtS, doc.Warnings, r.stderr)
		}
	}
}
