package window

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

// window is one customer's socket. While nothing is said one goroutine waits for it;
// a turn has another, so that a customer who leaves within one is noticed.
type window struct {
	who    Customer
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

func newWindow(c Customer, conn *websocket.Conn, raw net.Conn, within time.Duration) *window {
	w := &window{who: c, conn: conn, net: raw, within: within}
	now := time.Now().UnixNano()
	w.alive.Store(now)
	w.spoke.Store(now)
	return w
}

// run takes messages until the window is closed, one turn at a time: who says more
// meanwhile is not read from.
func (w *window) run() {
	ctx, leave := context.WithCancel(context.Background())
	for {
		message, ok := w.next()
		if !ok {
			break
		}
		w.turn.Wait()
		if !w.begin() {
			break
		}
		w.turn.Go(func() { w.answer(ctx, message) })
	}
	leave() // who has left waits for no answer
	w.turn.Wait()
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	w.beside.Wait()
}

// aside does something beside the reader, which waits for its end.
func (w *window) aside(do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.beside.Go(do)
	}
}

// next waits for a message. After false the window ends.
func (w *window) next() ([]byte, bool) {
	kind, r, err := w.conn.Reader(context.Background())
	if err == nil && kind != websocket.MessageText {
		w.end(ws.Unsupported, "text only")
		return nil, false
	}
	var message []byte
	if err == nil {
		_ = w.net.SetReadDeadline(time.Now().Add(w.within))
		message, err = io.ReadAll(r)
	}
	if err != nil {
		w.endAt(ws.ReadFault(err, "customer"))
		return nil, false
	}
	_ = w.net.SetReadDeadline(time.Time{})
	if !utf8.Valid(message) {
		w.end(ws.Payload, "text must be UTF-8")
		return nil, false
	}
	w.heard(&w.spoke)
	return message, true
}

// heard notes that something came.
func (w *window) heard(at *atomic.Int64) {
	now := time.Now().UnixNano()
	at.Store(now)
	w.alive.Store(now)
}

// begin has a turn begin; false where the window is ending.
func (w *window) begin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return false
	}
	w.busy = true
	return true
}

// answer sends what a message is answered with, and ends the window if it was to end
// after that.
func (w *window) answer(ctx context.Context, message []byte) {
	document := w.who.Say(ctx, message)
	sending, cancel := context.WithTimeout(context.Background(), w.within)
	err := w.conn.Write(sending, websocket.MessageText, document)
	cancel()
	w.spoke.Store(time.Now().UnixNano())
	w.mu.Lock()
	w.busy = false
	ending := w.ending
	w.mu.Unlock()
	switch {
	case ending:
		w.close()
	case err != nil:
		w.end(0, "the answer could not be sent")
	}
}

// end closes the window with a code, after the answer to the turn under way. It does
// not wait for that.
func (w *window) end(code int, reason string) {
	if w.mark(code, reason) {
		w.close()
	}
}

// endAt is end for a connection over which nothing comes any more: it waits for no
// answer.
func (w *window) endAt(code int, reason string) {
	w.mark(code, reason)
	w.close()
}

// mark notes why the window ends, the first time, and says whether it may be closed now.
func (w *window) mark(code int, reason string) (now bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ending {
		return false
	}
	w.ending, w.code, w.reason = true, code, reason
	return !w.busy
}

// close sends the close frame, and sees to it that whatever blocks ends.
func (w *window) close() {
	w.mu.Lock()
	code, reason := w.code, w.reason
	w.mu.Unlock()
	_ = w.net.SetDeadline(time.Now().Add(closeWhole))
	w.aside(func() {
		if code == 0 {
			_ = w.conn.CloseNow()
			return
		}
		_ = w.conn.Close(websocket.StatusCode(code), reason)
	})
}

// look asks whether the customer's side is still there, and ends what is idle or whose
// token has run out.
func (w *window) look(now time.Time, live Live) {
	since := func(at *atomic.Int64) time.Duration { return now.Sub(time.Unix(0, at.Load())) }
	w.mu.Lock()
	busy, ending := w.busy, w.ending
	w.mu.Unlock()
	switch {
	case ending:
	case now.After(w.who.Until):
		w.end(ws.Policy, "the token has run out")
	case busy:
	case live.Idle > 0 && since(&w.spoke) > live.Idle:
		w.end(ws.Normal, "nothing was said for long")
	case since(&w.alive) > live.Ping && !w.asking.Swap(true):
		w.aside(func() { w.ping(live.Pong) })
	}
}

func (w *window) ping(within time.Duration) {
	defer w.asking.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if w.conn.Ping(ctx) != nil {
		w.end(ws.Policy, "no pong")
		return
	}
	w.alive.Store(time.Now().UnixNano())
}
