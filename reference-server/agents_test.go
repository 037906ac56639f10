package refserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/token"
)

// testAgent is an agent as a test plays one.
type testAgent struct {
	t    testing.TB
	conn *websocket.Conn
}

func tokenOf(t testing.TB, uid, tenant, role string) string {
	t.Helper()
	return signed(t, tenant, uid, token.Role(role))
}

func agentURL(s *Server) string { return strings.Replace(s.URL(), "http", "ws", 1) + "/v1/agent/ws" }

// dialAgent opens a socket and reads its hello.
func dialAgent(t testing.TB, s *Server, uid, tenant string) *testAgent {
	t.Helper()
	d := dialWith(t, agentURL(s), http.Header{"Authorization": {"Bearer " + tokenOf(t, uid, tenant, "agent")}})
	if hello := d.next(); hello.Get("type").Str != "hello" || hello.Get("agent").Str != uid || hello.Get("protocol").Str != "cs.agent.v1" || hello.Get("ping_s").Num <= 0 {
		t.Fatalf("hello %s", hello.Raw)
	}
	return d
}

func dialWith(t testing.TB, url string, h http.Header) *testAgent {
	t.Helper()
	conn, resp, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{HTTPHeader: h, Subprotocols: []string{"cs.agent.v1"}})
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, resp)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &testAgent{t, conn}
}

func (d *testAgent) say(v any) {
	d.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := d.conn.Write(ctx, websocket.MessageText, b); err != nil {
		d.t.Errorf("write: %v", err)
	}
}

func (d *testAgent) read() (gjson.Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, b, err := d.conn.Read(ctx)
	return gjson.ParseBytes(b), err
}

func (d *testAgent) next() gjson.Result {
	d.t.Helper()
	r, err := d.read()
	if err != nil {
		d.t.Fatalf("read: %v", err)
	}
	return r
}

// want reads one message and holds its members against pairs of path and value.
func (d *testAgent) want(pairs ...string) gjson.Result {
	d.t.Helper()
	return d.hold(d.next(), pairs)
}

// wantPast is want behind messages of a type that may come more than once.
func (d *testAgent) wantPast(kind string, pairs ...string) gjson.Result {
	d.t.Helper()
	r := d.next()
	for r.Get("type").Str == kind {
		r = d.next()
	}
	return d.hold(r, pairs)
}

func (d *testAgent) hold(r gjson.Result, pairs []string) gjson.Result {
	d.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := r.Get(pairs[i]).String(); got != pairs[i+1] {
			d.t.Errorf("%s = %q, want %q in %s", pairs[i], got, pairs[i+1], r.Raw)
		}
	}
	return r
}

func (d *testAgent) subscribe(waiting string, queues ...string) {
	d.t.Helper()
	d.say(map[string]any{"type": "subscribe", "queues": queues})
	d.want("type", "subscribed", "waiting", waiting)
}

func (d *testAgent) claim(id string) { d.say(map[string]string{"type": "claim", "ticket_id": id}) }

func (d *testAgent) reply(id, text string) {
	d.say(map[string]string{"type": "reply", "ticket_id": id, "text": text})
}

func TestTicketGoesToAnAgentAndTheReplyComesBack(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	a := dialAgent(t, s, "agent-1", "default")
	a.subscribe("0", "*")
	before := time.Now()
	asked := say(t, s, "u1", "", "我要投诉你们,我的电话13812345678 ⟦c:AAAAAAAA.1⟧")
	id, dialog := asked.get("ticket.id").String(), asked.get("dialog_id").String()
	pushed := a.want("type", "ticket", "ticket.id", id, "ticket.queue", "complaint", "ticket.dialog_id", dialog, "ticket.trace_id", asked.get("trace_id").String(),
		"ticket.text", "我要投诉你们,我的电话***********", "ticket.eta_s", "30")
	if at, err := time.Parse(time.RFC3339Nano, pushed.Get("ticket.asked_at").Str); err != nil || at.Before(before) || at.After(time.Now()) || !strings.HasSuffix(pushed.Get("ticket.asked_at").Str, "Z") {
		t.Errorf("asked_at %s: %v", pushed.Raw, err)
	}
	a.reply(id, "在吗")
	a.want("type", "error", "code", "not-claimed", "ticket_id", id)
	a.claim(id)
	a.want("type", "claimed", "ticket_id", id)
	shown := send(t, "GET", s.URL()+"/v1/tickets/"+id, tokenFor(t, "u1"), "")
	shown.want(t, "state", "claimed")
	shown.want(t, "agent", "agent-1")
	a.reply(id, strings.Repeat("长", 2001))
	a.want("type", "error", "code", "too-long", "ticket_id", id)
	a.reply(id, " \n")
	a.want("type", "error", "code", "empty")
	a.reply(id, "已为您处理,请拨打13987654321")
	a.want("type", "replied", "ticket_id", id)
	shown = send(t, "GET", s.URL()+"/v1/tickets/"+id, tokenFor(t, "u1"), "")
	shown.want(t, "state", "closed")
	shown.want(t, "reply", "已为您处理,请拨打***********")
	waitFor(t, func() bool { // it goes to Redis beside the answer
		return send(t, "GET", s.URL()+"/v1/tickets/"+id, tokenFor(t, "u1"), "").get("eta_s").Int() == 30
	})
	if ms := shown.get("asked_unix_ms").Int(); ms < before.UnixMilli() || ms > time.Now().UnixMilli() {
		t.Errorf("asked_unix_ms %d", ms)
	}
	a.reply(id, "再说一句")
	a.want("type", "error", "code", "closed", "ticket_id", id)
	a.claim(id)
	a.want("type", "lost", "ticket_id", id)

	history := send(t, "GET", s.URL()+"/v1/dialogs/"+dialog, tokenFor(t, "u1"), "")
	history.want(t, "turns.0.replies.0.text", "已为您处理,请拨打***********")
	history.want(t, "turns.0.replies.0.agent", "agent-1")
	history.want(t, "turns.0.replies.#", "1")
	next := say(t, s, "u1", dialog, "那好的 ⟦c:AAAAAAAA.2⟧")
	next.want(t, "context.status", "ok")
	next.want(t, "seq", "2")
	next.want(t, "context.turns", "2")
	var roles []string
	for _, m := range gjson.Get(l.body(0), "messages").Array() {
		roles = append(roles, m.Get("role").Str+":"+m.Get("content").Str)
	}
	want := []string{"user:我要投诉你们,我的电话*********** ⟦c:AAAAAAAA.1⟧", "assistant:" + answer.HandoffText, "assistant:已为您处理,请拨打***********", "user:那好的 ⟦c:AAAAAAAA.2⟧"}
	if len(roles) != 5 || strings.Join(roles[1:], "|") != strings.Join(want, "|") {
		t.Errorf("prompt %q, want after the system's %q", roles, want)
	}
	third := say(t, s, "u1", dialog, "再问一句")
	third.want(t, "seq", "3")
	third.want(t, "persisted", "true")
}

// A claim without a reply runs out: the ticket is pushed again, to those who
// had it, too, on every server.
func TestATicketWhoseAgentIsSilentIsPushedAgain(t *testing.T) {
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	s, other := startOn(t, l.url, "redis://"+m.Addr()), startOn(t, l.url, "redis://"+m.Addr())
	silent, near, far := dialAgent(t, s, "agent-1", "default"), dialAgent(t, s, "agent-2", "default"), dialAgent(t, other, "agent-3", "default")
	all := []*testAgent{silent, near, far}
	for _, d := range all {
		d.subscribe("0", "*")
	}
	id := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
	for _, d := range all {
		d.want("type", "ticket", "ticket.id", id)
	}
	silent.claim(id)
	silent.want("type", "claimed")
	for _, srv := range []*Server{s, other} {
		if r := send(t, "PUT", srv.AdminURL()+"/admin/knobs", "", `{"agent.hold":"50ms"}`); r.status != 200 {
			t.Fatal(r.body)
		}
	}
	// The first look was due in 5 s when the hold was 10 min.
	for _, d := range all {
		d.want("type", "ticket", "ticket.id", id)
	}
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"agent.hold":"10m"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	if r := send(t, "PUT", other.AdminURL()+"/admin/knobs", "", `{"agent.hold":"10m"}`); r.status != 200 {
		t.Fatal(r.body)
	}
	silent.reply(id, "还在吗")
	silent.want("type", "error", "code", "not-claimed")
	far.claim(id)
	far.want("type", "claimed")
}

// What is in the journal when the server goes down is written before it ends.
func TestTheJournalIsWrittenBeforeTheEnd(t *testing.T) {
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	s := startOn(t, l.url, "redis://"+m.Addr())
	force(t, s, "static")
	id := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
	if m.Exists("tkt:{" + id + "}") {
		t.Fatal("the ticket is in Redis already")
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := m.HGet("tkt:{"+id+"}", "state"); got != "open" {
		t.Errorf("state %q, want open", got)
	}
}

func TestAgentMetricsHaveClosedLabelSets(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	a := dialAgent(t, s, "agent-1", "default")
	a.subscribe("0", "*")
	waitFor(t, func() bool { return s.desk.OnDuty()["complaint"] == 1 }) // else it comes with what waits
	id := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
	a.want("type", "ticket")
	series := func() int {
		return strings.Count(send(t, "GET", s.AdminURL()+"/metrics", "", "").body, "\nws_")
	}
	before := series()
	a.say(map[string]string{"type": "dance-" + id})
	a.want("type", "error")
	a.claim(id)
	a.want("type", "claimed")
	a.claim(ticketID(1))
	a.want("type", "error")
	a.reply(id, "好")
	a.want("type", "replied")
	_ = a.conn.Close(4321, "own code")
	waitFor(t, func() bool { return s.desk.Sockets() == 0 })
	r := send(t, "GET", s.AdminURL()+"/metrics", "", "")
	for _, want := range []string{
		`ws_sockets 0`, `ws_upgrades_total{result="accepted"} 1`, `ws_closes_total{code="other"} 1`, `ws_messages_total{direction="in",type="other"} 1`,
		`ws_messages_total{direction="in",type="claim"} 2`, `ws_messages_total{direction="out",type="ticket"} 1`, `ws_messages_total{direction="out",type="error"} 2`,
		`ws_claims_total{outcome="claimed"} 1`, `ws_claims_total{outcome="not-found"} 1`, `ws_replies_total{outcome="replied"} 1`, `ws_push_delay_seconds_count 1`,
	} {
		if !strings.Contains(r.body, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if after := series(); after != before {
		t.Errorf("%d series became %d", before, after)
	}
}
