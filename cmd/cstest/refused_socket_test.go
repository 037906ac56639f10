package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/result"
)

// socketDoor is doorkeeper over customers' sockets: tokens are looked at when one opens, or,
// where it closes sockets, with the first message; what is said is refused by a message.
type socketDoor struct {
	doorkeeper
	closes bool
}

func (g *socketDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, status := g.who(r)
	if status == 0 && r.Header.Get("X-Shop") != "1" && g.blind != "header" {
		status = http.StatusBadRequest
	}
	if status != 0 && !g.closes {
		http.Error(w, `{"code": "no"}`, status)
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // the end of the conversation
	c.SetReadLimit(1 << 20)
	for {
		_, text, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if status != 0 {
			_ = c.Close(websocket.StatusCode(4000+status), "no")
			return
		}
		_ = c.Write(context.Background(), websocket.MessageText, []byte(g.answer(user, text)))
	}
}

func (g *socketDoor) answer(user string, message []byte) string {
	var said struct{ Session, Text, ID string }
	if json.Unmarshal(message, &said) != nil {
		return `{"error": "no JSON"}`
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	owner, known := g.owner[said.Session]
	switch {
	case len(said.Text) > 8000 && g.blind != "size":
		return fmt.Sprintf(`{"error": "too long", "id": %q}`, said.ID)
	case said.Session != "" && (!known || owner != user) && g.blind != "dialog":
		return fmt.Sprintf(`{"error": "no such dialog", "id": %q}`, said.ID)
	case said.Session == "":
		said.Session = fmt.Sprint("d", len(g.owner))
		g.owner[said.Session] = user
	}
	return fmt.Sprintf(`{"session": %q, "reply": "好的", "id": %q}`, said.Session, said.ID)
}

// As over requests: a server of sockets that refuses what it must passes, whether it does
// so when a socket opens or by closing it; one that is blind to a single kind fails.
func TestTurnsThatMustBeRefusedOverSockets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		blind  string
		closes bool
		letIn  string
	}{
		{"", false, ""},
		{"", true, ""},
		{"missing", false, "no-token"},
		{"expired", true, "old-token"},
		{"tampered", false, "bad-token"},
		{"role", true, "wrong-role"},
		{"dialog", false, "foreign"},
		{"size", false, "oversize"},
		{"header", true, "no-header"},
	} {
		t.Run(fmt.Sprint(tt.blind, " ", tt.closes), func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(&socketDoor{doorkeeper{blind: tt.blind, owner: map[string]string{}}, tt.closes})
			defer srv.Close()
			path := write(t, `version: 1
name: gate
target:
  url: `+srv.URL+`
  api: custom
  mode: websocket
  headers: {x-shop: "1"}
  auth: {jwt: {secret: "`+gateSecret+`", sub: "${user.id}"}}
  socket: {path: /}
  request: {body: {session: "${dialog.id}", text: "${turn.text}", id: "${turn.id}"}}
  response: {dialog_id: session, turn_id: id, answer: reply, error: {path: error, exists: true}, error_message: error}
load: {conversations: 90, think: 1ms, drain: 5s, stages: [{name: x, for: 3s, starts: 30/s}]}
conversations:
  - {name: good, turns: [{say: 在吗}, {say: 发货了吗}]}
  - {name: no-token, turns: [{say: 在吗, forge: {token: missing}, expect: {refused: [401, 4401]}}]}
  - {name: old-token, turns: [{say: 在吗, forge: {token: expired}, expect: {refused: [401, 4401]}}]}
  - {name: bad-token, turns: [{say: 在吗, forge: {token: tampered}, expect: {refused: [401, 4401]}}]}
  - {name: wrong-role, turns: [{say: 在吗, forge: {claims: {role: agent}}, expect: {refused: [403, 4403]}}]}
  - {name: no-header, turns: [{say: 在吗, forge: {headers: {X-Shop: ""}}, expect: {refused: [400, 4400]}}]}
  - {name: foreign, turns: [{say: 在吗}, {say: 地址是什么, forge: {token: another_user}, expect: {refused: [101]}}, {say: 谢谢}]}
  - {name: oversize, turns: [{say: 在吗, forge: {size: 9KiB}, expect: {refused: [101]}}]}
checks: {memory: off, canned: []}
sla: {availability: 10%}
`)
			seenToRefuse(t, path, tt.letIn, 101)
		})
	}
}

// seenToRefuse runs a scenario of turns that must be refused: all are, or the first that
// was let in is told.
func seenToRefuse(t *testing.T, path, letIn string, status int) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	got := measured(t, "run", path, "--no-tui", "--quiet", "--results-dir", dir)
	d, err := result.Read(dir)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, got.stdout, got.stderr)
	}
	if d.Counts.OK == 0 || d.Counts.Refused == 0 || d.Counts.OK+d.Counts.Refused+d.Counts.LetIn != d.Counts.Turns || d.Availability.Answers == nil || *d.Availability.Answers != 1 {
		t.Errorf("counts %+v, answered %v, errors %+v", d.Counts, d.Availability.Answers, d.Errors)
	}
	if letIn == "" {
		if got.code == 10 || d.Counts.LetIn != 0 {
			t.Errorf("exit %d, counts %+v\n%s", got.code, d.Counts, got.stdout)
		}
		for _, o := range d.Objectives {
			if o.Name == "refused" && o.Verdict != "pass" {
				t.Errorf("refused: %s: %s", o.Verdict, o.Reason)
			}
		}
		return
	}
	if got.code != 10 || d.Counts.LetIn == 0 || !strings.HasPrefix(d.Reasons[0], "refused: ") || len(d.Errors) != 1 {
		t.Fatalf("exit %d, counts %+v, reasons %q, errors %+v", got.code, d.Counts, d.Reasons, d.Errors)
	}
	if e := d.Errors[0]; e.Outcome != "let_in" || e.Example.Conversation != letIn || e.Example.Status != status || len(e.Example.TraceID) != 32 {
		t.Errorf("%+v", e)
	}
}

// The bundled server refuses over customers' sockets what it refuses of requests, and so
// does its way to agents.
func TestBundledServerRefusesInEveryMode(t *testing.T) {
	t.Parallel()
	for mode, oversize := range map[string]string{"websocket": "[413, 422, 1009]", "agents": "[413, 422]"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			path := write(t, `version: 1
name: gate
target: {bundled: {profile: hardened, redis: embedded, knobs: {limit.global: 0/s, limit.user: 0/s}}, mode: `+mode+`, timeout: 5s}
load: {conversations: 60, think: 1ms, drain: 5s, stages: [{name: x, for: 3s, starts: 20/s}]}
conversations:
  - {name: good, turns: [{say: 转人工}, {say: 还是要转人工}]}
  - {name: no-token, turns: [{say: 转人工, forge: {token: missing}, expect: {refused: [401]}}]}
  - {name: old-token, turns: [{say: 转人工, forge: {token: expired}, expect: {refused: [401]}}]}
  - {name: bad-token, turns: [{say: 转人工, forge: {token: tampered}, expect: {refused: [401]}}]}
  - {name: wrong-role, turns: [{say: 转人工, forge: {claims: {role: agent}}, expect: {refused: [403]}}]}
  - {name: foreign, turns: [{say: 转人工}, {say: 转人工, forge: {token: another_user}, expect: {refused: [403, 404]}}, {say: 还是要转人工}]}
  - {name: oversize, turns: [{say: 转人工, forge: {size: 20KiB}, expect: {refused: `+oversize+`}}]}
checks: {memory: off}
sla: {availability: 10%}
`)
			seenToRefuse(t, path, "", 0)
		})
	}
}
