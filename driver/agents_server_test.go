package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// deskServer is the agents' side of a chat system for tests. It is fair to the
// agents unless a field says otherwise; fields are set before it is used.
type deskServer struct {
	refuse   func(r *http.Request) int // status of the upgrade; 0: accepted
	early    bool                      // push a ticket before the answer that names it
	mute     func(text string) bool    // its ticket is pushed to nobody
	delay    func(text string)         // before the ticket is pushed
	judge    func(t *deskTicket) (winners int)
	confirm  func(t *deskTicket) (kind, code string) // instead of replied
	greeting string                                  // instead of hello
	protocol string
	release  chan struct{} // the end of the test

	upgrades atomic.Int64
	dialling atomic.Int64 // upgrades under way at the same time
	most     atomic.Int64
	replies  atomic.Int64
	texts    sync.Map // ticket id → reply

	mu      sync.Mutex
	agents  []*deskAgent
	tickets map[string]*deskTicket
	headers []http.Header
	queues  [][]string
}

type deskAgent struct {
	name string
	conn *websocket.Conn
	out  chan string
	over chan struct{}
}

type deskTicket struct {
	id, text string
	claims   []*deskAgent
	told     bool
	winner   *deskAgent
	agents   int // shown it
}

func newDesk(t testing.TB) *deskServer {
	d := &deskServer{tickets: map[string]*deskTicket{}, protocol: "cs.agent.v1", release: make(chan struct{})}
	t.Cleanup(func() { close(d.release) })
	return d
}

// ServeHTTP is an agent's socket.
func (d *deskServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := d.upgrades.Add(1)
	for now := d.dialling.Add(1); ; {
		if most := d.most.Load(); now <= most || d.most.CompareAndSwap(most, now) {
			break
		}
	}
	d.mu.Lock()
	d.headers = append(d.headers, r.Header.Clone())
	d.mu.Unlock()
	if d.refuse != nil {
		if status := d.refuse(r); status != 0 {
			d.dialling.Add(-1)
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"code":"refused-%d"}`, status)
			return
		}
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{d.protocol}})
	d.dialling.Add(-1)
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // the test is over
	a := &deskAgent{name: fmt.Sprint(n), conn: conn, out: make(chan string, 10_000), over: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for {
			select {
			case message := <-a.out:
				if conn.Write(ctx, websocket.MessageText, []byte(message)) != nil {
					return
				}
			case <-d.release:
				conn.CloseNow() //nolint:errcheck // the test is over
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	if d.greeting != "" {
		a.out <- d.greeting
	} else {
		a.out <- `{"type":"hello","agent":"x","protocol":"cs.agent.v1","ping_s":20}`
	}
	defer d.leave(a)
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return
		}
		d.hear(a, raw)
	}
}

func (d *deskServer) leave(a *deskAgent) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.agents = slices.DeleteFunc(d.agents, func(o *deskAgent) bool { return o == a })
	close(a.over)
}

func (d *deskServer) hear(a *deskAgent, raw []byte) {
	var m struct {
		Type     string   `json:"type"`
		TicketID string   `json:"ticket_id"`
		Text     string   `json:"text"`
		Queues   []string `json:"queues"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		panic(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.tickets[m.TicketID]
	switch {
	case m.Type == "subscribe":
		d.agents = append(d.agents, a)
		d.queues = append(d.queues, m.Queues)
		a.out <- `{"type":"subscribed","queues":["*"],"waiting":0}`
	case t == nil:
		a.out <- `{"type":"error","code":"not-found","ticket_id":"` + m.TicketID + `"}`
	case m.Type == "claim":
		d.claim(a, t)
	case m.Type == "reply" && a != t.winner:
		a.out <- `{"type":"error","code":"not-claimed","ticket_id":"` + t.id + `"}`
	case m.Type == "reply":
		kind, code := "replied", ""
		if d.confirm != nil {
			kind, code = d.confirm(t)
		}
		d.texts.Store(t.id, m.Text)
		if kind == "replied" {
			d.replies.Add(1)
			delete(d.tickets, t.id)
		}
		if kind != "" {
			a.out <- `{"type":"` + kind + `","code":"` + code + `","ticket_id":"` + t.id + `"}`
		}
	}
}

// claim tells the claimants once there are as many as can be.
func (d *deskServer) claim(a *deskAgent, t *deskTicket) {
	t.claims = append(t.claims, a)
	if !t.told && len(t.claims) < min(2, t.agents) {
		return
	}
	winners := 1
	if d.judge != nil {
		winners = d.judge(t)
	}
	if t.told {
		winners = 0
	}
	t.told = true
	for i, c := range t.claims {
		switch {
		case winners < 0:
		case i < winners:
			t.winner = c
			c.out <- `{"type":"claimed","ticket_id":"` + t.id + `"}`
		default:
			c.out <- `{"type":"lost","ticket_id":"` + t.id + `"}`
		}
	}
	t.claims = nil
}

// open makes the ticket of a question and pushes it, sooner or later.
func (d *deskServer) open(id, text string) {
	if d.mute != nil && d.mute(text) {
		return
	}
	push := func() {
		if d.delay != nil {
			d.delay(text)
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		t := &deskTicket{id: id, text: text, agents: len(d.agents)}
		d.tickets[id] = t
		for _, a := range d.agents {
			a.out <- ticketPush(id)
		}
	}
	if d.early {
		push()
		return
	}
	go push()
}

func ticketPush(id string) string {
	return `{"type":"ticket","ticket":{"id":"` + id + `","queue":"general","asked_at":"2026-11-11T00:00:00Z","eta_s":30,"dialog_id":"d","text":"` + strings.Repeat("x", 20) + `","trace_id":"t"}}`
}

// eventually waits for what must happen.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
		time.Sleep(time.Millisecond) // real sockets: there is nothing to wait on
	}
}
