package refserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cstest/cstest/reference-server/admission"
)

// Slow bodies hold up nobody but the one who sends them.
func TestSlowBodiesAreNotInFlight(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "chat.max_in_flight", "2", "chat.max_bodies_user", "8", "limit.user", "0/s"))
	tok := tokenFor(t, "slow")
	for range 8 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{", tok)
	}
	waitFor(t, func() bool {
		return strings.Contains(send(t, "GET", s.AdminURL()+"/metrics", "", "").body, "\nchat_bodies_reading 8\n")
	})
	say(t, s, "u1", "", "我不受影响").want(t, "tier", "llm")
	r := send(t, "POST", s.URL()+"/v1/chat", tok, `{"text":"第九个"}`)
	if r.status != 429 || r.header.Get("Retry-After") == "" {
		t.Errorf("a ninth body: %d %s", r.status, r.body)
	}
}

// Above the gate turns are turned away with 503 and Retry-After before any state
// is touched, and those let in are committed.
func TestShedTurnsTouchNoState(t *testing.T) {
	l := newScriptedLLM(t)
	release := make(chan struct{})
	l.set(func(int, *http.Request, string) (int, string) { <-release; return 200, "好的" })
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "chat.max_in_flight", "2", "admission.wait", "20ms", "admission.hold", "0s",
		"chat.deadline", "20s", "chat.degrade_at", "20s", "llm.timeout", "20s", "limit.user", "0/s"))
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { say(t, s, "u1", "", "占住位置的问题").want(t, "persisted", "true") })
	}
	waitFor(t, func() bool { return l.calls() == 2 })
	keys := stateKeys(s)
	r := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u2"), `{"text":"来晚了"}`)
	if r.status != 503 || r.get("code").String() != "shed" || r.header.Get("Retry-After") == "" {
		t.Errorf("above the gate: %d %s, Retry-After %q", r.status, r.body, r.header.Get("Retry-After"))
	}
	if got := stateKeys(s); got != keys {
		t.Errorf("a shed turn left %d keys", got-keys)
	}
	close(release)
	all.Wait()
}

// While many are turned away new dialogs are so before the server has read their request,
// in the same words; whoever goes first, and what is wrong, is left to the server.
func TestNewDialogsAreTurnedAwayAtTheDoor(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "chat.max_in_flight", "1", "admission.target", "10s", "admission.wait", "0s", "admission.hold", "0s", "limit.user", "0/s"))
	first := say(t, s, "u1", "", "有什么优惠")
	enter := func() error {
		return s.limiter.Enter(t.Context(), 1, func() admission.Priority { return admission.New })
	}
	waitFor(t, func() bool {
		for range 20 {
			if enter() == nil {
				_ = enter()
				s.limiter.Leave(0)
			}
		}
		return s.limiter.Crowded()
	})
	if err := enter(); err != nil {
		t.Fatal(err)
	}
	door := &http.Client{Transport: &http.Transport{}}
	defer door.CloseIdleConnections()
	const shed = `{"type":"about:blank","title":"Service Unavailable","status":503,"code":"shed","detail":"too many turns in flight","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}`
	for _, c := range []struct {
		name, path, auth, body string
		status                 int
		early                  bool
	}{
		{"a new dialog", "/v1/chat", "Bearer " + tokenFor(t, "u2"), `{"text":"来晚了"}`, 503, true},
		{"the article's path", "/chat", "Bearer " + tokenFor(t, "u2"), `{"text":"来晚了"}`, 503, true},
		{"a stream", "/v1/chat/stream", "Bearer " + tokenFor(t, "u2"), `{"text":"来晚了"}`, 503, true},
		{"whoever it is", "/v1/chat", "Bearer nobody", `{"text":"来晚了"}`, 503, true},
		{"a dialog under way", "/v1/chat", "Bearer " + tokenFor(t, "u1"), `{"dialog_id":"` + first.get("dialog_id").Str + `","text":"还有呢"}`, 503, false},
		{"a complaint", "/v1/chat", "Bearer " + tokenFor(t, "u2"), `{"text":"我要投诉"}`, 503, false},
		{"a job", "/v1/chat/async", "Bearer " + tokenFor(t, "u2"), `{"text":"来晚了"}`, 202, false},
		{"another path", "/v1/chats", "Bearer " + tokenFor(t, "u2"), `{"text":"来晚了"}`, 404, false},
		{"no token", "/v1/chat", "", `{"text":"来晚了"}`, 401, false},
		{"no text", "/v1/chat", "Bearer " + tokenFor(t, "u2"), `{"text":""}`, 422, false},
		{"no JSON", "/v1/chat", "Bearer " + tokenFor(t, "u2"), `{"text"`, 400, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			door.CloseIdleConnections()
			before := s.limiter.State().Sheds
			r, err := http.NewRequest(http.MethodPost, s.URL()+c.path, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
			if c.auth != "" {
				r.Header.Set("Authorization", c.auth)
			}
			a, err := door.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Body.Close()
			body, err := io.ReadAll(a.Body)
			if err != nil {
				t.Fatal(err)
			}
			if a.StatusCode != c.status || a.Close != c.early {
				t.Errorf("%d %s, at the door is %v; want %d, %v", a.StatusCode, body, a.Close, c.status, c.early)
			}
			if c.status != 503 {
				return
			}
			if string(body) != shed || a.Header.Get("Retry-After") == "" || a.Header.Get("Content-Type") != "application/problem+json" ||
				a.Header.Get("X-Request-Id") != "4bf92f3577b34da6a3ce929d0e0e4736" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s, %v", body, a.Header)
			}
			if got := s.limiter.State().Sheds - before; got != 1 {
				t.Errorf("%d sheds are counted", got)
			}
		})
	}
	s.limiter.Leave(0)
	if n := s.surface.Outcomes()["503"]; n != 6 {
		t.Errorf("%d turns with 503 are counted, want 6", n)
	}
	metrics := send(t, "GET", s.AdminURL()+"/metrics", "", "").body
	for _, want := range []string{`chat_rejected_total{reason="shed"} 6`, `chat_requests_total{route="chat",status="503"} 5`, `chat_requests_total{route="stream",status="503"} 1`} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
	say(t, s, "u2", "", "现在呢").want(t, "persisted", "true")
}

// An address that sends bad tokens is refused without a look at them; a good
// user elsewhere is not.
func TestBadTokensHaveALimit(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.refused", "1/s"))
	codes := map[int]int{}
	for range 20 {
		codes[send(t, "GET", s.URL()+"/v1/dialogs/"+testDialog, "bad", "").status]++
	}
	if codes[401] < 5 || codes[429] == 0 || codes[401]+codes[429] != 20 {
		t.Errorf("statuses %v, want about five 401 and then 429", codes)
	}
}

// So is one that looks for what is not there.
func TestScansHaveALimit(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.refused", "1/s"))
	codes := map[int]int{}
	for i := range 20 {
		codes[send(t, "GET", fmt.Sprintf("%s/admin%d.php", s.URL(), i), "", "").status]++
	}
	if codes[404] < 5 || codes[429] == 0 || codes[404]+codes[429] != 20 {
		t.Errorf("statuses %v, want about five 404 and then 429", codes)
	}
	if r := send(t, "GET", s.URL()+"/healthz", "", ""); r.status != 200 {
		t.Errorf("healthz beside it: %d", r.status)
	}
}

// The deadline holds whatever the model does and wherever degrade_at stands.
func TestTheDeadlineHolds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() { // a model that takes questions and never answers
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, conn); conn.Close() }()
		}
	}()
	s := startServer(t, "http://"+ln.Addr().String(), withKnobs("redis.timeout", "50ms", "llm.timeout", "20s", "chat.degrade_at", "0s", "chat.deadline", "400ms"))
	r := say(t, s, "u1", "", "优惠券在哪里领")
	r.want(t, "tier", "faq")
	if ms := r.get("cost_ms").Float(); ms < 300 || ms > 400 {
		t.Errorf("answered after %.0f ms, want within the 400 of the deadline and not long before", ms)
	}
}

// stateKeys counts what is kept of dialogs, tickets and jobs; the server writes
// other keys, such as its tier, whenever it likes.
func stateKeys(s *Server) int {
	n := 0
	for _, key := range s.embedded.mini.Keys() {
		if key == "jobs:{q}" || strings.HasPrefix(key, "tkt:mark:") {
			continue // the server's own, made in its first moments
		}
		for _, prefix := range []string{"dlg:", "tkt:", "tkq:", "jobs:"} {
			if strings.HasPrefix(key, prefix) {
				n++
			}
		}
	}
	return n
}
