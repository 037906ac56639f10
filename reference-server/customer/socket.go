package customer

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/reference-server/ws"
)

// closeWhole is how long the close handshake may take.
const closeWhole = 3 * time.Second

// socket is that of one customer. While nothing is said one goroutine waits for it;
// a turn has another, so that a customer who leaves within one is noticed.
type socket struct {
	who    Caller
	conn   *websocket.Conn
	net    net.Conn
	within time.Duration // a message comes once it has begun, and an answer goes

	turn   sync.WaitGroup // the one under way; the reader alone begins one
	asking atomic.Bool    // a ping is under way
	alive  atomic.Int64   // when something came last, Unix ns
	spoke  atomic.Int64   // when the customer or the server said something last, Unix ns
	beside sync.WaitGroup

	mu     sync.Mutex
	over   bool // nothing is to be done any more
	busy   bool // a turn is under way
	ending bool // closed, or to be closed when the turn is answered
	code   int  // why; 0: the connection is gone
	reason string
}

func newSocket(c Caller, conn *websocket.Conn, raw net.Conn, within time.Duration) *socket {
	s := &socket{who: c, conn: conn, net: raw, within: within}
	now := time.Now().UnixNano()
	s.alive.Store(now)
	s.spoke.Store(now)
	return s
}

// run takes messages until the socket is closed, one turn at a time: who says more
// meanwhile is not read from.
func (s *socket) run() {
	ctx, leave := context.WithCancel(context.Background())
	for {
		message, ok := s.next()
		if !ok {
			break
		}
		s.turn.Wait()
		if !s.begin() {
			break
		}
		s.turn.Go(func() { s.answer(ctx, message) })
	}
	leave() // who has left waits for no answer
	s.turn.Wait()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.beside.Wait()
}

// aside does something beside the reader, which waits for its end.
func (s *socket) aside(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.beside.Go(do)
	}
}

// next waits for a message. After false the socket ends.
func (s *socket) next() ([]byte, bool) {
	kind, r, err := s.conn.Reader(context.Background())
	if err == nil && kind != websocket.MessageText {
		s.end(ws.Unsupported, "text only")
		return nil, false
	}
	var message []byte
	if err == nil {
		_ = s.net.SetReadDeadline(time.Now().Add(s.within))
		message, err = io.ReadAll(r)
	}
	if err != nil {
		s.endAt(ws.ReadFault(err, "customer"))
		return nil, false
	}
	_ = s.net.SetReadDeadline(time.Time{})
	if !utf8.Valid(message) {
		s.end(ws.Payload, "text must be UTF-8")
		return nil, false
	}
	s.heard(&s.spoke)
	return message, true
}

// heard notes that something came.
func (s *socket) heard(at *atomic.Int64) {
	now := time.Now().UnixNano()
	at.Store(now)
	s.alive.Store(now)
}

// begin has a turn begin; false where the socket is ending.
func (s *socket) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.busy = true
	return true
}

// answer sends what a message is answered with, and ends the socket if it was to end
// after that.
func (s *socket) answer(ctx context.Context, message []byte) {
	document := s.who.Say(ctx, message)
	sending, cancel := context.WithTimeout(context.Background(), s.within)
	err := s.conn.Write(sending, websocket.MessageText, document)
	cancel()
	s.spoke.Store(time.Now().UnixNano())
	s.mu.Lock()
	s.busy = false
	ending := s.ending
	s.mu.Unlock()
	switch {
	case ending:
		s.close()
	case err != nil:
		s.end(0, "the answer could not be sent")
	}
}

// end closes the socket with a code, after the answer to the turn under way. It does
// not wait for that.
func (s *socket) end(code int, reason string) {
	if s.mark(code, reason) {
		s.close()
	}
}

// endAt is end for a connection over which nothing comes any more: it waits for no
// answer.
func (s *socket) endAt(code int, reason string) {
	s.mark(code, reason)
	s.close()
}

// mark notes why the socket ends, the first time, and says whether it may be closed now.
func (s *socket) mark(code int, reason string) (now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	s.ending, s.code, s.reason = true, code, reason
	return !s.busy
}

// close sends the close frame, and sees to it that whatever blocks ends.
func (s *socket) close() {
	s.mu.Lock()
	code, reason := s.code, s.reason
	s.mu.Unlock()
	_ = s.net.SetDeadline(time.Now().Add(closeWhole))
	s.aside(func() {
		if code == 0 {
			_ = s.conn.CloseNow()
			return
		}
		_ = s.conn.Close(websocket.StatusCode(code), reason)
	})
}

// look asks whether the customer's side is still there, and ends what is idle or whose
// token has run out.
func (s *socket) look(now time.Time, live Live) {
	since := func(at *atomic.Int64) time.Duration { return now.Sub(time.Unix(0, at.Load())) }
	s.mu.Lock()
	busy, ending := s.busy, s.ending
	s.mu.Unlock()
	switch {
	case ending:
	case now.After(s.who.Until):
		s.end(ws.Policy, "the token has run out")
	case busy:
	case live.Idle > 0 && since(&s.spoke) > live.Idle:
		s.end(ws.Normal, "nothing was said for long")
	case since(&s.alive) > live.Ping && !s.asking.Swap(true):
		s.aside(func() { s.ping(live.Pong) })
	}
}

func (s *socket) ping(within time.Duration) {
	defer s.asking.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if s.conn.Ping(ctx) != nil {
		s.end(ws.Policy, "no pong")
		return
	}
	s.alive.Store(time.Now().UnixNano())
}
