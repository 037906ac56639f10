package desk

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/ws"
)

const (
	socketWrite = 10 * time.Second // for one message to reach the client
	socketClose = 3 * time.Second  // for the close handshake
)

// socket is one agent's connection. One goroutine reads and does what the
// agent asks, one thing at a time; one writes; one pings. Safe for concurrent
// use.
type socket struct {
	desk  *Desk
	who   dialog.Owner
	id    string // no two sockets have the same
	trace string
	until time.Time // its token is taken
	live  Live      // as of the upgrade
	conn  *websocket.Conn
	net   net.Conn
	out   chan []byte
	since time.Time

	ending sync.Once
	quit   chan struct{} // closed by end
	code   int           // why, once quit is closed; 0: the connection is gone
	reason string

	mu     sync.Mutex
	queues []string
	seen   toldList // the latest tickets it was told of
	held   toldList // those it has claimed and not replied to
}

func newSocket(d *Desk, a Agent, conn *websocket.Conn, raw net.Conn) *socket {
	conn.SetReadLimit(maxMessage)
	live := d.live()
	return &socket{
		desk: d, who: a.Owner, id: dialog.RandomHex(8), trace: a.TraceID, until: a.Until, live: live, conn: conn, net: raw,
		out: make(chan []byte, live.Queue), since: time.Now(), quit: make(chan struct{}), seen: newToldList(), held: newToldList(),
	}
}

// start runs the socket until it ends, without waiting for that.
func (s *socket) start() {
	d := s.desk
	s.put(helloMessage(s.who.UID, s.live.Ping))
	if !d.join(s) {
		s.end(ws.GoingAway, "the server is going down")
	}
	var parts sync.WaitGroup
	parts.Go(s.read)
	parts.Go(s.write)
	parts.Go(s.ping)
	go func() {
		defer d.running.Done()
		parts.Wait()
		d.leave(s)
		d.open.Add(-1)
		d.metrics.closed(s.code)
		if s.live.Log {
			d.log.LogAttrs(context.Background(), slog.LevelInfo, "agent left", slog.String("trace_id", s.trace), slog.Int("code", s.code),
				slog.String("reason", s.reason), slog.Float64("total_s", time.Since(s.since).Seconds()))
		}
	}()
}

// end closes the socket with a code, once. It does not wait: the writer sends
// the close frame, and whatever blocks until then has socketClose.
func (s *socket) end(code int, reason string) {
	s.ending.Do(func() {
		s.code, s.reason = code, reason
		_ = s.net.SetDeadline(time.Now().Add(socketClose))
		close(s.quit)
	})
}

// closeNow ends the socket at once.
func (s *socket) closeNow() {
	s.end(ws.GoingAway, "the server is going down")
	_ = s.net.Close()
}

func (s *socket) ended() bool {
	select {
	case <-s.quit:
		return true
	default:
		return false
	}
}

// put queues an answer to this agent. An agent that does not read its answers
// is not read from, either.
func (s *socket) put(message []byte) {
	select {
	case s.out <- message:
	case <-s.quit:
	}
}

// offer queues what the agent did not ask for, without waiting: an agent that
// has as much as the queue holds before it is closed.
func (s *socket) offer(kind string, message []byte) {
	select {
	case s.out <- message:
		s.desk.metrics.out[kind].Inc()
	default:
		s.end(ws.TryAgain, "too slow")
	}
}

func (s *socket) subscribed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queues
}

func (s *socket) wants(queue string) bool { return slices.Contains(s.subscribed(), queue) }

// write sends what is queued, and the close frame last.
func (s *socket) write() {
	for !s.ended() {
		select {
		case m := <-s.out:
			if !s.send(m) {
				s.end(0, "the connection is gone")
			}
		case <-s.quit:
		}
	}
	for s.code == ws.GoingAway && len(s.out) > 0 && s.send(<-s.out) {
		continue // the agent has no fault in the end: it gets its answers
	}
	if s.code == 0 {
		_ = s.conn.CloseNow()
		return
	}
	_ = s.conn.Close(websocket.StatusCode(s.code), s.reason)
}

func (s *socket) send(message []byte) bool {
	ctx, cancel := context.WithTimeout(context.Background(), socketWrite)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, message) == nil
}

// ping asks whether the agent is still there, and ends the socket with its token.
func (s *socket) ping() {
	tick, expiry := time.NewTicker(s.live.Ping), time.NewTimer(time.Until(s.until))
	defer tick.Stop()
	defer expiry.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-expiry.C:
			s.end(ws.Policy, "the token has run out")
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.live.Pong)
		err := s.conn.Ping(ctx)
		cancel()
		if err != nil {
			s.end(ws.Policy, "no pong")
			return
		}
	}
}

// read does what the agent asks until the socket ends.
func (s *socket) read() {
	for !s.ended() {
		kind, b, err := s.conn.Read(context.Background())
		switch {
		case err != nil:
			s.end(ws.ReadFault(err, "agent"))
		case kind != websocket.MessageText:
			s.end(ws.Unsupported, "text only")
		default:
			s.handle(b)
		}
	}
}
