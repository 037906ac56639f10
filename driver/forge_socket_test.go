package driver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/scenario"
)

// A turn with a token that is not its user's own goes over a socket that is opened with
// that token; the user's own socket stays as it is, and has the turns before and after.
func TestForgedTurnsHaveASocketOfTheirOwn(t *testing.T) {
	var tokens []string
	s := &chatSocket{}
	s.say = func(c *chatConn, m string) {
		switch field(m, "type") {
		case "join":
			c.Send(`{"type":"joined","seat":"s-` + field(m, "user") + `"}`)
		default:
			c.Send(fmt.Sprintf(`{"type":"reply","text":"%s of %s for %s","turn":%q}`, field(m, "text"), field(m, "seat"), c.Request.Header.Get("X-Shop"), field(m, "id")))
		}
	}
	d, _ := mappedWith(t, `
mode: websocket
headers: {x-shop: "1"}
auth: {bearer: "token-of-${user.id}"}
socket: {path: /, first: [{body: {type: join, user: "${user.id}"}, is_answer: {path: type, equals: joined}, save: {seat: seat}}]}
request: {body: {text: "${turn.text}", id: "${turn.id}", seat: "${saved.seat}"}}
response: {is_answer: {path: type, equals: reply}, turn_id: turn, answer: text}
`, Options{Forged: []string{"authorization", "x-shop"}}, func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Authorization")
		if tokens = append(tokens, token); !strings.HasPrefix(token, "Bearer token-of-") || strings.Contains(token, "A") {
			http.Error(w, `{"code":"no-token"}`, http.StatusUnauthorized)
			return
		}
		s.ServeHTTP(w, r)
	})
	line := d.Open(&User{ID: "u7"})
	defer line.Close()
	say := func(turn *Turn) string {
		t.Helper()
		var r Reply
		turn.Text, turn.TurnID = []byte("hi"), []byte("t1")
		line.Do(turn, &r)
		defer line.Free(&r)
		if r.Reason != Complete {
			return r.Message
		}
		return fmt.Sprintf("%d %s", r.Status, r.Answer)
	}
	for i, step := range []struct {
		turn *Turn
		want string
	}{
		{&Turn{}, "101 hi of s-u7 for 1"},
		{&Turn{Forge: &Forge{Token: scenario.TokenMissing}}, "401 "},
		{&Turn{Forge: &Forge{Token: scenario.TokenTampered}}, "401 "},
		{&Turn{As: &User{ID: "u6"}, Forge: &Forge{Token: scenario.TokenAnotherUser}}, "101 hi of s-u6 for 1"},
		{&Turn{Forge: &Forge{Headers: map[string]string{"x-shop": "2"}}}, "101 hi of s-u7 for 2"},
		{&Turn{Forge: &Forge{}}, "101 hi of s-u7 for 1"}, // longer, perhaps
		{&Turn{}, "101 hi of s-u7 for 1"},
	} {
		if got := say(step.turn); got != step.want {
			t.Errorf("turn %d: %q, want %q", i+1, got, step.want)
		}
	}
	if want := "Bearer token-of-u7||Bearer tokenAof-u7|Bearer token-of-u6|Bearer token-of-u7"; len(tokens) != 5 || tokens[0] != "Bearer token-of-u7" || tokens[1] != "" || tokens[3] != "Bearer token-of-u6" {
		t.Errorf("sockets were asked for with %q, want %q or the like", tokens, want)
	}
	if n := d.Connections(); n != 1 {
		t.Errorf("%d connections are open, want the user's own", n)
	}
	if n := d.Traffic(); n.SocketsOpened != 3 || n.SocketsReopened != 0 {
		t.Errorf("%+v", n)
	}
}

// How a server refuses that has opened the socket: with the code that it closes it with,
// or by a message. Both are told apart from a socket that breaks.
func TestRefusalsOverAnOpenSocket(t *testing.T) {
	s := &chatSocket{}
	s.say = func(c *chatConn, m string) {
		switch m {
		case "closed":
			_ = c.Close(websocket.StatusCode(4401), "who are you?")
		case "denied":
			c.Send(`{"error":"who are you?"}`)
		default:
			_ = c.CloseNow()
		}
	}
	d, _ := mapped(t, "mode: websocket\nrequest: {as: text, body: \"${turn.text}\"}\nresponse: {answer: text, error: {path: error, exists: true}, error_message: error}", s.ServeHTTP)
	for text, want := range map[string]Reply{
		"closed": {Status: 101, Reason: Broken, Closed: 4401, Message: "closed by the server with code 4401"},
		"denied": {Status: 101, Reason: Malformed, Denied: true, Message: "who are you?"},
		"broken": {Status: 101, Reason: Broken, Message: "connection closed by the server before the answer was whole"},
	} {
		line := d.Open(&User{ID: "u"})
		var r Reply
		line.Do(&Turn{Text: []byte(text)}, &r)
		got := Reply{Status: r.Status, Reason: r.Reason, Closed: r.Closed, Denied: r.Denied, Message: r.Message}
		line.Free(&r)
		line.Close()
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want)
		if string(a) != string(b) {
			t.Errorf("%s: %s, want %s", text, a, b)
		}
	}
}
