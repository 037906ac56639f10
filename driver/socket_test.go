package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// chatSocket is a server of customers' sockets. It calls say with each message, and
// sends what that gives.
type chatSocket struct {
	protocols []string
	say       func(c *chatConn, message string)

	mu     sync.Mutex
	opened []*http.Request
	conns  []*chatConn
}

type chatConn struct {
	*websocket.Conn
	Request *http.Request
	n       int // messages so far
}

// Send sends a text message.
func (c *chatConn) Send(text string) {
	_ = c.Write(context.Background(), websocket.MessageText, []byte(text)) // the reader sees the end
}

// ServeHTTP upgrades and serves.
func (s *chatSocket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: s.protocols, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return
	}
	c := &chatConn{Conn: conn, Request: r}
	s.mu.Lock()
	s.opened, s.conns = append(s.opened, r), append(s.conns, c)
	s.mu.Unlock()
	defer conn.CloseNow() //nolint:errcheck // the end of the test
	for {
		_, text, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		c.n++
		s.say(c, string(text))
	}
}

func (s *chatSocket) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.opened)
}

func (s *chatSocket) conn(i int) *chatConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns[i]
}

// field gives a member of a JSON message.
func field(message, name string) string {
	var m map[string]any
	if json.Unmarshal([]byte(message), &m) != nil {
		return ""
	}
	return fmt.Sprint(m[name])
}

// A conversation over a socket: what it begins with, a message each way a turn, what
// is not the answer, and that it is one socket throughout.
func TestSocketConversation(t *testing.T) {
	s := &chatSocket{protocols: []string{"chat.v2", "chat.v1"}}
	s.say = func(c *chatConn, m string) {
		switch field(m, "type") {
		case "join":
			c.Send(`{"type":"notice"}`)
			c.Send(`{"type":"joined","seat":"s-` + field(m, "user") + `"}`)
		case "say":
			c.Send(`{"type":"typing"}`)
			c.Send(fmt.Sprintf(`{"type":"reply","text":"%s: %s (%d)","turn":%q,"dialog":"d7"}`, field(m, "seat"), field(m, "text"), c.n, field(m, "id")))
		}
	}
	d, _ := mapped(t, `
mode: websocket
headers: {x-plain: "1"}
socket:
  path: "/ws?u=${user.id}"
  headers: {x-user: "${user.id}"}
  subprotocols: [chat.v1]
  first: [{body: {type: join, user: "${user.id}"}, is_answer: {path: type, equals: joined}, save: {seat: seat}}]
request: {body: {type: say, text: "${turn.text}", id: "${turn.id}", seat: "${saved.seat}"}}
response: {is_answer: {path: type, equals: reply}, turn_id: turn, answer: text, dialog_id: dialog}
`, s.ServeHTTP)
	line := d.Open(&User{ID: "u1"})
	defer line.Close()
	for i := range 2 { // two conversations of one user
		list := dialogOn(line, int64(i), "你好", "再见")
		want := fmt.Sprintf("s-u1: 你好 (%d) | s-u1: 再见 (%d)", 2+2*i, 3+2*i)
		if got := answersOf(list); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		for k, r := range list {
			if r.dialog != "d7" || r.Status != 101 || r.Begun > r.Sent || r.Sent > r.FirstByte || r.FirstByte > r.Done || (r.Connect > 0) != (i+k == 0) {
				t.Errorf("turn %d of %d: %+v", k, i, r.Reply)
			}
		}
	}
	r := s.opened[0]
	if s.count() != 1 || r.URL.String() != "/ws?u=u1" || r.Header.Get("X-User") != "u1" || r.Header.Get("X-Plain") != "1" || s.conn(0).Subprotocol() != "chat.v1" {
		t.Errorf("%d sockets, %s %v", s.count(), r.URL, r.Header)
	}
	if ext := r.Header.Get("Sec-Websocket-Extensions"); ext != "" {
		t.Errorf("extensions %q are offered", ext)
	}
	if n := d.Traffic(); n.SocketsOpened != 1 || n.SocketsReopened != 0 || n.LateAnswers+n.RepeatedAnswers+n.Unsolicited != 0 {
		t.Errorf("%+v", n)
	}
	if n := d.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// An answer in pieces, each a message.
func TestSocketStream(t *testing.T) {
	s := &chatSocket{}
	s.say = func(c *chatConn, m string) {
		c.Send(`{"type":"typing"}`)
		for _, piece := range []string{"a", "b", m} {
			c.Send(`{"type":"delta","text":"` + piece + `"}`)
		}
		c.Send(`{"type":"end"}`)
	}
	d, _ := mapped(t, `
mode: websocket
request: {as: text, body: "${turn.text}"}
response: {stream: {delta: text, delta_when: {path: type, equals: delta}, done: {path: type, equals: end}}}
`, s.ServeHTTP)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	for _, r := range dialogOn(line, 1, "x", "y") {
		if r.Reason != Complete || r.FirstToken == 0 || len(r.Gaps) != 2 || r.FirstByte > r.FirstToken || r.FirstToken > r.Done {
			t.Errorf("%+v", r.Reply)
		}
	}
	if got := answersOf(dialogOn(line, 2, "x")); got != "abx" {
		t.Errorf("%q", got)
	}
}

// A socket that waits for its next turn answers pings, and counts what nobody asked
// for; one that the server closed is opened again, and nothing is lost.
func TestSocketBetweenTurns(t *testing.T) {
	s := &chatSocket{say: func(c *chatConn, m string) { c.Send(`{"text":"` + m + `"}`) }}
	d, _ := mapped(t, `
mode: websocket
request: {as: text, body: "${turn.text}"}
response: {answer: text}
`, s.ServeHTTP)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	if got := answersOf(dialogOn(line, 1, "a")); got != "a" {
		t.Fatal(got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := s.conn(0).Ping(ctx); err != nil {
		t.Fatal("a ping between two turns is not answered: ", err)
	}
	s.conn(0).Send(`{"text":"anybody there?"}`)
	eventually(t, "the message is counted", func() bool { return d.Traffic().Unsolicited == 1 })
	if got := answersOf(dialogOn(line, 1, "b")); got != "b" {
		t.Error(got)
	}
	if err := s.conn(0).Close(websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the socket is closed", func() bool { return d.Connections() == 0 })
	if got := answersOf(dialogOn(line, 1, "c")); got != "c" {
		t.Error(got)
	}
	if n := d.Traffic(); n.SocketsOpened != 2 || n.SocketsReopened != 1 || n.Unsolicited != 1 {
		t.Errorf("%+v", n)
	}
}
