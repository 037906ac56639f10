//go:build unix

package main

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
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
			r := measured(t, "run", write(t, direct(hanging(4*time.Second, time.Minute).start(t), "", load)), "--results-dir", dir, "--quiet",
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
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the second implementation is written in it")
	}
	doc := checkVerdict(t, python, dir)
	if code := r.cmd.ProcessState.ExitCode(); code != 12 || doc.Verdict != "invalid" || objectiveOf(doc, "latency-p99").Verdict != "fail" || doc.Generator.TaintedS < 4 {
		t.Errorf("exit %d, %s, %d s tainted: %q", code, doc.Verdict, doc.Generator.TaintedS, doc.Reasons)
	}
}

// metered answers as many turns as a bucket lets through that fills at a rate, and
// holds what comes of it in a fifth of a second: so long this machine may be busy.
func metered(perSecond float64) *talker {
	var mu sync.Mutex
	var last time.Time
	most := perSecond / 5
	level := most
	return &talker{odd: func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if !last.IsZero() {
			level = min(level+perSecond*now.Sub(last).Seconds(), most)
		}
		last = now
		if level < 1 {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		level--
		return false
	}}
}

// A server that lets through what its contract says passes, however much more is
// asked of it; one that lets through 2 % less does not.
func TestContractIsKeptOrNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rate    float64
		verdict string
		code    int
	}{"kept": {200, "pass", 0}, "2 % less": {196, "fail", 10}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			text := direct(metered(c.rate).start(t), "", `{arrivals: constant, stages: [{name: peak, for: 15s, starts: 300/s}], drain: 5s}`)
			text = strings.Replace(text, "turns: [{say: 你好}, {say: 再见}]", "turns: [{say: 你好}]", 1)
			r := measured(t, "run", write(t, text), "--results-dir", dir, "--quiet", "--set", "sla={availability: 99%, rate_limited: {contract: 200/s}}")
			doc := open(t, dir)
			if doc.Verdict == "invalid" {
				t.Skipf("this machine is too busy to measure: %q", doc.Reasons)
			}
			o := objectiveOf(doc, "availability")
			if r.code != c.code || o.Verdict != c.verdict || doc.Counts.Excluded < 1300 {
				t.Errorf("exit %d, %s: %s, %d excluded", r.code, doc.Verdict, o.Reason, doc.Counts.Excluded)
			}
		})
	}
}

// A server that recovers from a storm at once and degrades again, in the time that it
// would have had, is judged for it.
func TestRelapseInTheTimeForRecoveryFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		relapse bool
		verdict string
	}{"recovered": {false, "pass"}, "and relapsed": {true, "fail"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// 80 turns a second, counted: this machine may be late, and the server is not
			// to be degraded for less or longer. The first was to see whether anybody is there.
			server := &talker{odd: func(n int, w http.ResponseWriter, _ *http.Request) bool {
				at := (n - 2) / 80
				degraded := n > 1 && (at == 1 || c.relapse && at >= 13 && at < 17)
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"reply":"好的","degraded":%t}`, degraded)
				return true
			}}
			dir := filepath.Join(t.TempDir(), "result")
			text := direct(server.start(t), "", `{arrivals: constant, stages: [{name: peak, for: 18s, starts: 40/s}], drain: 5s}`)
			text = strings.Replace(text, "response: {answer: reply}", "response: {answer: reply, degraded: degraded}", 1)
			text = strings.Replace(text, "load:", "llm: {faults: [{name: storm, at: 1s, for: 1s, kind: status, status: 503, share: 100%}]}\nload:", 1)
			r := measured(t, "run", write(t, text), "--results-dir", dir, "--quiet", "--set", "sla={full_quality: 90%, recovery: {after: storm, quality: 16s}}")
			doc := open(t, dir)
			quality, back := objectiveOf(doc, "full-quality"), objectiveOf(doc, "recovery-quality")
			// On a machine too busy to blame the target the run is invalid, and says the same of it.
			if doc.Verdict != c.verdict && doc.Verdict != "invalid" || quality.Verdict != c.verdict || back.Verdict != "pass" {
				t.Errorf("exit %d, %s: %s; %s", r.code, doc.Verdict, quality.Reason, back.Reason)
			}
		})
	}
}
