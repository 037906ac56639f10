package driver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"github.com/golang-jwt/jwt/v5"
)

// handed is a target whose questions go to agents.
func handed(s *chatServer) *scenario.Target {
	return &scenario.Target{URL: s.URL, Mode: "agents", Timeout: unit.Duration(10 * time.Second)}
}

// ask has one turn on a line of its own.
func ask(d Driver, text string) Reply {
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte(text)}, &r)
	r.Answer = slices.Clone(r.Answer)
	line.Free(&Reply{buffer: r.buffer})
	r.buffer = nil
	return r
}

// awaited waits until n turns wait for their tickets.
func awaited(t *testing.T, d Driver, n int) {
	t.Helper()
	eventually(t, "that many turns wait", func() bool { return d.(*client).agents.State().Waiting == n })
}

func says(t *testing.T, r Reply, reason Reason, message string) {
	t.Helper()
	if r.Reason != reason || r.Message != message {
		t.Errorf("reason %d %q, want %d %q", r.Reason, r.Message, reason, message)
	}
}

// A turn is done when an agent is shown its ticket, whatever claim and reply
// take; the winner's reply is the scenario's.
func TestDoneIsThePush(t *testing.T) {
	s := newChatServer(t, false)
	base := time.Now()
	var pushed, confirmed time.Duration
	s.desk.delay = func(string) {
		time.Sleep(30 * time.Millisecond) // the push comes after the answer, by a time that shows
		pushed = time.Since(base)
	}
	s.desk.confirm = func(*deskTicket) (string, string) {
		confirmed = time.Since(base)
		return "replied", ""
	}
	target := handed(s)
	target.Agents = &scenario.Agents{Reply: "好的 \"A\"\n$5"}
	r := ask(open(t, target, Options{Base: base}), "转人工")
	says(t, r, Complete, "")
	if r.Done < pushed || r.Done > confirmed || r.FirstByte >= r.Done || r.Status != 200 || !strings.Contains(string(r.Answer), "转人工") {
		t.Errorf("first byte %s, pushed %s, done %s, confirmed %s; status %d %q", r.FirstByte, pushed, r.Done, confirmed, r.Status, r.Answer)
	}
	if text, _ := s.desk.texts.Load("t1"); text != "好的 \"A\"\n$5" || s.desk.replies.Load() != 1 {
		t.Errorf("reply %q, %d in all", text, s.desk.replies.Load())
	}
}

// A push may come before the answer that names its ticket; the turn is done with
// the answer then.
func TestPushBeforeTheAnswer(t *testing.T) {
	base := time.Now()
	desk := newDesk(t)
	desk.early = true
	var answered time.Duration
	url := deskOnly(t, desk, func(w http.ResponseWriter, _ *http.Request) {
		desk.open("early", "")
		time.Sleep(30 * time.Millisecond) // so that the push is read first
		answered = time.Since(base)
		io.WriteString(w, `{"answer":"ok","ticket":{"id":"early"}}`) //nolint:errcheck // the client may be gone
	})
	d := open(t, &scenario.Target{URL: url, Mode: "agents"}, Options{Base: base})
	r := ask(d, "hi")
	says(t, r, Complete, "")
	if r.Done < answered || r.Done < r.FirstByte || desk.replies.Load() != 1 {
		t.Errorf("answered %s, first byte %s, done %s, %d replies", answered, r.FirstByte, r.Done, desk.replies.Load())
	}
}

// deskOnly serves the agents' side and one way to answer questions.
func deskOnly(t *testing.T, desk http.Handler, chat http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /v1/agent/ws", desk)
	mux.HandleFunc("POST /v1/chat", chat)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func answerWith(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) } //nolint:errcheck // the client may be gone
}

// What is wrong with a hand-off costs its turn, and no other.
func TestHandOffsThatFail(t *testing.T) {
	const short = 600 * time.Millisecond
	for _, c := range []struct {
		name    string
		timeout time.Duration
		set     func(*deskServer)
		reason  Reason
		message string
	}{
		{"no push", short, func(d *deskServer) { d.mute = func(text string) bool { return text == "bad" } }, TimedOut, "no agent was shown the ticket within the timeout"},
		{"two winners", 0, func(d *deskServer) { d.judge = only(2) }, Malformed, "two agents won one ticket"},
		{"no winner", 0, func(d *deskServer) { d.judge = only(0) }, Malformed, "no agent won the ticket"},
		{"no verdict", short, func(d *deskServer) { d.judge = only(-1) }, TimedOut, "a claim was not answered within the timeout"},
		{"reply refused", 0, func(d *deskServer) { d.confirm = confirm("error", "too-long") }, Malformed, "the reply of the agent who won the ticket was refused: too-long"},
		{"reply not confirmed", short, func(d *deskServer) { d.confirm = confirm("", "") }, TimedOut, "the agent's reply was not confirmed within the timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newChatServer(t, false)
			c.set(s.desk)
			target := handed(s)
			if c.timeout > 0 {
				target.Timeout = unit.Duration(c.timeout)
			}
			d := open(t, target, Options{Base: time.Now()})
			if err := d.Prepare(0); err != nil {
				t.Fatal(err)
			}
			r := ask(d, "bad")
			says(t, r, c.reason, c.message)
			if r.Status != 200 || len(r.Answer) == 0 || r.Done < r.FirstByte || c.name == "no push" && r.Done-r.Begun < short {
				t.Errorf("status %d %q begun %s first byte %s done %s", r.Status, r.Answer, r.Begun, r.FirstByte, r.Done)
			}
			// A stalled machine may time out what it should not.
			if r := ask(d, "good"); r.Reason != Complete && r.Reason != TimedOut {
				t.Errorf("the turn after: reason %d %q", r.Reason, r.Message)
			}
			if n := s.turns.Load(); n != 2 {
				t.Errorf("%d turns sent", n)
			}
		})
	}
}

// only gives that many winners to tickets of bad turns.
func only(n int) func(*deskTicket) int {
	return func(t *deskTicket) int {
		if t.text == "bad" {
			return n
		}
		return 1
	}
}

func confirm(kind, code string) func(*deskTicket) (string, string) {
	return func(t *deskTicket) (string, string) {
		if t.text == "bad" {
			return kind, code
		}
		return "replied", ""
	}
}

func TestAnswerWithoutTicket(t *testing.T) {
	for _, c := range []struct {
		body    string
		reason  Reason
		message string
	}{
		{`{"answer":"ok"}`, Malformed, "no ticket in the answer: nobody was handed the question"},
		{`{"answer":"ok","ticket":null}`, Malformed, "no ticket in the answer: nobody was handed the question"},
		{`{"answer":"ok","ticket":{"id":""}}`, Malformed, "no ticket in the answer: nobody was handed the question"},
		{`{"answer":"ok","ticket":{"id":7}}`, Malformed, "no ticket in the answer: nobody was handed the question"},
		{`{"answer":"ok","ticket":{"id":"` + strings.Repeat("x", 257) + `"}}`, Malformed, "no ticket in the answer: nobody was handed the question"},
		{`{"ticket":{"id":"t"}}`, Malformed, "no answer in the response"},
	} {
		d := open(t, &scenario.Target{URL: deskOnly(t, newDesk(t), answerWith(c.body)), Mode: "agents"}, Options{Base: time.Now()})
		says(t, ask(d, "hi"), c.reason, c.message)
	}
}

// A ticket belongs to one turn.
func TestOneTicketForTwoTurns(t *testing.T) {
	desk := newDesk(t)
	desk.mute = func(string) bool { return true }
	var asked atomic.Int64
	url := deskOnly(t, desk, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answerWith(`{"answer":"ok","ticket":{"id":"t"}}`)(w, r)
	})
	d := open(t, &scenario.Target{URL: url, Mode: "agents", Timeout: unit.Duration(time.Minute)}, Options{Base: time.Now()})
	var wg sync.WaitGroup
	wg.Go(func() { says(t, ask(d, "first"), Interrupted, "interrupted") })
	awaited(t, d, 1)
	says(t, ask(d, "second"), Malformed, "the ticket in the answer is another turn's as well")
	d.Interrupt()
	wg.Wait()
	if asked.Load() != 2 {
		t.Errorf("%d questions", asked.Load())
	}
}

// Every one of many turns at once gets its own ticket, and one reply.
func TestManyHandOffs(t *testing.T) {
	s := newChatServer(t, false)
	d := open(t, handed(s), Options{Base: time.Now()})
	const turns = 200
	var wg sync.WaitGroup
	for i := range turns {
		wg.Go(func() {
			text := fmt.Sprintf("question %d", i)
			if r := ask(d, text); r.Reason != Complete || !strings.Contains(string(r.Answer), `"`+text+`"`) || r.Done < r.FirstByte {
				t.Errorf("%s: reason %d %q, answer %q", text, r.Reason, r.Message, r.Answer)
			}
		})
	}
	wg.Wait()
	tickets := 0
	s.desk.texts.Range(func(_, text any) bool {
		tickets++
		return text == "您好,已为您处理。"
	})
	if tickets != turns || s.desk.replies.Load() != turns || s.turns.Load() != turns {
		t.Errorf("%d tickets with the reply, %d replies, %d questions, want %d", tickets, s.desk.replies.Load(), s.turns.Load(), turns)
	}
	if n := d.(*client).agents.State().Waiting; n != 0 {
		t.Errorf("%d tickets still waited for", n)
	}
}

// A socket that dies costs the turns that hang on it and is dialled again, one
// attempt at a time.
func TestSocketDies(t *testing.T) {
	s := newChatServer(t, false)
	s.desk.judge = func(t *deskTicket) int {
		if t.text == "bad" {
			for _, a := range t.claims {
				go a.conn.CloseNow() //nolint:errcheck // that is all
			}
			return -1
		}
		return 1
	}
	target := handed(s)
	target.Agents = &scenario.Agents{Sockets: 1}
	d := open(t, target, Options{Base: time.Now()})
	for range 3 {
		says(t, ask(d, "good"), Complete, "")
		r := ask(d, "bad")
		says(t, r, Broken, "agent's socket: closed by the server")
		if r.Status != 200 || r.Done < r.FirstByte {
			t.Errorf("status %d first byte %s done %s", r.Status, r.FirstByte, r.Done)
		}
	}
	says(t, ask(d, "good"), Complete, "")
	if up, most := s.desk.upgrades.Load(), s.desk.most.Load(); up != 4 || most != 1 {
		t.Errorf("%d upgrades, %d at once", up, most)
	}
}

// A turn whose push is still to come outlives the sockets it does not need, and
// ends with the last.
func TestSocketsDieBeforeThePush(t *testing.T) {
	s := newChatServer(t, false)
	s.desk.delay = func(text string) {
		s.desk.mu.Lock()
		agents := slices.Clone(s.desk.agents)
		s.desk.mu.Unlock()
		if text == "some" {
			agents = agents[1:]
		}
		for _, a := range agents {
			a.conn.CloseNow() //nolint:errcheck // that is all
		}
		for _, a := range agents {
			<-a.over // the desk counts on those who are there
		}
	}
	s.desk.mute = func(text string) bool { return text == "all" }
	d := open(t, handed(s), Options{Base: time.Now()})
	says(t, ask(d, "some"), Complete, "")
	answer := make(chan Reply)
	go func() { answer <- ask(d, "all") }()
	awaited(t, d, 1)
	s.desk.delay("all")
	says(t, <-answer, Broken, "agent's socket: closed by the server")
	s.desk.delay = nil
	says(t, ask(d, "none"), Complete, "")
}

// Without an agent's socket nothing is asked: the question would reach nobody.
func TestRefusedUpgrade(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     func(*deskServer)
		message string
	}{
		{"401", refused(401), "the upgrade was refused with status 401: refused-401"},
		{"403", refused(403), "the upgrade was refused with status 403: refused-403"},
		{"404", refused(404), "the upgrade was refused with status 404: refused-404"},
		{"redirect", refused(307), "the upgrade was refused with status 307: refused-307"},
		{"no upgrade", refused(200), "the upgrade was refused with status 200: refused-200"},
		{"no subprotocol", func(d *deskServer) { d.protocol = "cs.agent.v2" }, "the server's upgrade is not one to WebSocket and cs.agent.v1"},
		{"no hello", func(d *deskServer) { d.greeting = `{"type":"subscribed"}` }, "the server's first message is not the hello of cs.agent.v1"},
		{"other hello", func(d *deskServer) { d.greeting = `{"type":"hello","protocol":"cs.agent.v2"}` }, "the server's first message is not the hello of cs.agent.v1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newChatServer(t, false)
			c.set(s.desk)
			d := open(t, handed(s), Options{Base: time.Now()})
			r := ask(d, "hi")
			says(t, r, Unreachable, "agent's socket: "+c.message)
			if r.Status != 0 || r.Sent != 0 || r.Done < r.Begun || s.turns.Load() != 0 {
				t.Errorf("status %d sent %s done %s, %d turns sent", r.Status, r.Sent, r.Done, s.turns.Load())
			}
			if err := d.Prepare(0); err == nil || err.Error() != "4 of 4 agents: "+"agent's socket: "+c.message {
				t.Errorf("prepare: %v", err)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		d := open(t, &scenario.Target{URL: "http://127.0.0.1:1", Mode: "agents"}, Options{Base: time.Now()})
		says(t, ask(d, "hi"), Unreachable, "agent's socket: "+"connection refused")
	})
}

func refused(status int) func(*deskServer) {
	return func(d *deskServer) { d.refuse = func(*http.Request) int { return status } }
}

// A server that takes agents again after it refused them is found out about.
func TestRefusedForAWhile(t *testing.T) {
	s := newChatServer(t, false)
	var open503 atomic.Bool
	s.desk.refuse = func(*http.Request) int {
		if open503.Load() {
			return 0
		}
		return 503
	}
	d := open(t, handed(s), Options{Base: time.Now()})
	says(t, ask(d, "hi"), Unreachable, "agent's socket: "+"the upgrade was refused with status 503: refused-503")
	open503.Store(true)
	eventually(t, "all agents are back", func() bool { return d.Connections() == 4 })
	says(t, ask(d, "hi"), Complete, "")
}

func TestPrepareOpensTheAgents(t *testing.T) {
	s := newChatServer(t, true)
	target := handed(s)
	target.TLS = &scenario.TLS{CA: s.ca}
	target.Agents = &scenario.Agents{Sockets: 3, Queues: []string{"complaint", "order"}}
	d := open(t, target, Options{Base: time.Now()})
	if n := d.Connections(); n != 0 {
		t.Errorf("%d connections before", n)
	}
	for range 2 {
		if err := d.Prepare(0); err != nil {
			t.Fatal(err)
		}
		if n := d.Connections(); n != 3 || s.desk.upgrades.Load() != 3 {
			t.Errorf("%d connections, %d upgrades", n, s.desk.upgrades.Load())
		}
	}
	for _, q := range s.desk.queues {
		if !slices.Equal(q, []string{"complaint", "order"}) {
			t.Errorf("subscribed to %q", q)
		}
	}
	line := d.Open(&User{ID: "u"})
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	line.Free(&r)
	if n := d.Connections(); n != 4 {
		t.Errorf("%d connections with the question's", n)
	}
	line.Close()
	d.Interrupt()
	eventually(t, "no connection is left", func() bool { return d.Connections() == 0 })
}

// What an agent says of itself: its own token, and of the target's headers those
// that mean something without a turn.
func TestAgentCredentials(t *testing.T) {
	secret := strings.Repeat("k", 32)
	secrets := func(name string) (string, error) {
		return map[string]string{"env:KEY": secret, "env:T": "tok"}[name], nil
	}
	headers := map[string]string{"x-stress-test": "1", "x-who": "${user.id}", "x-turn": "${turn.id}", "x-row": "${rows.a}"}
	t.Run("jwt", func(t *testing.T) {
		s := newChatServer(t, false)
		target := handed(s)
		target.Headers = headers
		target.Agents = &scenario.Agents{Sockets: 2}
		target.Auth = &scenario.Auth{JWT: &scenario.JWT{
			Secret: "${env:KEY}", Sub: "${user.id}-x", Issuer: "cstest", Audience: "chat", Kid: "k1",
			Claims: map[string]string{"tenant": "shop-1", "row": "${rows.a}", "role": "user"},
		}}
		d := open(t, target, Options{Base: time.Now(), Secrets: secrets})
		says(t, ask(d, "hi"), Complete, "")
		var subs []string
		for _, h := range s.desk.headers {
			claims := jwt.MapClaims{}
			raw, _ := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
			token, err := jwt.ParseWithClaims(raw, claims, func(*jwt.Token) (any, error) { return []byte(secret), nil })
			if err != nil {
				t.Fatal(err)
			}
			if claims["role"] != "agent" || claims["tenant"] != "shop-1" || claims["iss"] != "cstest" || claims["aud"] != "chat" || claims["row"] != nil || token.Header["kid"] != "k1" {
				t.Errorf("claims %v, header %v", claims, token.Header)
			}
			sub, _ := claims["sub"].(string)
			subs = append(subs, sub)
			if h.Get("X-Stress-Test") != "1" || h.Get("X-Who") != sub || h.Values("X-Turn") != nil || h.Values("X-Row") != nil || h.Get("Sec-Websocket-Extensions") != "" {
				t.Errorf("headers %v", h)
			}
		}
		slices.Sort(subs)
		if !slices.Equal(subs, []string{"agent-1", "agent-2"}) {
			t.Errorf("subjects %q", subs)
		}
	})
	t.Run("bearer", func(t *testing.T) {
		desk := newDesk(t)
		var asked atomic.Value
		mux := http.NewServeMux()
		mux.HandleFunc("GET /base/agents", func(w http.ResponseWriter, r *http.Request) {
			asked.Store(r.Host + " " + r.RequestURI)
			desk.ServeHTTP(w, r)
		})
		mux.HandleFunc("POST /base/v1/chat", func(w http.ResponseWriter, _ *http.Request) {
			desk.open("t1", "")
			io.WriteString(w, `{"answer":"ok","ticket":{"id":"t1"}}`) //nolint:errcheck // the client may be gone
		})
		s := httptest.NewServer(mux)
		t.Cleanup(s.Close)
		target := &scenario.Target{
			URL: "http://chat.test:8080/base", Resolve: map[string]string{"chat.test:8080": s.Listener.Addr().String()}, Mode: "agents",
			Auth:   &scenario.Auth{Bearer: "of-users"},
			Agents: &scenario.Agents{Sockets: 1, Path: "/agents?key=${env:T}&name=${user.id}", Bearer: "${env:T}/${user.index}"},
		}
		d := open(t, target, Options{Base: time.Now(), Secrets: secrets})
		says(t, ask(d, "hi"), Complete, "")
		if got := asked.Load(); got != "chat.test:8080 /base/agents?key=tok&name=agent-1" {
			t.Errorf("asked for %s", got)
		}
		if got := desk.headers[0].Values("Authorization"); !slices.Equal(got, []string{"Bearer tok/1"}) {
			t.Errorf("authorization %q", got)
		}
	})
	t.Run("none", func(t *testing.T) {
		s := newChatServer(t, false)
		target := handed(s)
		target.Auth = &scenario.Auth{Bearer: "of-users"}
		says(t, ask(open(t, target, Options{Base: time.Now()}), "hi"), Complete, "")
		if got := s.desk.headers[0].Values("Authorization"); got != nil {
			t.Errorf("authorization %q", got)
		}
	})
}

// Interrupt ends turns wherever their ticket is.
func TestInterruptHandOffs(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*deskServer)
	}{
		{"waiting for the push", func(d *deskServer) { d.mute = func(string) bool { return true } }},
		{"waiting for the verdict", func(d *deskServer) { d.judge = func(*deskTicket) int { return -1 } }},
		{"waiting for the confirmation", func(d *deskServer) { d.confirm = func(*deskTicket) (string, string) { return "", "" } }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newChatServer(t, false)
			c.set(s.desk)
			target := handed(s)
			target.Timeout = unit.Duration(time.Minute)
			d := open(t, target, Options{Base: time.Now()})
			var wg sync.WaitGroup
			for range 5 {
				wg.Go(func() { says(t, ask(d, "hi"), Interrupted, "interrupted") })
			}
			awaited(t, d, 5)
			d.Interrupt()
			wg.Wait()
			says(t, ask(d, "after"), Interrupted, "interrupted")
		})
	}
}

// Whoever looks sees what the agents' sockets said of the turn.
func TestCaptureOfAHandOff(t *testing.T) {
	s := newChatServer(t, false)
	var request, response string
	target := handed(s)
	target.Agents = &scenario.Agents{Sockets: 1, Reply: "done"}
	d := open(t, target, Options{Base: time.Now(), Capture: func(req, resp []byte) { request, response = string(req), string(resp) }})
	says(t, ask(d, "hi"), Complete, "")
	_, notes, _ := strings.Cut(response, "\r\n\r\n")
	_, notes, _ = strings.Cut(notes, "\n\n")
	want := "agent-1 <- " + ticketPush("t1") + `
agent-1 -> {"type":"claim","ticket_id":"t1"}
agent-1 <- {"type":"claimed","ticket_id":"t1"}
agent-1 -> {"type":"reply","ticket_id":"t1","text":"done"}
agent-1 <- {"type":"replied","code":"","ticket_id":"t1"}
`
	if !strings.HasPrefix(request, "POST /v1/chat HTTP/1.1\r\n") || notes != want {
		t.Errorf("request %q\nresponse %q\nwant     %q", request, notes, want)
	}
}

func TestWebsocketTargetsThatAreNone(t *testing.T) {
	for _, c := range []struct {
		target scenario.Target
		want   string
	}{
		{scenario.Target{URL: "http://h", Mode: "agents", HTTP: "h2c"}, "target.http: mode agents needs 1.1"},
		{scenario.Target{URL: "http://h", Mode: "agents", API: "openai", Model: "m"}, `target.mode: agents is for api reference, not "openai"`},
		{scenario.Target{URL: "http://h", Mode: "agents", Agents: &scenario.Agents{Path: "ws"}}, `agents.path: "ws": begin with /`},
		{scenario.Target{URL: "http://h", Mode: "agents", Agents: &scenario.Agents{Bearer: "${env:X}"}}, "agents.bearer: ${env:X}: no secrets are to be had here"},
	} {
		if _, err := New(given(&c.target), Options{}); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}
