package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A server that is slow in its third turn alone, now and then, and says in what, is
// explained so over both versions of HTTP: by the phase, its own word, and the turn.
func TestSlowestTurnsAreExplained(t *testing.T) {
	t.Parallel()
	var thirds atomic.Int64
	chat := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Turn string `json:"turn"`
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		spent := time.Duration(0)
		if q.Turn == "2" && thirds.Add(1)%8 == 0 {
			spent = 900 * time.Millisecond
			wait := time.NewTimer(spent) // the fault under test
			defer wait.Stop()
			<-wait.C
		}
		w.Header().Set("Server-Timing", fmt.Sprintf(`redis;dur=0.1, llm;desc="the model, asked";dur=%d`, spent.Milliseconds()))
		fmt.Fprint(w, `{"answer": "券可以用"}`)
	})
	for version, h2 := range map[string]bool{"1.1": false, "2": true} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewUnstartedServer(chat)
			s.EnableHTTP2 = h2
			s.StartTLS()
			t.Cleanup(s.Close)
			dir := t.TempDir()
			file := write(t, fmt.Sprintf(`version: 1
name: third-turn
target:
  url: %s
  http: %q
  tls: {insecure: true}
  api: custom
  request: {path: /, body: {text: "${turn.text}", turn: "${turn.index}"}}
  response: {answer: answer}
load: {stages: [{name: all, for: 4s, starts: 45/s}]}
conversations:
  - name: 退货
    turns: [{say: 优惠券怎么用}, {say: 我要退货}, {say: 优惠券还能用吗}]
sla: {latency: {p99: 100ms}}
`, s.URL, version))
			if got := cstest(t, "run", file, "--no-tui", "--quiet", "--results-dir", dir); got.code != 10 && got.code != 11 {
				t.Fatalf("exit %d: %s%s", got.code, got.stdout, got.stderr)
			}
			slowest := open(t, dir).Slowest
			if slowest == nil || slowest.Phases[3].Name != "first_byte" || slowest.Phases[3].Excess < 0.6 {
				t.Fatalf("%+v", slowest)
			}
			if len(slowest.Together) == 0 || slowest.Together[0].By != "turn" || slowest.Together[0].Name != "3" {
				t.Errorf("together: %+v", slowest.Together)
			}
			for _, want := range []string{"waiting for the first byte", `of their time to "llm": `, "are turn 3 of a conversation"} {
				if !strings.Contains(slowest.Text, want) {
					t.Errorf("no %q in %q", want, slowest.Text)
				}
			}
		})
	}
}
