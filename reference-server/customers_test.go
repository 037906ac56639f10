package refserver

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/token"
)

// customerSocket is one as a test holds it.
type customerSocket struct {
	t    testing.TB
	conn *websocket.Conn
}

func customerURL(s *Server) string { return strings.Replace(s.URL(), "http", "ws", 1) + "/v1/chat/ws" }

func dialCustomer(t testing.TB, s *Server, uid string) *customerSocket {
	t.Helper()
	conn, resp, err := websocket.Dial(context.Background(), customerURL(s), &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + tokenFor(t, uid)}}, Subprotocols: []string{"cs.chat.v1"},
	})
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, resp)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &customerSocket{t, conn}
}

// say sends a message and gives what comes back.
func (w *customerSocket) say(format string, args ...any) gjson.Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		w.t.Fatal(err)
	}
	_, b, err := w.conn.Read(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return gjson.ParseBytes(b)
}

// Turns over a socket are those of HTTP: one dialog goes on over both, and a turn that
// is sent again over the other has the same bytes.
func TestCustomersTurnsAreThoseOfHTTP(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	w := dialCustomer(t, s, "u1")
	one := w.say(`{"text":"双十一的赠品什么颜色","turn_id":"t-1"}`)
	id := one.Get("dialog_id").Str
	if one.Get("answer").Str != "answer 1" || one.Get("seq").Int() != 1 || one.Get("turn_id").Str != "t-1" || len(id) != dialog.IDLen {
		t.Fatalf("first turn: %s", one.Raw)
	}
	two := w.say(`{"text":"那大小呢","dialog_id":%q,"turn_id":"t-2"}`, id)
	if two.Get("context.turns").Int() != 2 || two.Get("context.status").Str != "ok" {
		t.Errorf("second turn: %s", two.Raw)
	}
	say(t, s, "u1", id, "重量呢").want(t, "seq", "3")
	if four := w.say(`{"text":"还有吗","dialog_id":%q}`, id); four.Get("seq").Int() != 4 {
		t.Errorf("after a turn over HTTP: %s", four.Raw)
	}
	again := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), `{"text":"双十一的赠品什么颜色","turn_id":"t-1"}`)
	if again.body != one.Raw || again.header.Get("Idempotent-Replay") != "true" {
		t.Errorf("sent again over HTTP: %s\nover the socket: %s", again.body, one.Raw)
	}
	if replay := w.say(`{"text":"双十一的赠品什么颜色","turn_id":"t-1"}`); replay.Raw != one.Raw {
		t.Errorf("sent again over the socket: %s", replay.Raw)
	}
	if got := s.surface.Outcomes()["200"]; got != 6 {
		t.Errorf("%d turns are counted, want 6", got)
	}
}

// What is refused over HTTP is refused over a socket, in a document that names the turn,
// and the socket stays open.
func TestCustomersRefusals(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.user", "0.01/s", "limit.user_burst", "9"))
	w := dialCustomer(t, s, "u1")
	theirs := say(t, s, "u2", "", "第一句话").get("dialog_id").String()
	for _, c := range []struct {
		message string
		status  int64
		code    string
		turn    string
	}{
		{`hello`, 400, "bad-request", ""},
		{`{"text":"x","turn_id":"t-1","extra":1}`, 400, "bad-request", "t-1"},
		{`{"text":"x","text":"y","turn_id":"t-1"}`, 400, "bad-request", "t-1"},
		{`{"text":" ","turn_id":"t-1"}`, 422, "invalid-field", "t-1"},
		{`{"text":"x","turn_id":"no good id"}`, 422, "invalid-field", ""},
		{`{"text":"x","uid":"u2","turn_id":"t-1"}`, 403, "uid-mismatch", "t-1"},
		{`{"text":"x","dialog_id":"` + theirs + `","turn_id":"t-1"}`, 404, "not-found", "t-1"},
		{`{"text":"说点什么吧","turn_id":"t-2"}`, 0, "", "t-2"},
		{`{"text":"说点别的吧","turn_id":"t-2"}`, 422, "turn-id-reused", "t-2"},
		{`{"text":"还有吗","turn_id":"t-3"}`, 429, "rate-limited", "t-3"},
	} {
		got := w.say("%s", c.message)
		if got.Get("status").Int() != c.status || got.Get("code").Str != c.code || got.Get("turn_id").Str != c.turn {
			t.Errorf("%s: %s", c.message, got.Raw)
		}
		if wait := got.Get("retry_after_s"); wait.Exists() != (c.status == 429) {
			t.Errorf("%s: when to come back: %s", c.message, got.Raw)
		}
	}
}

func TestWhoMayOpenACustomersSocket(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "customer.max_sockets_user", "1"))
	head := func(bearer string, more ...string) []string {
		h := []string{
			"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
			"Sec-WebSocket-Protocol: cs.chat.v1",
		}
		if bearer != "" {
			h = append(h, "Authorization: Bearer "+bearer)
		}
		return append(h, more...)
	}
	pass := func(bearer string) string {
		r := send(t, "POST", s.URL()+"/v1/chat/ticket", bearer, "")
		if r.status != 200 {
			t.Fatalf("ticket: %d %s", r.status, r.body)
		}
		return r.get("ticket").String()
	}
	good := pass(tokenFor(t, "u2"))
	agents := send(t, "POST", s.URL()+"/v1/agent/ticket", tokenOf(t, "agent-1", "default", "agent"), "").get("ticket").String()
	for _, c := range []struct {
		name, path string
		head       []string
		want       int
	}{
		{"nobody", "/v1/chat/ws", head(""), 401},
		{"an agent", "/v1/chat/ws", head(tokenOf(t, "agent-1", "default", "agent")), 403},
		{"an agent's pass", "/v1/chat/ws?ticket=" + agents, head(""), 403},
		{"a token in the query", "/v1/chat/ws?token=" + tokenFor(t, "u1"), head(tokenFor(t, "u1")), 401},
		{"another subprotocol", "/v1/chat/ws", append(head(tokenFor(t, "u1"))[:4], "Authorization: Bearer "+tokenFor(t, "u1")), 400},
		{"a page of elsewhere", "/v1/chat/ws", head(tokenFor(t, "u1"), "Origin: https://evil.example"), 403},
		{"a customer", "/v1/chat/ws", head(tokenFor(t, "u1")), 101},
		{"the same once more", "/v1/chat/ws", head(tokenFor(t, "u1")), 429},
		{"a pass", "/v1/chat/ws?ticket=" + good, head(""), 101},
		{"a pass once more", "/v1/chat/ws?ticket=" + good, head(""), 401},
	} {
		if _, resp := upgradeRawAt(t, s, c.path, c.head...); resp.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, resp.StatusCode, c.want)
		}
	}
	if got := s.customers.Open(); got != 2 {
		t.Errorf("%d sockets are open, want 2", got)
	}
}

// A socket does not outlive the token that opened it.
func TestASocketEndsWithItsToken(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	v := token.NewVerifier(map[string][]byte{"k1": []byte(testSecret)}, time.Now)
	// Tokens are taken for half a minute longer than they say.
	for _, socket := range []struct {
		role          token.Role
		url, protocol string
	}{{token.User, customerURL(s), "cs.chat.v1"}, {token.Agent, agentURL(s), "cs.agent.v1"}} {
		short, err := v.Sign(token.Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: socket.role}, "k1", -28*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		endsWithItsToken(t, socket.url, socket.protocol, short)
	}
}

// endsWithItsToken opens a socket with a token that runs out soon, and sees it closed.
func endsWithItsToken(t *testing.T, url, protocol, short string) {
	t.Helper()
	conn, _, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + short}}, Subprotocols: []string{protocol},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for err == nil { // it may be greeted first
		_, _, err = conn.Read(ctx)
	}
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("when the token has run out: %v", err)
	}
}

// What no browser sends ends the socket with the code that RFC 6455 has for it, and
// leaves nothing behind.
func TestHostileFramesEndACustomersSocket(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 16<<10+1)
	cases := map[string]struct {
		send []byte
		want int
	}{
		"unmasked frame":              {[]byte{opFin | opText, 2, '{', '}'}, 1002},
		"length with the sign bit":    {maskedWithLength(opFin|opText, 1<<63, nil), 1002},
		"one byte over the limit":     {masked(opFin|opText, big), 1009},
		"over the limit in fragments": {join(masked(opText, big[:16<<10]), masked(opCont, nil), masked(opFin|opCont, []byte("x"))), 1009},
		"compressed":                  {masked(opFin|0x40|opText, []byte{0xaa, 0x56, 0x00}), 1002},
		"opcode 3":                    {masked(opFin|3, []byte("{}")), 1002},
		"binary":                      {masked(opFin|opBin, []byte(`{"text":"x"}`)), 1003},
		"bad UTF-8":                   {masked(opFin|opText, []byte("{\"text\":\"\xff\"}")), 1007},
		"normal close":                {masked(opFin|opEnd, []byte{3, 232}), 1000},
		"goes without a word":         {nil, 0},
		"goes within a frame":         {maskedWithLength(opFin|opText, 100, []byte("{")), 0},
	}
	l := newScriptedLLM(t)
	ignore := goleak.IgnoreCurrent()
	s, err := Start(context.Background(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, resp := upgradeRawAt(t, s, "/v1/chat/ws", append(upgradeHead(tokenFor(t, "u1")), "Sec-WebSocket-Protocol: cs.chat.v1")...)
			if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-Websocket-Extensions") != "" {
				t.Fatalf("upgrade: %d %v", resp.StatusCode, resp.Header)
			}
			if _, err := r.conn.Write(c.send); err != nil {
				t.Fatal(err)
			}
			if c.want == 0 {
				r.conn.Close()
				return
			}
			if got := r.closeCode(); got != c.want {
				t.Errorf("closed with %d, want %d", got, c.want)
			}
			r.conn.Close()
		})
	}
	waitFor(t, func() bool { return s.customers.Open() == 0 })
	waitFor(t, func() bool { open, most := s.connections.now(); return open == 0 && most >= 1 })
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, ignore)
}

// The server tells how often it asked Redis: a turn of a dialog twice.
func TestRoundTripsAreCounted(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "tiers.enabled", "false"))
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	trips := func() int64 {
		return send(t, "GET", s.AdminURL()+"/admin/state", "", "").get("redis_round_trips").Int()
	}
	const turns = 50
	before := trips()
	for range turns {
		if r := say(t, s, "u1", id, "还有呢"); r.status != 200 {
			t.Fatalf("%d %s", r.status, r.body)
		}
	}
	// What the server asks by itself is a few questions a second.
	if got := trips() - before; got < 2*turns || got > 2*turns+turns/2 {
		t.Errorf("%d round trips of %d turns", got, turns)
	}
}
