package refserver

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
)

// An agent that does not read is closed with 1013; the others miss nothing.
func TestASlowAgentIsClosed(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "agent.queue", "64"))
	slow := rawAgent(t, s)
	quick := dialAgent(t, s, "agent-2", "default")
	quick.subscribe("0", "*")
	if _, err := slow.conn.Write(masked(opFin|opText, []byte(`{"type":"subscribe","queues":["*"]}`))); err != nil {
		t.Fatal(err)
	}
	if _, body := slow.frame(); !bytes.Contains(body, []byte(`"subscribed"`)) {
		t.Fatalf("%s", body)
	}
	waitFor(t, func() bool { return s.desk.OnDuty()["order"] == 2 })
	text := strings.Repeat("慢", 2000)
	sent := 0
	for s.desk.OnDuty()["order"] == 2 && sent < 20_000 {
		id := dialog.RandomHex(16)
		s.desk.Announce(desk.Ticket{ID: id, Queue: "order", AskedNS: time.Now().UnixNano(), Tenant: "default", Text: text}, false)
		quick.want("type", "ticket", "ticket.id", id)
		sent++
	}
	if sent == 20_000 {
		t.Fatal("the slow agent is still there after 20,000 messages of 6 kB")
	}
	last := dialog.RandomHex(16)
	s.desk.Announce(desk.Ticket{ID: last, Queue: "order", AskedNS: time.Now().UnixNano(), Tenant: "default"}, false)
	quick.want("type", "ticket", "ticket.id", last)
	if got := slow.closeCode(); got != 1013 {
		t.Errorf("closed with %d, want 1013", got)
	}
	_, _ = slow.conn.Write(masked(opFin|opEnd, []byte{3, 245}))
	waitFor(t, func() bool { return s.desk.Sockets() == 1 })
	if r := send(t, "GET", s.AdminURL()+"/metrics", "", ""); !strings.Contains(r.body, "ws_closes_total{code=\"1013\"} 1\n") || !strings.Contains(r.body, "ws_sockets 1\n") {
		t.Error("the metrics do not tell of it")
	}
}

// waitFor polls for what another goroutine is about to do.
func waitFor(t testing.TB, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Who does not answer pings is gone; who does, stays.
func TestPings(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "agent.ping", "40ms", "agent.pong", "400ms"))
	dead := rawAgent(t, s)
	alive := rawAgent(t, s)
	for range 5 {
		op, body := alive.frame()
		if op != opPing {
			t.Fatalf("frame %d %q, want a ping", op, body)
		}
		if _, err := alive.conn.Write(masked(opFin|opPong, body)); err != nil {
			t.Fatal(err)
		}
	}
	pongs := make(chan int)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		n := 0
		defer func() { pongs <- n }()
		for ctx.Err() == nil {
			op, body, err := alive.tryFrame()
			if err != nil || op != opPing {
				return
			}
			_, _ = alive.conn.Write(masked(opFin|opPong, body))
			n++
		}
	}()
	if got := dead.closeCode(); got != 1008 {
		t.Errorf("the silent one was closed with %d, want 1008", got)
	}
	cancel()
	if n := <-pongs; n < 3 {
		t.Errorf("%d pings to the living one meanwhile, want 3 or more", n)
	}
}

// While Redis is away, nobody is told that a ticket it holds was won or lost.
func TestClaimsWithoutRedisAreUndecided(t *testing.T) {
	m := miniredis.RunT(t)
	l := newScriptedLLM(t)
	s := startOn(t, l.url, "redis://"+m.Addr())
	a, b := dialAgent(t, s, "agent-1", "default"), dialAgent(t, s, "agent-2", "default")
	id := say(t, s, "u1", "", "我要投诉").get("ticket.id").String()
	a.subscribe("1", "*")
	a.want("type", "ticket", "ticket.id", id)
	m.Close()
	a.claim(id)
	b.claim(id)
	a.want("type", "error", "code", "unavailable", "ticket_id", id)
	b.want("type", "error", "code", "unavailable", "ticket_id", id)
	b.say(map[string]any{"type": "subscribe", "queues": []string{"*"}})
	b.want("type", "subscribed", "waiting", "0") // as far as this server knows
	if err := m.Restart(); err != nil {
		t.Fatal(err)
	}
	// The server finds out that Redis is back and pushes what waits.
	b.want("type", "ticket", "ticket.id", id)
	b.claim(id)
	b.want("type", "claimed")
	a.claim(id)
	a.want("type", "lost")
	a.reply(id, "好")
	a.want("type", "error", "code", "not-claimed")
	b.reply(id, "好")
	b.want("type", "replied")
}
