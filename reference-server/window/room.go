package window

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/ws"
)

// Protocol is the WebSocket subprotocol of customers.
const Protocol = "cs.chat.v1"

// MaxMessage is how many bytes a message from a customer may have.
const MaxMessage = 16 << 10

// slowest is how long a message may take to come once it has begun, and an answer to go.
const slowest = 10 * time.Second

// Why a window is not opened.
var (
	ErrDraining = errors.New("the server is going down")
	ErrFull     = errors.New("too many windows are open here")
	ErrMany     = errors.New("too many windows of this customer's are open")
)

// Live are settings that may change while the server runs.
type Live struct {
	Most     int           // windows open here; 0: none
	MostUser int           // of one customer; 0: unbounded
	Idle     time.Duration // without a word, then the window is closed
	Ping     time.Duration // of silence, then the customer's side is asked whether it is there
	Pong     time.Duration // to answer
}

// Customer is whoever opens a window.
type Customer struct {
	dialog.Owner
	Until time.Time // their token is good
	// Say gives the document that answers a message. ctx ends when the customer leaves.
	Say func(ctx context.Context, message []byte) []byte
}

// Room is all windows of this server. Safe for concurrent use.
type Room struct {
	live    func() Live
	metrics *Metrics
	held    quota.Held    // by customer
	within  time.Duration // a message or an answer is through

	mu       sync.Mutex
	windows  map[*window]struct{}
	draining bool
	running  sync.WaitGroup
}

// New makes a room without windows.
func New(live func() Live, m *Metrics) *Room {
	return &Room{live: live, metrics: m, within: slowest, windows: map[*window]struct{}{}}
}

// Accept upgrades the connection of a customer whose request was found good; the window
// lives on after it. Errors: ErrDraining, ErrFull and ErrMany, for which the caller
// answers, and *ws.HandshakeError.
func (r *Room) Accept(w http.ResponseWriter, req *http.Request, c Customer) error {
	live, key := r.live(), quota.Key(c.Owner)
	if live.Most <= 0 {
		return ErrFull
	}
	switch r.held.Enter(key, live.Most, live.MostUser) {
	case "user":
		return ErrMany
	case "all":
		return ErrFull
	}
	if !r.begin() {
		r.held.Leave(key)
		return ErrDraining
	}
	leave := func() {
		r.held.Leave(key)
		r.running.Done()
	}
	conn, raw, err := ws.Accept(w, req, Protocol)
	if err != nil {
		leave()
		return err
	}
	conn.SetReadLimit(MaxMessage)
	r.metrics.accepted.Inc()
	win := newWindow(c, conn, raw, r.within)
	r.join(win)
	go func() {
		defer leave()
		win.run()
		r.part(win)
		r.metrics.closed(win.code)
	}()
	return nil
}

// begin makes sure that whoever drains waits for one more; false: it is too late.
func (r *Room) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.draining {
		return false
	}
	r.running.Add(1)
	return true
}

// join adds a window; one that came while the server began to go down is told so.
func (r *Room) join(w *window) {
	r.mu.Lock()
	r.windows[w] = struct{}{}
	draining := r.draining
	r.mu.Unlock()
	if draining {
		w.end(ws.GoingAway, goingDown)
	}
}

func (r *Room) part(w *window) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.windows, w)
}

// Open is how many windows there are.
func (r *Room) Open() int { return r.held.Now() }

// Refused counts a request for a window that was turned away before it came here.
func (r *Room) Refused(code string) { r.metrics.refused[code].Inc() }

func (r *Room) all() []*window {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*window, 0, len(r.windows))
	for w := range r.windows {
		list = append(list, w)
	}
	return list
}

// lookEvery is how often windows are looked after.
const lookEvery = time.Second

// Run looks after windows that nobody speaks at, until ctx ends: one goroutine for all
// of them, for a window that is only open shall cost as little as it can.
func (r *Room) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			live := r.live()
			for _, w := range r.all() {
				w.look(now, live)
			}
		}
	}
}

const goingDown = "the server is going down"

// Drain closes every window with 1001, those where a turn is under way once it is
// answered, and waits for them until ctx ends; then the rest is cut off.
func (r *Room) Drain(ctx context.Context) {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	for _, w := range r.all() {
		w.end(ws.GoingAway, goingDown)
	}
	ended := make(chan struct{})
	go func() {
		r.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, w := range r.all() {
		_ = w.net.Close()
	}
	<-ended
}
