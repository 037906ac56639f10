package driver

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// The reference API over a socket: the body of its requests, its answers, and refusals
// that count as the statuses which they name.
func TestSocketOfTheReferenceAPI(t *testing.T) {
	s := &chatSocket{protocols: []string{"cs.chat.v1"}}
	var bodies []string
	s.say = func(c *chatConn, m string) {
		bodies = append(bodies, m)
		problem := func(status int, code string) {
			c.Send(fmt.Sprintf(`{"type":"about:blank","status":%d,"code":%q,"detail":"no","turn_id":%q}`, status, code, field(m, "turn_id")))
		}
		switch field(m, "text") {
		case "limit":
			problem(429, "rate-limited")
		case "shed":
			problem(503, "shed")
		case "strange":
			problem(7, "no-status") // not one of HTTP's
		case "late":
			c.Send(`{"dialog_id":"d1","answer":"of another turn","turn_id":"other"}`)
		default:
			c.Send(fmt.Sprintf(`{"dialog_id":"d1","answer":"%s!","turn_id":%q,"tier":"faq","degraded":true,"context":{"turns":%d,"status":"ok"}}`, field(m, "text"), field(m, "turn_id"), c.n))
		}
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	text := "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target: {url: '" + srv.URL + "', mode: websocket, timeout: 5s}\n"
	sc, err := scenario.Parse("x.yaml", []byte(text), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(&sc.Target, Options{Base: time.Now(), RunID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	line := d.Open(&User{ID: "u1"})
	defer line.Close()
	say := func(id, text, dialog string) said {
		var r Reply
		line.Do(&Turn{Text: []byte(text), TurnID: []byte(id), DialogID: []byte(dialog)}, &r)
		one := said{r, string(r.Answer), string(r.DialogID), string(r.Code)}
		one.Tier = []byte(string(r.Tier))
		line.Free(&r)
		return one
	}
	first := say("t-1", "你好", "")
	if first.Reason != Complete || first.answer != "你好!" || first.dialog != "d1" || string(first.Tier) != "faq" || !first.Degraded || first.ContextTurns != 1 || first.Status != 101 {
		t.Errorf("first turn: %+v", first)
	}
	if next := say("t-2", "再见", "d1"); next.answer != "再见!" || next.ContextTurns != 2 {
		t.Errorf("second turn: %+v", next)
	}
	for _, c := range []struct {
		text   string
		status int
		code   string
	}{{"limit", 429, "rate-limited"}, {"shed", 503, "shed"}} {
		if r := say("t-"+c.text, c.text, ""); r.Reason != Complete || r.Status != c.status || r.code != c.code {
			t.Errorf("%s: %+v", c.text, r)
		}
	}
	if r := say("t-5", "strange", ""); r.Reason == Complete && r.OK {
		t.Errorf("a problem of no status is an answer: %+v", r)
	}
	want := `{"uid":"u1","turn_id":"t-1","text":"你好"}`
	if bodies[0] != want || !strings.Contains(bodies[1], `"dialog_id":"d1"`) {
		t.Errorf("sent %q, want %s", bodies[:2], want)
	}
	if r := s.opened[0]; s.count() != 1 || r.URL.Path != "/v1/chat/ws" || s.conn(0).Subprotocol() != "cs.chat.v1" {
		t.Errorf("%d sockets, the first at %s", s.count(), r.URL)
	}
	if r := say("t-6", "late", ""); string(r.TurnID) == "t-6" {
		t.Errorf("the answer to another turn is taken for this one's: %+v", r)
	}
}
