package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/result"
)

// A web chat over WebSocket from validate to the verdict: a join, pings that want an
// answer, pieces, receipts, and a server that closes a socket after each second turn
// while its customer thinks.
func TestRunOverSockets(t *testing.T) {
	t.Parallel()
	var joins, pongs, receipts, strays atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow() //nolint:errcheck // the end of the test
		send := func(v map[string]any) {
			b, _ := json.Marshal(v)                                     // of texts and truth values: cannot fail
			_ = c.Write(context.Background(), websocket.MessageText, b) // the client may be gone
		}
		for turns := 0; ; {
			var m struct{ Type, Text, ID, At string }
			_, b, err := c.Read(context.Background())
			if err != nil || json.Unmarshal(b, &m) != nil {
				return
			}
			switch m.Type {
			case "join":
				joins.Add(1)
				send(map[string]any{"type": "joined"})
			case "say":
				turns++
				send(map[string]any{"type": "ping", "at": m.ID})
				send(map[string]any{"type": "typing"})
				for _, piece := range []string{"您问的是：", m.Text} {
					send(map[string]any{"type": "delta", "text": piece, "to": m.ID})
				}
				send(map[string]any{"type": "end", "to": m.ID})
			case "pong":
				pongs.Add(1)
			case "seen":
				if receipts.Add(1); turns == 2 {
					_ = c.Close(websocket.StatusGoingAway, "") // the client may be gone
					return
				}
			default:
				strays.Add(1)
			}
		}
	}))
	t.Cleanup(srv.Close)
	dir := t.TempDir()
	file, results := filepath.Join(dir, "chat.yaml"), filepath.Join(dir, "r")
	text := `
version: 1
name: chat
target:
  url: ` + strings.Replace(srv.URL, "http:", "ws:", 1) + `
  api: custom
  mode: websocket
  connections: per-conversation
  socket:
    first: [{body: {type: join, user: "${user.id}"}, is_answer: {path: type, equals: joined}}]
    pong: {when: {path: type, equals: ping}, save: {at: at}, body: {type: pong, at: "${ping.at}"}}
    receipt: {body: {type: seen, id: "${turn.id}"}}
    redial: {after: 1ms}
  request: {body: {type: say, id: "${turn.id}", text: "${turn.text}"}}
  response:
    turn_id: to
    is_answer: {path: type, in: [delta, end]}
    stream: {delta: text, delta_when: {path: type, equals: delta}, done: {path: type, equals: end}}
load: {users: 4, conversations: 20, think: 100ms}
conversations: [{name: c, turns: [{say: 你好, expect: {contains: 您问的是：你好}}, {say: 我要退货}, {say: 谢谢}, {say: 再见}]}]
sla: {latency: {p50: 3s}, availability: 80%, gate: measured}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := cstest(t, "validate", file); got.code != 0 {
		t.Fatalf("validate: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := cstest(t, "try", file); got.code != 0 || !strings.Contains(got.stdout, "您问的是：我要退货") {
		t.Fatalf("try: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	joins.Store(0)
	got := measured(t, "run", file, "--no-tui", "--results-dir", results)
	if got.code != 0 {
		t.Fatalf("run: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	d, err := result.Read(results)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Generator.Sockets
	if d.Counts.OK != 80 || d.Target.Mode != "websocket" || d.FirstToken == nil || d.FirstToken.N != 80 || s == nil {
		t.Fatalf("counts %+v, sockets %+v", d.Counts, s)
	}
	// Each conversation has two sockets, the second opened while its customer thinks, or, on
	// a machine that is late, by the third turn.
	if s.Opened != 40 || s.Reopened != 20 || s.Redialled == 0 || s.Redialled > s.Reopened || s.LateAnswers+s.RepeatedAnswers != 0 || joins.Load() < s.Opened {
		t.Errorf("sockets %+v, %d joins", s, joins.Load())
	}
	if pongs.Load() < 80 || receipts.Load() < 80 || strays.Load() != 0 {
		t.Errorf("%d pongs, %d receipts, %d other messages", pongs.Load(), receipts.Load(), strays.Load())
	}
	if !strings.Contains(got.stdout, "while customers thought") {
		t.Errorf("the report does not tell of redials:\n%s", got.stdout)
	}
}
