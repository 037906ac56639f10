package refserver

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
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
