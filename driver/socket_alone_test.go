package driver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// A ping of the application's own is answered wherever it comes: between turns, while an
// answer is waited for, while the socket is opened. It is nobody's answer, and is not
// counted as asked by none.
func TestSocketPongs(t *testing.T) {
	var mu sync.Mutex
	var pongs []string
	note := func(m string) {
		mu.Lock()
		defer mu.Unlock()
		pongs = append(pongs, field(m, "at")+" "+field(m, "who"))
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(pongs)
	}
	var waiting atomic.Pointer[chatConn]
	s := &chatSocket{say: func(c *chatConn, m string) {
		switch field(m, "type") {
		case "join":
			c.Send(`{"type":"ping","at":"door"}`)
		case "pong":
			note(m)
			switch field(m, "at") {
			case "door":
				c.Send(`{"type":"joined"}`)
			case "meanwhile":
				c.Send(`{"text":"hello"}`)
			}
		case "say":
			waiting.Store(c)
			c.Send(`{"type":"ping","at":"meanwhile"}`)
		}
	}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	d := mappedAt(t, srv.URL, `
socket:
  first: [{body: {type: join}, is_answer: {path: type, equals: joined}}]
  pong: {when: {path: type, equals: ping}, save: {at: at}, body: {type: pong, at: "${ping.at}", who: "${user.id}"}}
request: {body: {type: say, text: "${turn.text}"}}
response: {answer: text}`)
	line := d.Open(&User{ID: "u7"})
	defer line.Close()
	checkTold(t, told(line, "a"), "hello")
	waiting.Load().Send(`{"type":"ping","at":"idle"}`)
	waiting.Load().Send(`{"type":"typing"}`)
	eventually(t, "the ping between two turns is answered", func() bool { return count() == 3 })
	checkTold(t, told(line, "b"), "hello")
	if got := strings.Join(pongs, ","); got != "door u7,meanwhile u7,idle u7,meanwhile u7" {
		t.Errorf("answered %s", got)
	}
	if n := d.Traffic(); n.Unsolicited != 1 || n.SocketsOpened != 1 {
		t.Errorf("%+v", n)
	}
}

// An answer is confirmed where the scenario says so, with what was saved of it; what is
// none is not.
func TestSocketReceipts(t *testing.T) {
	seen := make(chan string, 4)
	s := &chatSocket{say: func(c *chatConn, m string) {
		switch {
		case strings.Contains(m, "seen"):
			seen <- field(m, "seen") + " of " + field(m, "turn")
		case field(m, "text") == "ill":
			c.Send(`{"type":"error","id":"m0"}`)
		default:
			c.Send(`{"id":"m` + field(m, "text") + `","text":"pie"}`)
			c.Send(`{"id":"m` + field(m, "text") + `","text":"ces","end":true}`)
		}
	}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	d := mappedAt(t, srv.URL, `
socket: {receipt: {body: {seen: "${saved.message}", turn: "${turn.index}"}}}
request: {body: {text: "${turn.text}"}, save: {message: id}}
response: {error: {path: type, equals: error}, stream: {delta: text, done: {path: end, equals: true}}}`)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	checkTold(t, told(line, "1", "ill", "2"), "pieces | ! response.error holds | pieces")
	for _, want := range []string{"m1 of 0", "m2 of 2"} {
		if got := <-seen; got != want {
			t.Errorf("confirmed %s, want %s", got, want)
		}
	}
}

// A socket that the server closes while its customer thinks is opened again before the
// next turn, after refusals too; that is counted and timed apart.
func TestSocketRedial(t *testing.T) {
	var refuse atomic.Int64
	s := &chatSocket{say: func(c *chatConn, m string) {
		switch {
		case strings.Contains(m, "join"):
			c.Send(`{"seat":"s` + field(m, "join") + `"}`)
		default:
			c.Send(`{"text":"` + field(m, "text") + " at " + field(m, "seat") + `"}`)
		}
	}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse.Add(-1) >= 0 {
			http.Error(w, "restarting", http.StatusServiceUnavailable)
			return
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	d := mappedAt(t, srv.URL, `
socket: {redial: {after: 1ms, backoff: 1}, path: "/${user.index}", first: [{body: {join: "${user.id}"}, save: {seat: seat}}]}
request: {body: {text: "${turn.text}", seat: "${saved.seat}"}}
response: {answer: text}`)
	user := &User{ID: "u7", Vars: map[string]string{"users.room": "r"}}
	line := d.Open(user)
	checkTold(t, told(line, "a"), "a at su7")
	for round := range 3 {
		refuse.Store(int64(round))
		if err := s.conn(round).Close(websocket.StatusGoingAway, ""); err != nil {
			t.Fatal(err)
		}
		user.Vars["users.room"] = "r" // as a load does between two conversations
		eventually(t, "the socket is opened again", func() bool { return d.Traffic().SocketsRedialled == int64(round+1) })
	}
	checkTold(t, told(line, "b"), "b at su7")
	n := d.Traffic()
	if n.SocketsOpened != 4 || n.SocketsReopened != 3 || n.SocketsRedialled != 3 || n.RedialsFailed != 3 || n.RedialTotal <= 0 || n.RedialLongest > n.RedialTotal {
		t.Errorf("%+v", n)
	}
	if got := s.opened[3].URL.Path; got != "/0" {
		t.Errorf("opened at %s", got)
	}
	line.Close()
	refuse.Store(0)
	_ = s.conn(3).Close(websocket.StatusGoingAway, "") // it is closed already
	told(d.Open(&User{ID: "u8", Vars: user.Vars}), "c")
	if n := d.Traffic(); n.SocketsRedialled != 3 {
		t.Errorf("a closed channel redials: %+v", n)
	}
}
