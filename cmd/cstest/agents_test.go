package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// humans is a load that asks for people: 300 conversations of two turns.
func humans(target string) string {
	return fmt.Sprintf(`version: 1
name: humans
seed: 5
target: {%s, mode: agents, timeout: 10s}
load:
  arrivals: constant
  stages: [{name: evening, for: 5s, starts: 60/s}]
  think: 200ms
conversations:
  - {name: human, turns: [{say: 转人工}, {say: 还是要转人工}]}
  - {name: complaint, turns: [{say: 我要投诉!}, {say: "我要投诉,转人工"}]}
checks: {memory: off}
sla: {latency: {p90: 5s}, availability: 95%%}
`, target)
}

// With the bundled server every question reaches a person.
func TestAgentsOfTheBundledServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, humans("bundled: {}")), "--results-dir", dir, "--quiet")
	doc := open(t, dir)
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s\n%q", r.code, r.stdout, r.stderr, doc.Reasons)
	}
	if c := doc.Counts; doc.Verdict != "pass" || doc.Target.Mode != "agents" || c.Conversations != 300 || c.OK != 600 || doc.Tiers.Handoff != 600 {
		t.Errorf("verdict %s, mode %s, counts %+v, tiers %+v", doc.Verdict, doc.Target.Mode, c, doc.Tiers)
	}
	if doc.LLM.Calls == nil || *doc.LLM.Calls != 0 {
		t.Errorf("%s calls of the model", shown(doc.LLM.Calls))
	}
}

// Over several processes, which all are shown each other's tickets, the server
// counts what the run counts: a ticket, a winner and a reply for every turn.
func TestAgentsAreCounted(t *testing.T) {
	t.Parallel()
	var mock, server ready
	serve := func(to *ready, args ...string) {
		t.Helper()
		cmd := command(t, append([]string{"serve"}, append(args, "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)...)
		cmd.Env = append(cmd.Env, "CSTEST_JWT_SECRET="+strings.Repeat("k", 32))
		if line := started(t, cmd); json.Unmarshal([]byte(line), to) != nil {
			t.Fatalf("%q", line)
		}
	}
	serve(&mock, "mockllm")
	serve(&server, "reference-server", "--llm", mock.URL)
	dir := filepath.Join(t.TempDir(), "result")
	target := fmt.Sprintf(`url: %q, agents: {sockets: 3, queues: [general, complaint]}, auth: {jwt: {secret: %s, iss: cstest, aud: chat, kid: k1}}`,
		server.URL, strings.Repeat("k", 32))
	r := measured(t, "run", write(t, humans(target)), "--results-dir", dir, "--quiet", "--processes", "2")
	if r.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	if doc.Counts.OK != 600 || doc.Tiers.Handoff != 600 {
		t.Errorf("counts %+v, tiers %+v", doc.Counts, doc.Tiers)
	}
	metrics := get(t, server.Admin+"/metrics")
	const tickets = 600 + 1 // and the one real turn before the load
	claimed, lost := metric(t, metrics, `ws_claims_total{outcome="claimed"}`), metric(t, metrics, `ws_claims_total{outcome="lost"}`)
	if claimed != tickets || metric(t, metrics, `ws_replies_total{outcome="replied"}`) != tickets {
		t.Errorf("%d claims won, %d replies, want %d of each", claimed, metric(t, metrics, `ws_replies_total{outcome="replied"}`), tickets)
	}
	// The second of two agents may be shown a ticket too late to claim it.
	if claims := metric(t, metrics, `ws_messages_total{direction="in",type="claim"}`); claims != claimed+lost || lost == 0 || lost > tickets {
		t.Errorf("%d claims: %d won, %d lost", claims, claimed, lost)
	}
	if upgrades := metric(t, metrics, `ws_upgrades_total{result="accepted"}`); upgrades != 3+2*3 {
		t.Errorf("%d agents' sockets, want 3 for the real turn and 3 for each process", upgrades)
	}
}

// metric gives the value of a counter in the Prometheus text format.
func metric(t *testing.T, text, name string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s", name)
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int64(n)
}

// desk is a chat server that hands every question to people. It answers claims
// when two have come: the first ticket has one winner, each later one two.
type desk struct {
	mu      sync.Mutex
	tickets int
	claims  map[string]chan string // ticket to the first who claimed it
	agents  map[chan string]bool
}

func (d *desk) chat(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tickets++
	id := strconv.Itoa(d.tickets)
	for out := range d.agents {
		out <- `{"type":"ticket","ticket":{"id":"` + id + `"}}`
	}
	io.WriteString(w, `{"dialog_id":"","answer":"请稍候","tier":"handoff","degraded":false,"ticket":{"id":"`+id+`"}}`) //nolint:errcheck // the client may be gone
}

func (d *desk) socket(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"cs.agent.v1"}})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // that is all
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := make(chan string, 10_000)
	go func() {
		for {
			select {
			case text := <-out:
				_ = conn.Write(ctx, websocket.MessageText, []byte(text)) // the reader sees the end
			case <-ctx.Done():
				return
			}
		}
	}()
	out <- `{"type":"hello","protocol":"cs.agent.v1"}`
	for {
		_, raw, err := conn.Read(ctx)
		d.mu.Lock()
		if err != nil {
			delete(d.agents, out)
			d.mu.Unlock()
			return
		}
		d.hear(out, raw)
		d.mu.Unlock()
	}
}

func (d *desk) hear(from chan string, raw []byte) {
	var m struct {
		Type string `json:"type"`
		ID   string `json:"ticket_id"`
	}
	_ = json.Unmarshal(raw, &m) // an empty one gets no answer
	say := func(to chan string, kind string) { to <- `{"type":"` + kind + `","ticket_id":"` + m.ID + `"}` }
	switch first := d.claims[m.ID]; {
	case m.Type == "subscribe":
		d.agents[from] = true
		say(from, "subscribed")
	case m.Type == "claim" && first == nil:
		d.claims[m.ID] = from
	case m.Type == "claim":
		say(first, "claimed")
		say(from, map[bool]string{true: "lost", false: "claimed"}[m.ID == "1"])
	case m.Type == "reply":
		say(from, "replied")
	}
}

// A server that gives one ticket to two agents fails, and is told why.
func TestTwoAgentsWinOneTicket(t *testing.T) {
	t.Parallel()
	d := &desk{claims: map[string]chan string{}, agents: map[chan string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat", d.chat)
	mux.HandleFunc("GET /v1/agent/ws", d.socket)
	server := httptest.NewServer(mux)
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, humans(fmt.Sprintf("url: %q", server.URL))), "--results-dir", dir, "--quiet")
	if r.code != exitFail {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	doc := open(t, dir)
	if c := doc.Counts; objective(t, doc, "availability") != "fail" || c.Turns != 600 || c.ServerError != 600 {
		t.Errorf("counts %+v", c)
	}
	if len(doc.Errors) != 1 || doc.Errors[0].Message != "two agents won one ticket" || doc.Errors[0].Count != 600 {
		t.Errorf("errors %+v", doc.Errors)
	}
}
