package refserver

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/coder/websocket"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/token"
	"go.uber.org/goleak"
)

// An agent of another tenant sees no ticket, and cannot tell one it may not
// have from one that is not there.
func TestAgentsSeeTheirOwnTenantOnly(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		s, other := startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)
		early := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
		own, foreign, remote := dialAgent(t, s, "agent-1", "default"), dialAgent(t, s, "agent-1", "t2"), dialAgent(t, other, "agent-1", "t2")
		own.subscribe("1", "*")
		own.want("type", "ticket", "ticket.id", early)
		foreign.subscribe("0", "*")
		remote.subscribe("0", "*")
		late := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
		own.want("type", "ticket", "ticket.id", late)
		force(t, s, "static")
		journaled := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
		own.want("type", "ticket", "ticket.id", journaled)
		for _, d := range []*testAgent{foreign, remote} {
			for _, id := range []string{early, late, testDialog} {
				d.claim(id)
				want := fmt.Sprintf(`{"type":"error","code":"not-found","ticket_id":%q}`, id)
				if got := d.next().Raw; got != want { // the first message it gets: nothing was pushed
					t.Errorf("%s, want %s", got, want)
				}
				d.reply(id, "别家的")
				if got := d.next().Raw; got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		}
		foreign.claim(journaled)
		foreign.want("type", "error", "code", "not-found")
		theirs := send(t, "POST", s.URL()+"/v1/chat", tokenOf(t, "u1", "t2", "user"), `{"text":"我要投诉"}`).get("ticket.id").String()
		foreign.want("type", "ticket", "ticket.id", theirs)
		force(t, s, "llm")
		own.claim(early)
		own.want("type", "claimed", "ticket_id", early)
		remote.want("type", "ticket", "ticket.id", theirs)
		if r := send(t, "GET", s.URL()+"/v1/tickets/"+early, tokenFor(t, "u1"), ""); r.get("agent").String() != "agent-1" || r.get("state").String() != "claimed" {
			t.Errorf("%s", r.body)
		}
	})
}

// An agent is told of its queues, and of no other.
func TestAgentsSeeTheirOwnQueuesOnly(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	a := dialAgent(t, s, "agent-1", "default")
	a.say(map[string]any{"type": "subscribe", "queues": []string{"order", "safety"}})
	a.want("type", "subscribed", "queues", `["order","safety"]`, "waiting", "0")
	complaint := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
	order := say(t, s, "u1", "", "帮我取消订单").get("ticket.id").String()
	a.want("type", "ticket", "ticket.id", order, "ticket.queue", "order")
	a.subscribe("1", "complaint")
	a.want("type", "ticket", "ticket.id", complaint, "ticket.queue", "complaint")
	say(t, s, "u1", "", "帮我取消订单")
	fire := say(t, s, "u1", "", "充电宝起火了")
	a.subscribe("1", "safety")
	a.want("type", "ticket", "ticket.id", fire.get("ticket.id").String())
}

// upgradeStatus is the answer to an upgrade with other header lines.
func upgradeStatus(t *testing.T, s *Server, query string, head ...string) (int, gjson.Result, http.Header) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL()+"/v1/agent/ws"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range append([]string{"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: cs.agent.v1"}, head...) {
		name, value, _ := strings.Cut(line, ": ")
		req.Header[http.CanonicalHeaderKey(name)] = []string{value}
		if value == "" {
			req.Header.Del(name)
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, gjson.Result{}, resp.Header
	}
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	return resp.StatusCode, gjson.ParseBytes(b.Bytes()), resp.Header
}

func TestWhoMayOpenAnAgentsSocket(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.TrustedOrigins = []string{"https://desk.example"} })
	bearer := func(role string) string { return "Authorization: Bearer " + tokenOf(t, "agent-1", "default", role) }
	good := bearer("agent")
	host := s.publicAddr
	_, port, _ := strings.Cut(host, ":")
	for name, c := range map[string]struct {
		query  string
		head   []string
		status int
		code   string
	}{
		"good":                          {"", []string{good}, 101, ""},
		"page of this host":             {"", []string{good, "Origin: http://" + host}, 101, ""},
		"page on the list":              {"", []string{good, "Origin: https://desk.example"}, 101, ""},
		"no token":                      {"", nil, 401, "unauthorized"},
		"bad token":                     {"", []string{good + "x"}, 401, "unauthorized"},
		"role user":                     {"", []string{bearer("user")}, 403, "forbidden"},
		"token in the query":            {"?token=" + tokenOf(t, "agent-1", "default", "agent"), nil, 401, "unauthorized"},
		"token in the query, too":       {"?access_token=x", []string{good}, 401, "unauthorized"},
		"token for a ticket":            {"?ticket=" + tokenOf(t, "agent-1", "default", "agent"), nil, 401, "unauthorized"},
		"made-up ticket":                {"?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAA", nil, 401, "unauthorized"},
		"empty ticket":                  {"?ticket=", nil, 401, "unauthorized"},
		"ticket beside a token":         {"?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAA", []string{good}, 401, "unauthorized"},
		"page of another host":          {"", []string{good, "Origin: http://evil.example"}, 403, "origin"},
		"page of another port":          {"", []string{good, "Origin: http://127.0.0.1:1"}, 403, "origin"},
		"host as a suffix":              {"", []string{good, "Origin: http://" + host + ".evil.example"}, 403, "origin"},
		"host as a user":                {"", []string{good, "Origin: http://" + host + "@evil.example"}, 403, "origin"},
		"list entry as a suffix":        {"", []string{good, "Origin: https://desk.example.evil"}, 403, "origin"},
		"list entry, another scheme":    {"", []string{good, "Origin: http://desk.example"}, 403, "origin"},
		"sandboxed page":                {"", []string{good, "Origin: null"}, 403, "origin"},
		"file":                          {"", []string{good, "Origin: file://" + host}, 403, "origin"},
		"no subprotocol":                {"", []string{good, "Sec-WebSocket-Protocol: "}, 400, "subprotocol"},
		"another subprotocol":           {"", []string{good, "Sec-WebSocket-Protocol: cs.agent.v2, chat"}, 400, "subprotocol"},
		"no key":                        {"", []string{good, "Sec-WebSocket-Key: "}, 400, "handshake"},
		"short key":                     {"", []string{good, "Sec-WebSocket-Key: AAAA"}, 400, "handshake"},
		"no upgrade":                    {"", []string{good, "Upgrade: "}, 426, "upgrade-required"},
		"upgrade to something else":     {"", []string{good, "Upgrade: h2c"}, 426, "upgrade-required"},
		"version 8":                     {"", []string{good, "Sec-WebSocket-Version: 8"}, 426, "upgrade-required"},
		"role before what is not asked": {"", []string{bearer("user"), "Origin: http://evil.example"}, 403, "forbidden"},
	} {
		status, body, h := upgradeStatus(t, s, c.query, c.head...)
		if status != c.status || body.Get("code").Str != c.code {
			t.Errorf("%s: %d %s, want %d %s", name, status, body.Raw, c.status, c.code)
		}
		if status == 426 && (h.Get("Upgrade") != "websocket" || h.Get("Sec-Websocket-Version") != "13") {
			t.Errorf("%s: %v does not say what is needed", name, h)
		}
	}
	// A name that was made to resolve to loopback is no page of this server.
	rebound, resp := upgradeRaw(t, s, append(upgradeHead(tokenOf(t, "agent-1", "default", "agent")), "Origin: http://evil.example:"+port)...)
	if rebound.conn.Close(); resp.StatusCode != http.StatusForbidden {
		t.Errorf("rebound name: %d, want 403", resp.StatusCode)
	}
	for _, want := range []string{
		`ws_upgrades_total{result="accepted"} 3`, `ws_upgrades_total{result="subprotocol"} 2`, `ws_upgrades_total{result="handshake"} 2`,
		`ws_upgrades_total{result="origin"} 9`, `ws_upgrades_total{result="upgrade-required"} 3`, `chat_requests_total{route="agent",status="101"} 3`,
	} {
		if r := send(t, "GET", s.AdminURL()+"/metrics", "", ""); !strings.Contains(r.body, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestHTTP2CannotBeUpgraded(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.H2C = true })
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &p}
	defer tr.CloseIdleConnections()
	req, _ := http.NewRequest(http.MethodGet, s.URL()+"/v1/agent/ws", nil)
	req.Header.Set("Authorization", "Bearer "+tokenOf(t, "agent-1", "default", "agent"))
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("%d, want 426", resp.StatusCode)
	}
}

// A ticket opens one socket, on whichever server, and no second one.
func TestOneTimeTicketsAreGoodOnce(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		s, other := startOn(t, l.url, redisURL), startOn(t, l.url, redisURL)
		mint := func(uid, tenant string) string {
			r := send(t, "POST", s.URL()+"/v1/agent/ticket", tokenOf(t, uid, tenant, "agent"), "")
			if r.status != 200 || r.get("expires_in_s").Int() != 30 || len(r.get("ticket").String()) < 26 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			return r.get("ticket").String()
		}
		ticket := mint("agent-7", "t2")
		for _, key := range s.redis.Keys(t.Context(), "*").Val() {
			if strings.Contains(key, ticket) {
				t.Errorf("Redis holds the ticket itself: %s", key)
			}
		}
		d := dialWith(t, agentURL(other)+"?ticket="+ticket, nil)
		d.want("type", "hello", "agent", "agent-7")
		if status, body, _ := upgradeStatus(t, s, "?ticket="+ticket); status != 401 {
			t.Errorf("used twice: %d %s, want 401", status, body.Raw)
		}
		d.subscribe("0", "*")
		theirs := send(t, "POST", s.URL()+"/v1/chat", tokenOf(t, "u1", "t2", "user"), `{"text":"转人工"}`).get("ticket.id").String()
		d.want("type", "ticket", "ticket.id", theirs)

		contested := mint("agent-8", "default")
		var all sync.WaitGroup
		got := make([]int, 20)
		for i := range got {
			all.Go(func() { got[i], _, _ = upgradeStatus(t, []*Server{s, other}[i%2], "?ticket="+contested) })
		}
		all.Wait()
		count := map[int]int{}
		for _, status := range got {
			count[status]++
		}
		if count[101] != 1 || count[401] != 19 {
			t.Errorf("of 20 with one ticket: %v, want one 101", count)
		}
		if r := send(t, "POST", s.URL()+"/v1/agent/ticket", tokenFor(t, "u1"), ""); r.status != 403 {
			t.Errorf("a user got a ticket: %d %s", r.status, r.body)
		}
		mint("agent-9", "default")
		passes := s.redis.Keys(t.Context(), "agt:*").Val()
		if len(passes) == 0 {
			t.Fatal("no pass is kept")
		}
		ttl := s.redis.TTL(t.Context(), passes[0]).Val()
		if ttl <= 0 || ttl > token.PassLife {
			t.Errorf("ttl %v, want up to %v", ttl, token.PassLife)
		}
	})
}

func TestTicketsExpire(t *testing.T) {
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	s := startOn(t, l.url, "redis://"+m.Addr())
	ticket := send(t, "POST", s.URL()+"/v1/agent/ticket", tokenOf(t, "agent-1", "default", "agent"), "").get("ticket").String()
	m.FastForward(token.PassLife + time.Second)
	if status, body, _ := upgradeStatus(t, s, "?ticket="+ticket); status != 401 {
		t.Errorf("%d %s, want 401", status, body.Raw)
	}
	m.Close()
	if r := send(t, "POST", s.URL()+"/v1/agent/ticket", tokenOf(t, "agent-1", "default", "agent"), ""); r.status != 503 || r.get("code").String() != "state-unavailable" {
		t.Errorf("without Redis: %d %s, want 503", r.status, r.body)
	}
	if status, body, _ := upgradeStatus(t, s, "?ticket="+ticket); status != 503 {
		t.Errorf("without Redis: %d %s, want 503", status, body.Raw)
	}
}

func TestSocketsAreBounded(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "agent.max_sockets", "2"))
	one := dialAgent(t, s, "agent-1", "default")
	dialAgent(t, s, "agent-2", "default")
	good := "Authorization: Bearer " + tokenOf(t, "agent-3", "default", "agent")
	status, body, h := upgradeStatus(t, s, "", good)
	if status != 503 || body.Get("code").Str != "sockets-full" || h.Get("Retry-After") != "5" {
		t.Errorf("the third: %d %s %v, want 503", status, body.Raw, h)
	}
	_ = one.conn.Close(websocket.StatusNormalClosure, "")
	waitFor(t, func() bool { return s.desk.Sockets() == 1 })
	dialAgent(t, s, "agent-3", "default")
	if r := send(t, "GET", s.AdminURL()+"/metrics", "", ""); !strings.Contains(r.body, "ws_sockets 2\n") || !strings.Contains(r.body, "chat_inflight_requests 0\n") {
		t.Error("the gauges do not tell sockets from turns")
	}
}

// A server that goes down tells every agent so, finishes the turns, and passes
// their tickets on to the agents of other servers.
func TestDrainSendsAgentsAway(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	other := startOn(t, l.url, "redis://"+m.Addr())
	remote := dialAgent(t, other, "agent-9", "default")
	remote.subscribe("0", "*")
	var log lockedBuffer
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, Config{
		LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, Redis: "redis://" + m.Addr(), Log: &log,
		Knobs: map[string]string{"redis.timeout": "2s", "log.requests": "all", "chat.deadline": "20s", "chat.degrade_at": "20s", "llm.timeout": "20s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	entered, gate := make(chan struct{}), make(chan struct{})
	l.set(func(int, *http.Request, string) (int, string) {
		close(entered)
		<-gate
		return 400, ""
	})
	var agents []*testAgent
	for i := range 30 {
		a := dialAgent(t, s, fmt.Sprint("agent-", i), "default")
		a.subscribe("0", "*")
		agents = append(agents, a)
	}
	mute := rawAgent(t, s) // never answers a close
	tok := tokenFor(t, "u1")
	got := make(chan reply, 1)
	go func() { got <- send(t, "POST", s.URL()+"/v1/chat", tok, `{"text":"饺子皮擀多厚"}`) }()
	<-entered
	cancel()
	for _, a := range agents {
		if _, err := a.read(); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("%v, want close 1001", err)
		}
	}
	if code := mute.closeCode(); code != 1001 {
		t.Errorf("closed with %d, want 1001", code)
	}
	close(gate)
	asked := <-got
	asked.want(t, "tier", "handoff")
	remote.want("type", "ticket", "ticket.id", asked.get("ticket.id").String())
	<-s.Done()
	if n := s.desk.Sockets(); n != 0 {
		t.Errorf("%d sockets left", n)
	}
	// The other server and the Redis of the test serve connections as they come
	// and go: only when both have ended is what is left a leak.
	if err := other.Close(context.Background()); err != nil {
		t.Error(err)
	}
	m.Close()
	l.close()
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, ignore)
	upgrades := strings.Count(log.String(), `"route":"agent","status":101`)
	left := strings.Count(log.String(), `"msg":"agent left"`)
	if upgrades != 31 || left != 31 {
		t.Errorf("%d upgrades and %d departures in the log, want 31 of each", upgrades, left)
	}
}

// lockedBuffer takes log lines from many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
