package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/result"
)

// restarting is a chat whose sockets all end at once when so many first messages were
// answered; who comes behind that waits at the door until the second ones are due.
type restarting struct {
	after int           // first messages
	away  time.Duration // from then until the door opens

	mu      sync.Mutex
	first   int
	open    map[*websocket.Conn]bool
	cut     int           // sockets that ended
	door    chan struct{} // nil before
	arrived int           // of those who wait, or came in behind
}

func (s *restarting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		return // cstest asks who answers at the address
	}
	s.mu.Lock()
	door := s.door
	if door != nil {
		s.arrived++
	}
	s.mu.Unlock()
	if door != nil {
		<-door
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.open[c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.open, c)
		s.mu.Unlock()
		_ = c.CloseNow() // the client may be gone
	}()
	for {
		_, b, err := c.Read(context.Background())
		var m struct{ Turn, Text string }
		if err != nil || json.Unmarshal(b, &m) != nil {
			return
		}
		if c.Write(context.Background(), websocket.MessageText, []byte(`{"text":"`+m.Turn+`"}`)) != nil {
			return
		}
		if m.Turn == "0" {
			s.answered()
		}
	}
}

func (s *restarting) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first++; s.first != s.after {
		return
	}
	s.door = make(chan struct{})
	time.AfterFunc(s.away, func() { close(s.door) })
	s.cut = len(s.open)
	for c := range s.open {
		go c.CloseNow() //nolint:errcheck // as the end of a process does
	}
}

// Two thousand customers whose server restarts while they think: all are back, no turn
// is lost, and what those waited whose turn came before the server did is their
// latency, though nothing of it was sent.
func TestRunThroughARestart(t *testing.T) {
	const users, think, away = 2000, 6 * time.Second, 7 * time.Second
	s := &restarting{after: users + 1, away: away, open: map[*websocket.Conn]bool{}} // one is the preflight's
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	file, results := write(t, `version: 1
name: restart
target:
  url: `+srv.URL+`
  api: custom
  mode: websocket
  connections: per-user
  timeout: 60s
  socket: {path: /, redial: {after: 50ms}}
  request: {body: {turn: "${turn.index}", text: "${turn.text}"}}
  response: {answer: text}
load: {stages: [{name: in, for: 2s, users: {from: 1, to: 2000}}, {name: stay, for: 2m, users: 2000}], conversations: 2000, think: `+think.String()+`, drain: 60s}
conversations: [{name: c, turns: [{say: a}, {say: b}]}]
sla: {latency: {p50: 30s}, gate: measured}
`), filepath.Join(t.TempDir(), "r")
	got := measured(t, "run", file, "--no-tui", "--results-dir", results)
	if got.code != exitPass {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	d, err := result.Read(results)
	if err != nil {
		t.Fatal(err)
	}
	n := d.Generator.Sockets
	if d.Counts.OK != 2*users || d.Counts.Turns != 2*users || n == nil {
		t.Fatalf("counts %+v, errors %+v", d.Counts, d.Errors)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut != users || n.Opened != 2*users || n.Reopened != users || n.Redialled == 0 || n.Redialled > users || s.arrived != users || n.RedialsFailed != 0 {
		t.Errorf("%d sockets ended, %d came back: %+v", s.cut, s.arrived, n)
	}
	if len(d.Turns) != 2 || d.Turns[1].N != users || d.Turns[1].Latency.P50Ns == nil || *d.Turns[1].Latency.P50Ns < int64(away-think)*9/10 {
		t.Errorf("second turns, which were due %v before the server was back: %+v", away-think, d.Turns)
	}
}
