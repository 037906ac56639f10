package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cstest/cstest/result"
)

// open reads a finished result, holds it against the schema and checks that its
// counts are conserved.
func open(t *testing.T, dir string) *result.Document {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, result.DocumentFile))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("result.json: %v", err)
	}
	doc := &result.Document{}
	if err := json.Unmarshal(raw, doc); err != nil {
		t.Fatal(err)
	}
	c := doc.Counts
	if got := c.ConversationsPlanned - c.DroppedTarget - c.DroppedGenerator; got != c.Conversations {
		t.Errorf("planned less dropped is %d, conversations %d", got, c.Conversations)
	}
	sum := c.OK + c.Degraded + c.Unexpected + c.ContextLost + c.RateLimited + c.Shed + c.ClientError + c.ServerError +
		c.Truncated + c.Timeout + c.TransportError + c.Integrity + c.Censored
	if sum != c.Turns {
		t.Errorf("the outcomes add up to %d, turns are %d", sum, c.Turns)
	}
	return doc
}

// objective gives the verdict of one objective.
func objective(t *testing.T, doc *result.Document, name string) string {
	t.Helper()
	for _, o := range doc.Objectives {
		if o.Name == name {
			return o.Verdict
		}
	}
	t.Errorf("no objective %s", name)
	return ""
}

// calm is a small load on the bundled server that a busy machine can carry.
const calm = `version: 1
name: calm
seed: 7
target: {bundled: {profile: hardened}, timeout: 5s}
llm: {latency: {median: 40ms, p99: 80ms}}
load:
  arrivals: constant
  stages: [{name: steady, for: 6s, starts: 12/s}]
  drain: 10s
conversations:
  - name: coupon-return-coupon
    think: 300ms
    turns:
      - say: 我有一张满减优惠券,怎么用?
      - say: 我要退货,订单号 20261111000181
      - say: 优惠券还能用吗?
sla: {latency: {p90: 3s}, availability: 90%}
`

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunPassesAndIsWritten(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, calm), "--results-dir", dir, "--tag", "team=checkout")
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	first, _, _ := strings.Cut(r.stderr, "\n")
	if want := "target bundled (hardened, embedded Redis) · peak ≈ 36 turns/s · 6 s · overrides: none"; first != want {
		t.Errorf("first line %q, want %q", first, want)
	}
	if strings.Contains(r.stdout+r.stderr, "\x1b") {
		t.Error("escape codes without a terminal")
	}
	doc := open(t, dir)
	if doc.Verdict != "pass" || doc.Counts.Conversations != 72 || doc.Counts.Turns != 216 || doc.Tags["team"] != "checkout" {
		t.Errorf("verdict %s, %d conversations, %d turns, tags %v", doc.Verdict, doc.Counts.Conversations, doc.Counts.Turns, doc.Tags)
	}
	if doc.Counts.ContextVerified == 0 {
		t.Error("no context was verified")
	}
	for _, name := range []string{"report.html", "report.md", "junit.xml", "latency.hlog", "series.csv", "scenario.yaml", "journal.cst", "logs/mockllm.log", "logs/reference-server.log"} {
		if doc.Files[name] == "" {
			t.Errorf("%s is not in the result, or without checksum", name)
		}
	}
	checkReportFromJournal(t, dir)
}

// checkReportFromJournal takes result.json away: what the journal gives back
// must be the same, byte for byte.
func checkReportFromJournal(t *testing.T, dir string) {
	t.Helper()
	live := cstest(t, "report", dir, "--format", "json")
	if err := os.Remove(filepath.Join(dir, result.DocumentFile)); err != nil {
		t.Fatal(err)
	}
	again := cstest(t, "report", dir, "--format", "json")
	if live.code != 0 || again.code != 0 || live.stdout != again.stdout {
		t.Errorf("the report from the journal differs (exit %d and %d)\n%s", live.code, again.code, again.stderr)
	}
}

// Exactly N conversations: the load ends with them, in one process and over several,
// open and closed, and is judged by them.
func TestRunOfExactlySoManyConversations(t *testing.T) {
	t.Parallel()
	closed := strings.Replace(calm, "  arrivals: constant\n  stages: [{name: steady, for: 6s, starts: 12/s}]\n", "  users: 9\n  for: 5m\n", 1)
	for name, c := range map[string]struct {
		text string
		args []string
		n    int64
	}{
		"open":      {calm, []string{"-n", "31"}, 31},
		"processes": {calm, []string{"-n", "31", "--processes", "2"}, 31},
		"closed":    {closed, []string{"-n", "31", "--processes", "2"}, 31},
		"longer":    {calm, []string{"-n", "97"}, 97},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", write(t, c.text), "--results-dir", dir}, c.args...)...)
			if r.code != 0 && r.code != 11 {
				t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
			}
			if !strings.Contains(r.stderr, fmt.Sprintf("\nends when %d conversations have begun and ended\n", c.n)) {
				t.Errorf("it is not said when the load ends:\n%s", r.stderr)
			}
			doc := open(t, dir)
			if doc.Counts.ConversationsPlanned != c.n || doc.Counts.Conversations != c.n || doc.Counts.Turns != 3*c.n || doc.DurationS > 60 {
				t.Errorf("%d planned, %d conversations, %d turns in %.1f s; want %d", doc.Counts.ConversationsPlanned, doc.Counts.Conversations, doc.Counts.Turns, doc.DurationS, c.n)
			}
			if told := strings.Join(doc.Reasons, "\n"); strings.Contains(told, "load.conversations") {
				t.Errorf("reasons %q", told)
			}
		})
	}
}

// A load by a curve starts as many conversations as the curve has, and what is
// recorded of the run needs no curve.
func TestRunByACurve(t *testing.T) {
	t.Parallel()
	text := strings.Replace(calm, "  stages: [{name: steady, for: 6s, starts: 12/s}]\n", "  curve: day.csv\n  scale: 30\n  for: 5s\n", 1)
	path := write(t, text)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "day.csv"), []byte("time,rate\n09:00,0\n10:00,30/m\n11:00,12/m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "result")
	if r := measured(t, "run", path, "--results-dir", dir); r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	// (0 + 15)/2·2.5 + (15 + 6)/2·2.5 starts.
	if doc := open(t, dir); doc.Counts.Conversations != 45 {
		t.Errorf("%d conversations, want 45", doc.Counts.Conversations)
	}
	checkReportFromJournal(t, dir)
}

// Turns that the answer before does not ask for are left out, and the model is not
// expected to have seen them.
func TestRunWithBranches(t *testing.T) {
	t.Parallel()
	text := strings.Replace(calm, "      - say: 我要退货,订单号 20261111000181\n",
		"      - {say: 转人工, when: {path: \"body:text\", matches: never said}}\n      - {say: 我要退货, when: {path: \"body:text\", matches: .}}\n", 1)
	dir := filepath.Join(t.TempDir(), "result")
	if r := measured(t, "run", write(t, text), "--results-dir", dir); r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	if c := doc.Counts; c.Conversations != 72 || c.Turns != 216 || c.ContextLost != 0 || c.ContextVerified == 0 {
		t.Errorf("%d conversations, %d turns, %d context lost of %d verified; want 72, 216, none", c.Conversations, c.Turns, c.ContextLost, c.ContextVerified)
	}
}

// Customers who get no answer in time leave: their conversations are an end of their
// own, their turns were not answered, and an objective judges how many left.
func TestCustomersWhoLeaveAreJudged(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, "run", write(t, calm), "--results-dir", dir, "-n", "60", "--set", "target.timeout=20s",
		"--set", "load.patience={min: 100ms, max: 300ms}", "--set", "llm.latency={constant: 5s}", "--set", "sla.abandoned=1%", "--set", "sla.gate=measured")
	if r.code != 10 {
		t.Fatalf("exit %d, want 10\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	if c := doc.Conversations; c.Left < 50 || c.Left+c.Complete+c.CompleteDegraded+c.Broken+c.Abandoned != 60 {
		t.Errorf("conversations %+v, want most of 60 left", c)
	}
	if doc.Counts.Timeout < doc.Conversations.Left || objective(t, doc, "abandoned") != "fail" || objective(t, doc, "availability") != "fail" {
		t.Errorf("%d timeouts of %d who left; abandoned %s, availability %s", doc.Counts.Timeout, doc.Conversations.Left, objective(t, doc, "abandoned"), objective(t, doc, "availability"))
	}
	if !strings.Contains(r.stdout, "the customer left: no answer within load.patience") || !strings.Contains(r.stdout, "abandoned by the customer") {
		t.Errorf("it is not told:\n%s", r.stdout)
	}
}

func TestAbortIsTold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, "run", write(t, calm), "--results-dir", dir, "--quiet", "--set", "guard.abort={bad: 50%, for: 2s}",
		"--set", "load.stages[steady].for=30s", "--knob", "history.forget=100%")
	if r.code != 10 {
		t.Fatalf("exit %d, want 10\n%s", r.code, r.stderr)
	}
	doc := open(t, dir)
	told := strings.Join(doc.Reasons, "\n")
	if want := "the load ended before its plan: guard.abort: at least 50 % of turns bad for 2 s"; !strings.Contains(told, want) {
		t.Errorf("reasons %q, want one that says %q", told, want)
	}
	if doc.DurationS >= 25 || doc.Counts.ConversationsPlanned >= 360 {
		t.Errorf("the load went on for %.1f s and %d starts", doc.DurationS, doc.Counts.ConversationsPlanned)
	}
}

func TestVerdictsAreReal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		args  []string
		code  int
		fails []string
		holds []string
	}{
		{
			"a server that forgets the dialog fails on context",
			[]string{"--knob", "history.forget=100%"},
			10,
			[]string{"context", "availability"},
			[]string{"integrity"},
		},
		{
			"a model that leaks another dialog fails on integrity",
			[]string{"--set", "llm.faults=[{name: leak, at: 1s, for: 5s, kind: leak, share: 30%}]"},
			10,
			[]string{"integrity"},
			nil,
		},
		{
			"too few turns are inconclusive",
			[]string{"--set", "sla.availability=99.9%", "--set", "load.stages[steady].for=2s"},
			11, nil,
			[]string{"integrity", "context"},
		},
		{
			// Its breaker stays open for 10 s after a storm of 2 s.
			"the article's server does not recover from a storm",
			[]string{
				"--profile", "article-3", "--set", "load.stages[steady].for=10s",
				"--set", "sla={latency: {p50: 3s}, availability: 50%, recovery: {after: storm, latency: 5s, quality: 3s}}",
				"--set", "llm.faults=[{name: storm, at: 1s, for: 2s, kind: status, status: 503, share: 100%}]",
			},
			10,
			[]string{"recovery-quality"},
			[]string{"integrity", "availability"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "result")
			r := cstest(t, append([]string{"run", write(t, calm), "--results-dir", dir, "--quiet"}, tt.args...)...)
			if r.code != tt.code {
				t.Fatalf("exit %d, want %d\n%s\n%s", r.code, tt.code, r.stdout, r.stderr)
			}
			doc := open(t, dir)
			for _, name := range tt.fails {
				if got := objective(t, doc, name); got != "fail" {
					t.Errorf("%s: %s, want fail", name, got)
				}
			}
			for _, name := range tt.holds {
				if got := objective(t, doc, name); got != "pass" {
					t.Errorf("%s: %s, want pass", name, got)
				}
			}
		})
	}
}
