package customer

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

// Why a socket is not opened.
var (
	ErrDraining = errors.New("the server is going down")
	ErrFull     = errors.New("too many sockets are open here")
	ErrMany     = errors.New("too many sockets of this customer's are open")
)

// Live are settings that may change while the server runs.
type Live struct {
	Most     int           // sockets open here; 0: none
	MostUser int           // of one customer; 0: unbounded
	Idle     time.Duration // without a word, then the socket is closed
	Ping     time.Duration // of silence, then the customer's side is asked whether it is there
	Pong     time.Duration // to answer
}

// Caller is whoever opens a socket.
type Caller struct {
	dialog.Owner
	Until time.Time // their token is good
	// Say gives the document that answers a message. ctx ends when the customer leaves.
	Say func(ctx context.Context, message []byte) []byte
}

// Room is all sockets of this server. Safe for concurrent use.
type Room struct {
	live    func() Live
	metrics *Metrics
	held    quota.Held    // by customer
	within  time.Duration // a message or an answer is through

	mu       sync.Mutex
	sockets  map[*socket]struct{}
	draining bool
	running  sync.WaitGroup
}

// New makes a room without sockets.
func New(live func() Live, m *Metrics) *Room {
	return &Room{live: live, metrics: m, within: slowest, sockets: map[*socket]struct{}{}}
}

// Accept upgrades the connection of a customer whose request was found good; the socket
// lives on after it. Errors: ErrDraining, ErrFull and ErrMany, for which the caller
// answers, and *ws.HandshakeError.
func (r *Room) Accept(w http.ResponseWriter, req *http.Request, c Caller) error {
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
	sock := newSocket(c, conn, raw, r.within)
	r.join(sock)
	go func() {
		defer leave()
		sock.run()
		r.part(sock)
		r.metrics.closed(sock.code)
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

// join adds a socket; one that came while the server began to go down is told so.
func (r *Room) join(s *socket) {
	r.mu.Lock()
	r.sockets[s] = struct{}{}
	draining := r.draining
	r.mu.Unlock()
	if draining {
		s.end(ws.GoingAway, goingDown)
	}
}

func (r *Room) part(s *socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sockets, s)
}

// Open is how many sockets there are.
func (r *Room) Open() int { return r.held.Now() }

// Refused counts a request for a socket that was turned away before it came here.
func (r *Room) Refused(code string) { r.metrics.refused[code].Inc() }

func (r *Room) all() []*socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*socket, 0, len(r.sockets))
	for s := range r.sockets {
		list = append(list, s)
	}
	return list
}

// lookEvery is how often sockets are looked after.
const lookEvery = time.Second

// Run looks after sockets that nobody speaks at, until ctx ends: one goroutine for all
// of them, for a socket that is only open shall cost as little as it can.
func (r *Room) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			live := r.live()
			for _, s := range r.all() {
				s.look(now, live)
			}
		}
	}
}

const goingDown = "the server is going down"

// Drain closes every socket with 1001, those where a turn is under way once it is
// answered, and waits for them until ctx ends; then the rest is cut off.
func (r *Room) Drain(ctx context.Context) {
	r.mu.Lock()
	r.draining = true
	r.mu.Unlock()
	for _, s := range r.all() {
		s.end(ws.GoingAway, goingDown)
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
	for _, s := range r.all() {
		_ = s.net.Close()
	}
	<-ended
}
