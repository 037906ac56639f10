package main

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/result"
)

// anew is what the second implementation of the judge says of a result.json.
type anew struct {
	Objectives map[string]struct {
		Verdict      string
		Lower, Upper *float64
	}
	Verdict  string
	ExitCode int      `json:"exit_code"`
	Without  []string `json:"fails_without_late"`
}

// checkVerdict has another program, in another language, judge a run from its
// result.json: every objective, the run and the exit code come out the same.
func checkVerdict(t *testing.T, python, dir string) *result.Document {
	t.Helper()
	doc := open(t, dir)
	out, err := exec.Command(python, "../../sla/testdata/verdict.py", filepath.Join(dir, result.DocumentFile)).CombinedOutput()
	var again anew
	if err != nil || json.Unmarshal(out, &again) != nil {
		t.Fatalf("verdict.py: %v\n%s", err, out)
	}
	for _, o := range doc.Objectives {
		other := again.Objectives[o.Name]
		if other.Verdict != o.Verdict {
			t.Errorf("%s: %s, the other says %q: %s", o.Name, o.Verdict, other.Verdict, o.Reason)
		}
		if other.Lower != nil && o.Unit == "share" && o.N > 0 && (math.Abs(*other.Lower-*o.Lower) > 1e-6 || math.Abs(*other.Upper-*o.Upper) > 1e-6) {
			t.Errorf("%s: within [%v, %v], the other says [%v, %v]", o.Name, *o.Lower, *o.Upper, *other.Lower, *other.Upper)
		}
	}
	if len(again.Objectives) != len(doc.Objectives) || again.Verdict != doc.Verdict || again.ExitCode != doc.ExitCode {
		t.Errorf("%s, exit %d; the other says %s, exit %d: %q", doc.Verdict, doc.ExitCode, again.Verdict, again.ExitCode, doc.Reasons)
	}
	if doc.Counts.Integrity == 0 && doc.Verdict != "incomplete" && !slices.Equal(again.Without, doc.Generator.FailsWithoutLate) {
		t.Errorf("without late seconds %q fail, the other says %q", doc.Generator.FailsWithoutLate, again.Without)
	}
	return doc
}

// every answers each n-th turn with a status.
func every(n, status int) *talker {
	return &talker{odd: func(turn int, w http.ResponseWriter, _ *http.Request) bool {
		if turn%n == 0 {
			w.WriteHeader(status)
		}
		return turn%n == 0
	}}
}

// failsAfter lets so many turns be answered, and no more.
func failsAfter(turns int) func(int, http.ResponseWriter, *http.Request) bool {
	return func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n > turns {
			w.WriteHeader(http.StatusInternalServerError)
		}
		return n > turns
	}
}

// after answers when d has passed.
func after(d time.Duration) *talker {
	return &talker{odd: func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
		return false
	}}
}

// chunked answers with a stream of words.
func chunked(words ...string) *talker {
	return &talker{odd: func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, word := range words {
			_, _ = io.WriteString(w, `data: {"choices":[{"delta":{"content":"`+word+`"}}]}`+"\n\n") // whoever asked may be gone
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
		return true
	}}
}

const open100 = `{arrivals: constant, stages: [{name: peak, for: 3s, starts: 50/s}], drain: 5s}`

func TestVerdictOfRealRunsByAnotherProgram(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3: the second implementation is written in it")
	}
	one := func(*testing.T, *result.Document) {}
	for _, c := range []struct {
		kind   string
		server *talker
		more   string // of the target
		load   string
		args   []string
		code   int
		check  func(*testing.T, *result.Document)
	}{
		{"pass", &talker{}, "", open100, nil, 0, one},
		{"fail", every(3, 500), "", open100, []string{"--set", "sla.availability=90%"}, 10, one},
		{"inconclusive", &talker{}, "", open100, []string{"--set", "sla.availability=99.9%"}, 11, one},
		{"inconclusive that passes", &talker{}, "", open100, []string{"--set", "sla.availability=99.9%", "--on-inconclusive", "pass"}, 0, one},
		{"measured, at 80 %", every(50, 500), "", open100, []string{"--set", "sla={availability: 97%, gate: measured, confidence: 80%}"}, 0, func(t *testing.T, d *result.Document) {
			if d.Judging.Gate != "measured" || d.Judging.Confidence != 0.8 {
				t.Errorf("judged by %+v", d.Judging)
			}
		}},
		{"invalid", &talker{}, "", open100, []string{"--set", "guard.max_turns=20/s"}, 12, func(t *testing.T, d *result.Document) {
			if len(d.Generator.Drops) == 0 || d.Generator.Drops[0].N != d.Counts.DroppedGenerator || d.Counts.DroppedGenerator == 0 {
				t.Errorf("%d starts dropped, by cause %+v", d.Counts.DroppedGenerator, d.Generator.Drops)
			}
		}},
		{"429 are bad", every(2, 429), "", open100, []string{"--set", "sla.rate_limited=bad", "--set", "sla.availability=90%"}, 10, one},
		{"429 are left out", every(2, 429), "", open100, []string{"--set", "sla.rate_limited=exclude", "--set", "sla.availability=90%"}, 0, func(t *testing.T, d *result.Document) {
			if d.Counts.Excluded == 0 || d.Judging.RateLimited != "exclude" {
				t.Errorf("%d excluded, %+v", d.Counts.Excluded, d.Judging)
			}
		}},
		{"429 by contract", every(2, 429), "", open100, []string{"--set", "sla.rate_limited={contract: 1/s}", "--set", "sla.availability=80%"}, 0, func(t *testing.T, d *result.Document) {
			if d.Counts.Excluded == 0 || d.Judging.RateLimited != "contract" || d.Judging.ContractPerS != 1 {
				t.Errorf("%d excluded, %+v", d.Counts.Excluded, d.Judging)
			}
		}},
		{"cut off", after(4 * time.Second), ", timeout: 10s", `{arrivals: constant, stages: [{name: peak, for: 2s, starts: 50/s}], drain: 500ms}`, nil, 11, func(t *testing.T, d *result.Document) {
			if d.Counts.Censored == 0 || objectiveOf(d, "availability").Cut != d.Counts.Censored {
				t.Errorf("%d censored, %d cut", d.Counts.Censored, objectiveOf(d, "availability").Cut)
			}
		}},
		{"dropped", after(time.Second), "", `{arrivals: constant, max_in_flight: 5, stages: [{name: peak, for: 3s, starts: 50/s}], drain: 5s}`, nil, 10, func(t *testing.T, d *result.Document) {
			if d.Counts.DroppedTarget == 0 {
				t.Error("no start was dropped")
			}
		}},
		{"customers who leave", after(600 * time.Millisecond), "", `{arrivals: constant, patience: {min: 300ms, max: 900ms}, stages: [{name: peak, for: 3s, starts: 50/s}], drain: 5s}`, []string{
			"--set", "sla={abandoned: 5%, objectives: [{name: dialogs, kind: conversations, target: 90%}]}",
		}, 10, func(t *testing.T, d *result.Document) {
			if o := objectiveOf(d, "abandoned"); o.Bad == 0 || o.Bad != d.Conversations.Left || objectiveOf(d, "dialogs").Bad < o.Bad {
				t.Errorf("%d of %d left: %+v", o.Bad, o.N, d.Conversations)
			}
		}},
		{"fewer than were asked for", &talker{}, "", `{users: 40, for: 3s, drain: 5s, conversations: 1000000}`, []string{"--set", "sla.availability=50%"}, 11, func(t *testing.T, d *result.Document) {
			if d.Judging.ConversationsAsked != 1000000 || objectiveOf(d, "availability").Verdict != "pass" {
				t.Errorf("asked for %d, availability %s", d.Judging.ConversationsAsked, objectiveOf(d, "availability").Verdict)
			}
		}},
		{"none may be bad", &talker{}, "", open100, []string{"--set", "sla.availability=100%"}, 11, one},
		{"closed", &talker{}, "", `{users: 40, for: 3s, drain: 5s}`, nil, 0, func(t *testing.T, d *result.Document) {
			if d.Judging.Load != "closed" || d.Judging.Users != 40 {
				t.Errorf("judged as %+v", d.Judging)
			}
		}},
		{"streams", chunked("你", "好", "吗"), "", open100, []string{
			"--set", "target={url: URL, api: openai, model: m, mode: stream, timeout: 2s}",
			"--set", "sla.objectives=[{name: token, kind: first_token, target: 90%, within: 2s}, {name: gap, kind: chunk_gap, target: 90%, within: 2s}]",
		}, 0, func(t *testing.T, d *result.Document) {
			if objectiveOf(d, "token").N == 0 || objectiveOf(d, "gap").N == 0 {
				t.Errorf("tokens of %d turns, gaps of %d", objectiveOf(d, "token").N, objectiveOf(d, "gap").N)
			}
		}},
		{"streams of one word", chunked("好"), "", open100, []string{
			"--set", "target={url: URL, api: openai, model: m, mode: stream, timeout: 2s}",
			"--set", "sla.objectives=[{name: token, kind: first_token, target: 90%, within: 2s}, {name: gap, kind: chunk_gap, target: 90%, within: 2s}]",
		}, 11, func(t *testing.T, d *result.Document) {
			if objectiveOf(d, "gap").Verdict != "not_verified" {
				t.Errorf("gap: %s", objectiveOf(d, "gap").Reason)
			}
		}},
		{"no word on quality", &talker{}, ", response: {answer: reply, degraded: degraded}", open100, []string{"--set", "sla.full_quality=90%"}, 11, func(t *testing.T, d *result.Document) {
			if o := objectiveOf(d, "full-quality"); o.Verdict != "not_verified" || o.Untold != o.N {
				t.Errorf("%s, %d of %d do not say", o.Verdict, o.Untold, o.N)
			}
		}},
		{"bad seconds", &talker{odd: failsAfter(150)}, "", open100, []string{"--set", "sla.objectives=[{name: seconds, kind: seconds, target: 60%}, {name: model-seconds, kind: seconds, target: 99%, tier_at_most: llm}, {name: dialogs, kind: conversations, target: 60%}]"}, 10, func(t *testing.T, d *result.Document) {
			if c := objectiveOf(d, "seconds").Census; c == nil || c.BadS == 0 || len(c.States) != 3 || strings.Count(c.States, "b") != c.BadS {
				t.Errorf("census %+v", c)
			}
		}},
		{"aborted", &talker{odd: failsAfter(20)}, "", open100, []string{"--set", "guard.abort={bad: 50%, for: 1s}", "--set", "load.stages[peak].for=20s"}, 10, func(t *testing.T, d *result.Document) {
			if len(d.Judging.Aborted) == 0 {
				t.Error("nothing says that the guard ended the load")
			}
		}},
	} {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			url := c.server.start(t)
			text := direct(url, "", c.load)
			if strings.Contains(c.more, "response:") {
				text = strings.Replace(text, "response: {answer: reply}", strings.TrimPrefix(c.more, ", "), 1)
			} else if c.more != "" {
				text = strings.Replace(text, ", timeout: 2s", c.more, 1)
			}
			for i := range c.args {
				c.args[i] = strings.Replace(c.args[i], "URL", `"`+url+`"`, 1)
			}
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", write(t, text), "--results-dir", dir, "--quiet"}, c.args...)...)
			if r.code != c.code {
				t.Fatalf("exit %d, want %d\n%s\n%s", r.code, c.code, r.stdout, r.stderr)
			}
			c.check(t, checkVerdict(t, python, dir))
		})
	}
	for kind, c := range map[string]struct {
		text string
		args []string
		code int
	}{
		"agents":    {strings.Replace(humans("bundled: {}"), "for: 5s", "for: 2s", 1), nil, 0},
		"integrity": {calm, []string{"--set", "load.stages[steady].for=3s", "--set", "llm.faults=[{name: leak, at: 1s, for: 2s, kind: leak, share: 50%}]"}, 10},
		"client": {calm, []string{
			"--set", "load.stages[steady].for=12s", "--set", "llm.faults=[{name: storm, at: 2s, for: 3s, kind: status, status: 503, share: 90%, retry_after: 1s}, {name: hang, at: 6s, for: 3s, kind: hang, share: 50%}]",
			"--set", "sla={latency: {p50: 3s}, client: {calls_per_turn: 2, retry_after: 90%, retries_after_4xx: 0, after_user_left: 3, backoff: true, in_flight: 100}}",
		}, -1},
		"storm": {calm, []string{
			"--set", "load.stages[steady].for=16s", "--set", "llm.faults=[{name: storm, at: 2s, for: 2s, kind: status, status: 503, share: 100%}]",
			"--set", "sla={latency: {p50: 3s}, availability: 50%, full_quality: 10%, recovery: {after: storm, latency: 10s, quality: 10s}, objectives: [{name: calls, kind: calls_per_turn, max: 10}]}",
		}, -1},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", write(t, c.text), "--results-dir", dir, "--quiet"}, c.args...)...)
			if r.code != c.code && c.code >= 0 {
				t.Fatalf("exit %d, want %d\n%s\n%s", r.code, c.code, r.stdout, r.stderr)
			}
			d := checkVerdict(t, python, dir)
			if kind == "storm" && len(objectiveOf(d, "recovery-quality").Comebacks) != 1 {
				t.Errorf("recovery %+v", objectiveOf(d, "recovery-quality"))
			}
		})
	}
	t.Run("incomplete", func(t *testing.T) {
		t.Parallel()
		needProc(t)
		dir := filepath.Join(t.TempDir(), "result")
		r := launch(t, "run", write(t, direct((&talker{}).start(t), "", open100)), "--results-dir", dir, "--set", "load.stages[peak].for=5m")
		r.says(t, "\n00:02 ")
		r.signal(t, syscall.SIGINT)
		if code := r.ends(t); code != 130 {
			t.Fatalf("exit %d\n%s", code, &r.stderr)
		}
		if d := checkVerdict(t, python, dir); d.Verdict != "incomplete" || d.Judging.Signal != 2 || len(d.Judging.Interrupted) == 0 {
			t.Errorf("%s, %+v", d.Verdict, d.Judging)
		}
	})
}
