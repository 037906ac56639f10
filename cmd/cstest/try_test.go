package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// talks is a scenario of two conversations with a server.
const talks = `version: 1
name: talks
target:
  {url: '%s', api: custom, request: {path: /talk, body: {text: "${turn.text}"}}, response: {answer: reply}}
load: {stages: [{name: s, for: 1s, starts: 1/s}]}
conversations:
  - {name: coupon, weight: 1000, turns: [{say: coupon one}, {say: coupon two}]}
  - {name: parcel, weight: 1, turns: [{say: parcel one}, {say: parcel two}, {say: parcel three}]}
sla: {availability: 50%%}
`

// One conversation is held, and of it one turn shown, as was asked.
func TestTryHoldsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		heard = append(heard, string(body))
		n := len(heard)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"reply":"answer %d"}`, n)
	}))
	t.Cleanup(server.Close)
	path := write(t, fmt.Sprintf(talks, server.URL))
	for _, tt := range []struct {
		args       []string
		code       int
		heard      int // requests
		last       string
		shows, not []string
		says       string // on standard error
	}{
		{args: []string{"--conversation", "parcel"}, heard: 3, last: "parcel three", shows: []string{"parcel, turn 1 of 3", "parcel, turn 3 of 3", "answer 3"}, not: []string{"coupon"}},
		{args: []string{"--conversation", "parcel", "--turn", "2"}, heard: 2, last: "parcel two", shows: []string{"parcel, turn 2 of 3", "parcel two", "answer 2"}, not: []string{"turn 1 of", "parcel one", "answer 1", "turn 3 of"}},
		{args: []string{"--conversation", "parcel", "--turn", "2", "--lang", "zh"}, heard: 2, last: "parcel two", shows: []string{"会话 parcel，第 2 轮，共 3 轮", "请求", "响应", "正常，状态码 200"}, not: []string{"request\n", "outcome", "turn 2"}},
		{args: []string{"--turn", "1"}, heard: 1, last: "coupon one", shows: []string{"coupon, turn 1 of 2"}, not: []string{"turn 2 of"}},
		{args: []string{"--conversation", "parcel", "--turn", "9"}, code: exitUsage, heard: 3, last: "parcel three", not: []string{"turn"}, says: "--turn 9: the conversation has no such turn, or ended before it"},
		{args: []string{"--turn", "-1"}, code: exitUsage, says: "--turn counts from 1"},
		{args: []string{"--conversation", "parcels"}, code: exitUsage, says: `did you mean "parcel"?`},
		{args: []string{"--fault", "storm"}, code: exitUsage, says: "--fault storm: the scenario has no mock LLM (llm) that could fail"},
		{args: []string{"--lang", "fr"}, code: exitUsage, says: `language "fr" is not known`},
	} {
		mu.Lock()
		heard = nil
		mu.Unlock()
		r := cstest(t, append([]string{"try", path}, tt.args...)...)
		mu.Lock()
		got := heard
		mu.Unlock()
		if r.code != tt.code || len(got) != tt.heard || tt.heard > 0 && !strings.Contains(got[len(got)-1], tt.last) {
			t.Errorf("%q: exit %d, want %d; the server heard %q, want %d, %q last\n%s", tt.args, r.code, tt.code, got, tt.heard, tt.last, r.stderr)
		}
		for _, text := range tt.shows {
			if !strings.Contains(r.stdout, text) {
				t.Errorf("%q does not show %q:\n%s", tt.args, text, r.stdout)
			}
		}
		for _, text := range tt.not {
			if strings.Contains(r.stdout, text) {
				t.Errorf("%q shows %q:\n%s", tt.args, text, r.stdout)
			}
		}
		if !strings.Contains(r.stderr, tt.says) {
			t.Errorf("%q says %q, want %q", tt.args, r.stderr, tt.says)
		}
	}
}

// What users get while the model fails is shown before the run that judges it.
func TestTryInTheMidstOfAFault(t *testing.T) {
	t.Parallel()
	well := cstest(t, "try", "midnight-sale", "--turn", "1")
	if well.code != exitPass || !strings.Contains(well.stdout, "tier       llm") || !strings.Contains(well.stdout, "ok, status 200") {
		t.Errorf("without a fault: exit %d\n%s%s", well.code, well.stdout, well.stderr)
	}
	ill := cstest(t, "try", "midnight-sale", "--turn", "1", "--fault", "storm")
	if ill.code != exitPass || strings.Contains(ill.stdout, "tier       llm") || !strings.Contains(ill.stdout, "degraded, status 200") {
		t.Errorf("in the storm: exit %d\n%s%s", ill.code, ill.stdout, ill.stderr)
	}
	if r := cstest(t, "try", "midnight-sale", "--fault", "strom"); r.code != exitUsage || !strings.Contains(r.stderr, `did you mean "storm"?`) || !strings.Contains(r.stderr, "(it has: storm)") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}
