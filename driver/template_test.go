package driver

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// Every variable that the table lets a target's templates name has a value.
func TestEveryVariableIsBound(t *testing.T) {
	o := Options{RunID: "r-1", saved: savedNames{"NAME": 0}, pings: savedNames{"NAME": 0}, Secrets: func(string) (string, error) { return "s", nil }}
	v := filled(values{
		user:  &User{ID: "u1", Vars: map[string]string{"TABLE.COLUMN": "x"}, state: userState{login: map[string]string{"NAME": "x"}}},
		saved: []string{"x"}, arguments: []byte("x"),
		turn: &Turn{Text: []byte("x"), TurnID: []byte("x"), DialogID: []byte("x"), ConversationID: []byte("x")},
	})
	for _, known := range scenario.Variables() {
		if known.In&^scenario.InSay == 0 || known.Name == "history" { // a list, of a body alone
			continue
		}
		b, err := o.bind("${"+known.Name+"}", template.Text)
		if err != nil || len(b.Append(nil, v)) == 0 {
			t.Errorf("${%s}: %v", known.Name, err)
		}
	}
	for _, unknown := range []string{"run.di", "turn.txt", "conversation.", "history", "user"} {
		if _, err := o.bind("${"+unknown+"}", template.Text); err == nil {
			t.Errorf("${%s} was taken", unknown)
		}
	}
}

// The run's and the conversation's ids go out wherever they are asked for.
func TestRunAndConversationIDs(t *testing.T) {
	target := &scenario.Target{
		URL: "http://h", API: "custom", Headers: map[string]string{"x-run": "${run.id}", "x-session": "${run.id}/${conversation.id}"},
		Request:  &scenario.Request{Path: "/s/${conversation.id}", Body: json.RawMessage(`{"session":"${conversation.id}","run":"${run.id}"}`)},
		Response: &scenario.Response{Answer: "a"},
	}
	p, err := compile(given(target), Options{RunID: "r-1"})
	if err != nil {
		t.Fatal(err)
	}
	out := string(http1.NewForm(&p.turn, &p.Target).Append(nil, filled(values{user: &User{}, turn: &Turn{ConversationID: []byte("c-7")}})))
	for _, want := range []string{"POST /s/c-7 HTTP/1.1\r\n", "\r\nx-run: r-1\r\n", "\r\nx-session: r-1/c-7\r\n", `{"session":"c-7","run":"r-1"}`} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
}

// A signing key is taken as it is, whatever bytes a file holds.
func TestSigningKeysAreNotEscaped(t *testing.T) {
	const key = "k\r\n\x01\x7f\xff$"
	o := &Options{Secrets: func(string) (string, error) { return key, nil }}
	s, err := newSigner(&scenario.Target{Auth: &scenario.Auth{JWT: &scenario.JWT{Secret: "${file:key}", Claims: map[string]string{"t": "a\tb"}}}}, o)
	if err != nil || string(s.secret) != key {
		t.Fatalf("%q, %v", s.secret, err)
	}
	if claim, ok := s.claims["t"].Constant(); claim != "a\tb" || !ok {
		t.Errorf("claim %q", claim)
	}
}

// Agents' sockets are given what is said of an agent or of the run.
func TestForAgents(t *testing.T) {
	o := Options{RunID: "r", Secrets: func(string) (string, error) { return "s", nil }}
	for text, want := range map[string]bool{
		"x": true, "${user.id} ${user.index} ${run.id} ${env:K}": true,
		"${turn.index}": false, "${conversation.id}": false, "${login.a}": false, "${orders.no}": false,
	} {
		b, err := o.bind(text, template.Header)
		if err != nil || forAgents(b) != want {
			t.Errorf("%s: %t, %v", text, forAgents(b), err)
		}
	}
}
