package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// Who is named is told of the verdict; one that cannot be told changes nothing.
func TestNoticesOfAVerdict(t *testing.T) {
	bodies := make(chan map[string]any, 4)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]any
		raw, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(raw, &body)
		bodies <- body
	}))
	defer hook.Close()
	text := strings.Replace(told, "for: 6s", "for: 2s", 1) + `notify:
  - {kind: webhook, url: "` + hook.URL + `", link: "https://ci.example/${run.id}"}
  - {kind: slack, url: "${env:SLACK_URL}", on: [incomplete]}
  - {kind: dingtalk, url: "${env:DING_URL}", secret: "${env:DING_SECRET}"}
`
	dir := filepath.Join(t.TempDir(), "r")
	r := measured(t, "run", write(t, text), "--no-tui", "--results-dir", dir, "--lang", "zh",
		"--env", "SLACK_URL="+hook.URL, "--env", "DING_URL=http://127.0.0.1:1/robot/T0KEN", "--env", "DING_SECRET=hush-hush")
	doc := open(t, dir)
	if r.code != doc.ExitCode || !strings.Contains(r.stderr, "通知 dingtalk") || strings.Contains(r.stderr, "T0KEN") || strings.Contains(r.stderr, "hush") {
		t.Errorf("exit %d, verdict %s\n%s", r.code, doc.Verdict, r.stderr)
	}
	if len(bodies) != 1 {
		t.Fatalf("%d messages, want that of the webhook", len(bodies))
	}
	if b := <-bodies; b["verdict"] != doc.Verdict || b["link"] != "https://ci.example/"+doc.RunID || b["turns"] != float64(doc.Counts.Turns) {
		t.Errorf("told %v", b)
	}
}
