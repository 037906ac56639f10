//go:build unix

package main

import (
	"net/http"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// hanging answers nothing from a time after its first turn on, for as long.
func hanging(from, length time.Duration) *talker {
	var once sync.Once
	var began time.Time
	return &talker{odd: func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { began = time.Now() })
		at := time.Since(began)
		if at < from || at >= from+length {
			return false
		}
		select {
		case <-time.After(from + length - at):
		case <-r.Context().Done():
		}
		return false
	}}
}

// A target that hangs from the middle of the run on fails, whether users wait for it
// or not: those who wait ask little, and their seconds are bad all the same.
func TestHangOfHalfTheRunFails(t *testing.T) {
	t.Parallel()
	for name, load := range map[string]string{
		"open":   `{arrivals: constant, stages: [{name: peak, for: 8s, starts: 20/s}], drain: 5s}`,
		"closed": `{stages: [{name: peak, for: 8s, users: 20}], drain: 5s}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, "run", write(t, direct(hanging(4*time.Second, time.Minute).start(t), "", load)), "--results-dir", dir, "--quiet",
				"--set", "sla={objectives: [{name: seconds, kind: seconds, target: 80%}]}")
			doc := open(t, dir)
			if doc.Verdict == "invalid" {
				t.Skipf("this machine is too busy to measure: %q", doc.Reasons)
			}
			census := objectiveOf(doc, "seconds").Census
			if r.code != 10 || doc.Verdict != "fail" || census.BadS < 3 {
				t.Errorf("exit %d, %s, %+v", r.code, doc.Verdict, census)
			}
		})
	}
}

// A generator that the machine stops half of the time cannot say that the target failed.
func TestStoppedGeneratorIsInvalid(t *testing.T) {
	t.Parallel()
	needProc(t)
	dir := filepath.Join(t.TempDir(), "result")
	url := (&talker{}).start(t)
	r := launch(t, "run", write(t, direct(url, "", `{arrivals: constant, stages: [{name: peak, for: 8s, starts: 50/s}], drain: 5s}`)), "--results-dir", dir,
		"--set", "sla={latency: {p99: 100ms}, availability: 50%}")
	r.says(t, "\n00:01 ")
	// Half a second stopped, half a second not, until it ends.
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for next := syscall.SIGSTOP; ; {
		select {
		case <-r.done:
		case <-tick.C:
			_ = r.cmd.Process.Signal(next) // it may just have ended
			if next == syscall.SIGSTOP {
				next = syscall.SIGCONT
			} else {
				next = syscall.SIGSTOP
			}
			continue
		}
		break
	}
	doc := open(t, dir)
	if code := r.cmd.ProcessState.ExitCode(); code != 12 || doc.Verdict != "invalid" || objectiveOf(doc, "latency-p99").Verdict != "fail" || doc.Generator.TaintedS < 4 {
		t.Errorf("exit %d, %s, %d s tainted: %q", code, doc.Verdict, doc.Generator.TaintedS, doc.Reasons)
	}
}
