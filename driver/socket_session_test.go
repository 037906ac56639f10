package driver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// Under TLS an idle socket is read, too: what has arrived may lie above the descriptor.
func TestSocketOverTLS(t *testing.T) {
	s := &chatSocket{say: func(c *chatConn, m string) {
		c.Send(`{"text":"` + m + `"}`)
		if m == "a" {
			c.Send(`{"text":"one more"}`) // in the same record, mostly
		}
	}}
	srv := httptest.NewTLSServer(s)
	t.Cleanup(srv.Close)
	target := socketTarget(strings.Replace(srv.URL, "https:", "wss:", 1))
	target.TLS = &scenario.TLS{Insecure: true}
	d := open(t, target, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "a"), "a")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for range 3 {
		if err := s.conn(0).Ping(ctx); err != nil {
			t.Fatal("a ping between two turns is not answered: ", err)
		}
	}
	eventually(t, "the message is counted", func() bool { return d.Traffic().Unsolicited == 1 })
	checkTold(t, told(line, "b"), "b")
	if n := d.Traffic(); n.SocketsOpened != 1 || n.FullHandshakes != 1 {
		t.Errorf("%+v", n)
	}
}

// A client's own heartbeat goes out while nothing else does, between turns and while
// an answer is waited for: a ping frame, or the scenario's message.
func TestSocketPings(t *testing.T) {
	for name, ping := range map[string]string{"frames": "{every: 20ms}", "messages": `{every: 20ms, body: {type: beat, who: "${user.id}"}}`} {
		t.Run(name, func(t *testing.T) {
			var beats atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
					beats.Add(1)
					return true
				}})
				if err != nil {
					return
				}
				defer c.CloseNow() //nolint:errcheck // the end of the test
				for {
					_, text, err := c.Read(context.Background())
					switch m := string(text); {
					case err != nil:
						return
					case field(m, "type") == "beat" && field(m, "who") == "u7":
						beats.Add(1)
					default:
						go func() { // an answer that takes three beats
							for from := beats.Load(); beats.Load() < from+3; {
								time.Sleep(time.Millisecond) // the client's clock is what is waited for
							}
							_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"text":"ok"}`)) // the client may be gone
						}()
					}
				}
			}))
			t.Cleanup(srv.Close)
			d := mappedAt(t, srv.URL, "socket: {ping: "+ping+"}\nrequest: {body: {text: \"${turn.text}\"}}\nresponse: {answer: text}")
			line := d.Open(&User{ID: "u7"})
			defer line.Close()
			checkTold(t, told(line, "a"), "ok")
			from := beats.Load()
			eventually(t, "three beats between two turns", func() bool { return beats.Load() >= from+3 })
			checkTold(t, told(line, "b"), "ok")
			if n := d.Traffic(); n.SocketsOpened != 1 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// Who a socket is: a login over HTTP whose token and cookie go with the upgrade, once
// more when the upgrade is refused or a message says that it has run out; a step over
// HTTP and one over the socket before each conversation.
func TestSocketSession(t *testing.T) {
	var logins, rooms atomic.Int64
	s := &chatSocket{}
	s.say = func(c *chatConn, m string) {
		switch field(m, "type") {
		case "room":
			rooms.Add(1)
			c.Send(`{"type":"entered","room":"r` + field(m, "csrf") + `"}`)
		case "say":
			if field(m, "text") == "stale" && logins.Load() < 2 {
				c.Send(`{"type":"error","code":40101}`)
				return
			}
			c.Send(`{"type":"reply","text":"` + field(m, "room") + ": " + field(m, "text") + `"}`)
		}
	}
	d, _ := mapped(t, `
mode: websocket
cookies: per-user
login: {path: /login, body: {}, save: {token: token}, again_on: {path: code, equals: 40101}}
socket: {path: "/ws?t=${login.token}"}
before:
  - {method: GET, path: /csrf, save: {csrf: csrf}}
  - {body: {type: room, csrf: "${saved.csrf}"}, is_answer: {path: type, equals: entered}, save: {room: room}}
request: {body: {type: say, text: "${turn.text}", room: "${saved.room}"}}
response: {is_answer: {path: type, equals: reply}, answer: text}
`, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/login":
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint("s", logins.Add(1))})
			fmt.Fprintf(w, `{"token":"t%d"}`, logins.Load())
		case "/csrf":
			fmt.Fprintf(w, `{"csrf":"%d"}`, logins.Load())
		default:
			c, err := r.Cookie("sid")
			if n := logins.Load(); err != nil || c.Value != fmt.Sprint("s", n) || r.URL.Query().Get("t") != fmt.Sprint("t", n) {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			s.ServeHTTP(w, r)
		}
	})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	if got := answersOf(dialogOn(line, 1, "a", "b")); got != "r1: a | r1: b" {
		t.Error(got)
	}
	if got := answersOf(dialogOn(line, 2, "c", "stale", "d")); got != "r1: c | r1: stale | r1: d" {
		t.Error(got)
	}
	eventually(t, "the socket of the login before is closed", func() bool { return d.Connections() == 1 })
	if n := d.Traffic(); rooms.Load() != 2 || logins.Load() != 2 || n.SocketsOpened != 2 || n.SocketsReopened != 1 {
		t.Errorf("%d rooms entered, %d logins, %+v", rooms.Load(), logins.Load(), n)
	}
}

// Whose a socket is: a conversation's, or a turn's.
func TestSocketPolicies(t *testing.T) {
	for policy, want := range map[scenario.Connections]int{scenario.PerConversation: 1, scenario.PerTurn: 3} {
		s := &chatSocket{say: func(c *chatConn, m string) { c.Send(`{"text":"` + m + `"}`) }}
		srv := httptest.NewServer(s)
		t.Cleanup(srv.Close)
		target := socketTarget(srv.URL)
		target.Connections, target.Timeout = policy, unit.Duration(5*time.Second)
		d := open(t, target, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		checkTold(t, told(line, "a", "b", "c"), "a | b | c")
		if s.count() != want {
			t.Errorf("%s: %d sockets, want %d", policy, s.count(), want)
		}
		line.Close()
		eventually(t, "none is open", func() bool { return d.Connections() == 0 })
	}
}
