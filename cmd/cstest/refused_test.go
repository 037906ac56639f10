package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// doorkeeper is a chat server that looks at tokens and at whose a dialog is, but for what it
// is blind to.
type doorkeeper struct {
	blind string
	mu    sync.Mutex
	owner map[string]string
}

const gateSecret = "a secret of 32 bytes or a few more"

func (g *doorkeeper) who(r *http.Request) (user string, status int) {
	raw, some := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !some {
		if g.blind == "missing" {
			return "nobody", 0
		}
		return "", http.StatusUnauthorized
	}
	var claims jwt.MapClaims
	_, err := jwt.ParseWithClaims(raw, &claims, func(*jwt.Token) (any, error) { return []byte(gateSecret), nil })
	known := err == nil || g.blind == "expired" && strings.Contains(err.Error(), "expired") || g.blind == "tampered" && strings.Contains(err.Error(), "signature")
	if !known || g.blind != "expired" && err != nil && strings.Contains(err.Error(), "expired") {
		return "", http.StatusUnauthorized
	}
	if claims["role"] == "agent" && g.blind != "role" {
		return "", http.StatusForbidden
	}
	return fmt.Sprint(claims["sub"]), 0
}

func (g *doorkeeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		return
	}
	user, status := g.who(r)
	var body struct{ Session, Text string }
	err := json.NewDecoder(r.Body).Decode(&body)
	g.mu.Lock()
	defer g.mu.Unlock()
	owner, known := g.owner[body.Session]
	switch {
	case status != 0:
	case err != nil || r.Header.Get("X-Shop") != "1" && g.blind != "header":
		status = http.StatusBadRequest
	case len(body.Text) > 8000 && g.blind != "size":
		status = http.StatusRequestEntityTooLarge
	case body.Session != "" && (!known || owner != user) && g.blind != "dialog":
		status = http.StatusNotFound
	}
	if status != 0 {
		http.Error(w, `{"code": "no"}`, status)
		return
	}
	if body.Session == "" {
		body.Session = fmt.Sprint("d", len(g.owner))
		g.owner[body.Session] = user
	}
	fmt.Fprintf(w, `{"session": %q, "reply": "好的"}`, body.Session)
}

// A server that refuses what it must is let pass by the objective refused, over both
// protocols; one that is blind to a single kind fails, with the turn that it let in.
func TestTurnsThatMustBeRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ blind, http, letIn string }{
		{"", "1.1", ""},
		{"", "h2c", ""},
		{"missing", "1.1", "no-token"},
		{"expired", "1.1", "old-token"},
		{"tampered", "1.1", "bad-token"},
		{"role", "h2c", "wrong-role"},
		{"dialog", "1.1", "foreign"},
		{"size", "1.1", "oversize"},
		{"header", "h2c", "no-header"},
	} {
		t.Run(tt.blind+" "+tt.http, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(&doorkeeper{blind: tt.blind, owner: map[string]string{}})
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetHTTP1(true)
			srv.Config.Protocols.SetUnencryptedHTTP2(true)
			srv.Start()
			defer srv.Close()
			path := write(t, `version: 1
name: gate
target:
  url: `+srv.URL+`
  api: custom
  http: "`+tt.http+`"
  headers: {x-shop: "1"}
  auth: {jwt: {secret: "`+gateSecret+`", sub: "${user.id}"}}
  request: {path: /, body: {session: "${dialog.id}", text: "${turn.text}"}}
  response: {dialog_id: session, answer: reply}
load: {conversations: 90, think: 1ms, drain: 5s, stages: [{name: x, for: 3s, starts: 30/s}]}
conversations:
  - {name: good, turns: [{say: 在吗}, {say: 发货了吗}]}
  - {name: no-token, turns: [{say: 在吗, forge: {token: missing}, expect: {refused: [401]}}]}
  - {name: old-token, turns: [{say: 在吗, forge: {token: expired}, expect: {refused: [401]}}]}
  - {name: bad-token, turns: [{say: 在吗, forge: {token: tampered}, expect: {refused: [401]}}]}
  - {name: wrong-role, turns: [{say: 在吗, forge: {claims: {role: agent}}, expect: {refused: [403]}}]}
  - {name: no-header, turns: [{say: 在吗, forge: {headers: {X-Shop: ""}}, expect: {refused: [400]}}]}
  - {name: foreign, turns: [{say: 在吗}, {say: 地址是什么, forge: {token: another_user}, expect: {refused: [404]}}, {say: 谢谢}]}
  - {name: oversize, turns: [{say: 在吗, forge: {size: 9KiB}, expect: {refused: [413]}}]}
checks: {memory: off, canned: []}
sla: {availability: 10%}
`)
			seenToRefuse(t, path, tt.letIn, 200)
		})
	}
}
