package desk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
)

func testDesk(t *testing.T) *Desk {
	t.Helper()
	ts, _ := testTickets(t, "redis://"+startRedis(t))
	d := New(Options{
		Redis: ts.redis, Dialogs: dialog.NewStore(ts.redis.(*redis.Client), storeOptions), IDs: ts.ids, Shared: true, Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Live:  func() Live { return Live{Hold: time.Minute, Ping: time.Minute, Pong: time.Minute, Queue: 16} },
		Clean: func(_, text string) string { return text },
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		d.Drain(ctx)
	})
	return d
}

// subscribedAgent is a client at a desk, behind its hello and subscribed to every queue.
func subscribedAgent(t *testing.T, d *Desk) *websocket.Conn {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := d.Accept(w, r, Agent{dialog.Owner{Tenant: "default", UID: "agent-1"}, "tr", time.Now().Add(time.Hour)}, 10); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(srv.Close)
	conn, _, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{Subprotocols: []string{Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	if m := next(t, conn); m.Get("type").Str != "hello" || m.Get("agent").Str != "agent-1" {
		t.Fatalf("hello %s", m.Raw)
	}
	say(t, conn, map[string]any{"type": "subscribe", "queues": []string{"*"}})
	if m := next(t, conn); m.Get("type").Str != "subscribed" {
		t.Fatalf("%s", m.Raw)
	}
	// It is subscribed once it is asked for the next thing.
	say(t, conn, map[string]any{"type": "dance"})
	if m := next(t, conn); m.Raw != `{"type":"error","code":"unknown-type"}` {
		t.Fatalf("%s", m.Raw)
	}
	return conn
}

func say(t *testing.T, conn *websocket.Conn, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Write(t.Context(), websocket.MessageText, b); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, conn *websocket.Conn) gjson.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, b, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return gjson.ParseBytes(b)
}

// What was published while the connection to Redis was broken is found when it
// is back, once.
func TestAgentsHearOfWhatTheyMissed(t *testing.T) {
	d := testDesk(t)
	conn := subscribedAgent(t, d)
	missed, _, _ := d.Open(t.Context(), Question{Owner: user("default"), Queue: "order", Text: "没人听见", TraceID: "tr"}, false)
	if _, _, err := d.Open(t.Context(), Question{Owner: user("t2"), Queue: "order", Text: "别家的", TraceID: "tr"}, false); err != nil {
		t.Fatal(err)
	}
	d.resync(t.Context())
	d.resync(t.Context())
	if m := next(t, conn); m.Get("ticket.id").Str != missed.ID || m.Get("ticket.text").Str != "没人听见" {
		t.Errorf("%s, want the ticket it missed", m.Raw)
	}
	say(t, conn, map[string]string{"type": "claim", "ticket_id": missed.ID})
	if m := next(t, conn); m.Get("type").Str != "claimed" {
		t.Errorf("%s, want claimed and nothing before it", m.Raw)
	}
}

// Messages between servers are taken for what they are.
func TestTheBusTakesOnlyTickets(t *testing.T) {
	d := testDesk(t)
	conn := subscribedAgent(t, d)
	good := `{"from":"x","tenant":"default","asked_ns":1,"ticket":{"id":"` + testDialog + `","queue":"order","text":"你好"}}`
	for _, bad := range []string{
		"", "[]", "{", `{"from":"x"}`, strings.Replace(good, testDialog, "tkt:{x}", 1), strings.Replace(strings.Replace(good, `"from":"x"`, `"from":"`+d.bus.me+`"`, 1), testDialog, ticketID(7), 1),
		strings.Replace(good, `"default"`, `"t2"`, 1), strings.Replace(good, `"order"`, `"gold"`, 1), good[:len(good)-1] + `,"x":"` + strings.Repeat("x", dialog.MaxRecord) + `"}`,
	} {
		d.bus.receive(bad)
	}
	d.bus.receive(good)
	if m := next(t, conn); m.Get("ticket.id").Str != testDialog || m.Get("ticket.text").Str != "你好" {
		t.Errorf("%s, want the one good ticket", m.Raw)
	}
}

func TestNobodyJoinsADeskThatGoesDown(t *testing.T) {
	d := testDesk(t)
	if err := d.reserve(1); err != nil {
		t.Fatal(err)
	}
	if err := d.reserve(1); !errors.Is(err, ErrFull) {
		t.Errorf("the second of one: %v", err)
	}
	d.unreserve()
	d.Drain(t.Context())
	if err := d.reserve(1); !errors.Is(err, ErrDraining) {
		t.Errorf("while going down: %v", err)
	}
}

// The owner's view has a member for what is known, and none for what is not.
func TestTheOwnersViewOfATicket(t *testing.T) {
	open := Ticket{ID: "i", Queue: "order", State: stateOpen, ETA: 30, AskedNS: 1_500_000_000, Tenant: "t", UID: "u", TraceID: "tr", Socket: "s", ClaimMS: 1}
	closed := open
	closed.State, closed.DialogID, closed.Text, closed.Agent, closed.Reply = stateClosed, "d", "问", "a", "答"
	for _, c := range []struct {
		ticket Ticket
		want   string
	}{
		{open, `{"id":"i","queue":"order","state":"open","eta_s":30,"trace_id":"tr","asked_unix_ms":1500}`},
		{closed, `{"id":"i","queue":"order","state":"closed","eta_s":30,"dialog_id":"d","text":"问","trace_id":"tr","agent":"a","reply":"答","asked_unix_ms":1500}`},
	} {
		if got := string(c.ticket.JSON()); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
