package agents

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/coder/websocket"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/tidwall/gjson"
)

// session is one open socket of an agent.
type session struct {
	agents *Team
	agent  *agent
	conn   *websocket.Conn
	guard  *guard
	in     []byte
	values []jsonscan.Value
	stop   func() bool   // the end of everything is no business of the session's any more
	over   chan struct{} // closed when nothing is to be written any more
	wake   chan struct{}

	// Guarded by Team.mu.
	out   [][]byte
	fault wire.Fault // why it is closed
}

// onSocket begins every message about a socket, whosever it is.
const onSocket = "agent's socket: "

const (
	// farewell is how long a server that broke the protocol may take to hear so.
	farewell = time.Second
	// missedPings of those that the server announced make a socket dead.
	missedPings = 3
)

// connect opens the agent's socket and subscribes to the queues.
func (g *Team) connect(a *agent) (*session, wire.Fault) {
	ctx, cancel := context.WithTimeout(g.ctx, g.target.Timeout)
	defer cancel()
	header, err := a.Header()
	if err != nil {
		return nil, wire.NewFault(wire.Malformed, wire.Short(err))
	}
	plain, err := g.target.Dial(ctx, time.Now().Add(g.target.Timeout), nil)
	if err != nil {
		return nil, g.unreached(wire.DialFault(err))
	}
	plain.SetDeadline(time.Now().Add(g.target.Timeout))            //nolint:errcheck // as in arm
	stop := context.AfterFunc(g.ctx, func() { _ = plain.Close() }) // wakes whoever reads or writes
	up := g.upgrade(plain)
	conn, resp, err := websocket.Dial(ctx, g.address(a), &websocket.DialOptions{ //nolint:bodyclose // the library has closed it
		HTTPClient:   &http.Client{Transport: up, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		HTTPHeader:   header,
		Host:         g.target.Host,
		Subprotocols: []string{protocol},
	})
	if err != nil {
		stop()
		_ = plain.Close() // of no use any more
		return nil, g.unreached(refusal(ctx, resp, err))
	}
	s := &session{
		agents: g, agent: a, conn: conn, guard: up.guard, values: make([]jsonscan.Value, saidSlots),
		stop: stop, over: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	conn.SetReadLimit(int64(g.target.Limits.Line))
	g.wg.Go(s.write)
	f := s.subscribe()
	if f.Bad() {
		g.mu.Lock()
		g.fail(s, f)
		g.mu.Unlock()
		s.end(f)
	}
	return s, f
}

// unreached says why there is no socket.
func (g *Team) unreached(f wire.Fault) wire.Fault {
	if g.ctx.Err() != nil {
		return wire.Interruption()
	}
	f.Message = onSocket + f.Message
	return f
}

func (g *Team) address(a *agent) string {
	scheme := "http://"
	if g.target.Secure {
		scheme = "https://"
	}
	return scheme + g.target.Host + a.Path
}

// upgrade prepares one request over c, whatever its host: no proxy of the
// environment's, and nothing is kept.
func (g *Team) upgrade(c net.Conn) *upgrade {
	dial := func(context.Context, string, string) (net.Conn, error) { return c, nil }
	u := &upgrade{guard: &guard{conn: c, base: g.target.Base, timeout: g.target.Timeout}}
	u.Transport = http.Transport{
		DialContext: dial, DialTLSContext: dial, // c speaks TLS already
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: int64(g.target.Limits.Head),
		Protocols: new(http.Protocols),
	}
	u.Protocols.SetHTTP1(true)
	return u
}

// refusal says why a connection did not become a socket.
func refusal(ctx context.Context, resp *http.Response, err error) wire.Fault {
	switch {
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		code := ""
		if body, err := io.ReadAll(resp.Body); err == nil && gjson.ValidBytes(body) {
			code = gjson.GetBytes(body, "code").String()
		}
		return wire.NewFault(wire.Unreachable, "the upgrade was refused with status "+strconv.Itoa(resp.StatusCode)+coded(code))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return wire.NewFault(wire.TimedOut, "the upgrade took longer than the timeout")
	case resp != nil:
		return wire.NewFault(wire.Unreachable, "the server's upgrade is not one to WebSocket and "+protocol)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return wire.NewFault(wire.Unreachable, "connection closed by the server during the upgrade")
	}
	return wire.NewFault(wire.Unreachable, "the answer to the upgrade is not HTTP/1.1, or longer than the limit")
}

// coded gives a server's word for a message, where it is a plain one.
func coded(code string) string {
	if code == "" || len(code) > 40 || !wire.IsToken(code) {
		return ""
	}
	return ": " + code
}

// subscribe waits for the server's hello and has it show the tickets.
func (s *session) subscribe() wire.Fault {
	if s.conn.Subprotocol() != protocol {
		return wire.NewFault(wire.Unreachable, onSocket+"the server did not choose the subprotocol "+protocol)
	}
	s.guard.conn.SetReadDeadline(time.Now().Add(s.agents.target.Timeout)) //nolint:errcheck // as in arm
	asked, pings := false, 0
	for {
		kind, f := s.next()
		if f.Bad() {
			return late(f, onSocket+"no subscription within the timeout")
		}
		switch {
		case !asked && (kind != "hello" || s.values[saidProtocol].Kind != jsonscan.Nothing && s.text(saidProtocol) != protocol):
			return wire.NewFault(wire.Unreachable, onSocket+"the server's first message is not the hello of "+protocol)
		case !asked:
			asked = true
			pings, _ = s.values[saidPing].Count()
			s.agents.mu.Lock()
			s.out = append(s.out, subscription(s.agents.config.Queues))
			s.agents.mu.Unlock()
			s.notify()
		case kind == "subscribed":
			s.guard.conn.SetReadDeadline(time.Time{}) //nolint:errcheck // as in arm
			s.guard.idle = missedPings * time.Duration(pings) * time.Second
			return wire.Fault{}
		case kind == "error":
			return wire.NewFault(wire.Unreachable, onSocket+"the subscription was refused"+coded(s.text(saidCode)))
		default:
			s.handle(kind)
		}
	}
}

// serve takes what the server says until the socket ends, and gives why it did.
func (s *session) serve() wire.Fault {
	for {
		kind, f := s.next()
		if f.Bad() {
			return f
		}
		s.handle(kind)
	}
}

// handle notes what a message says of a ticket; others mean nothing here.
func (s *session) handle(kind string) {
	switch kind {
	case "ticket":
		if id := s.text(saidTicket); id != "" && len(id) <= maxTicketID {
			s.agents.noteShown(s, id, s.guard.read, s.in)
		}
	case "claimed", "lost", "replied", "error":
		s.agents.noteAnswer(s, kind, s.text(saidTicketID), s.text(saidCode), s.in)
	}
}

// next reads one message and gives its type. The others of its values are valid
// until the next call.
func (s *session) next() (kind string, f wire.Fault) {
	what, r, err := s.conn.Reader(context.Background())
	if err != nil {
		return "", s.lost(err)
	}
	if what != websocket.MessageText {
		return "", wire.NewFault(wire.Broken, notText)
	}
	s.in = s.in[:0]
	for {
		if len(s.in) == cap(s.in) {
			s.in = append(s.in, make([]byte, 512)...)[:len(s.in)]
		}
		n, err := r.Read(s.in[len(s.in):cap(s.in)])
		s.in = s.in[:len(s.in)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", s.lost(err)
		}
	}
	scan := jsonscan.Scanner{Values: s.values}
	if !s.agents.places.Find(&scan, s.in) {
		return "", wire.NewFault(wire.Broken, notJSON)
	}
	return s.text(saidType), wire.Fault{}
}

// text gives a value that is a string.
func (s *session) text(slot int) string {
	v := &s.values[slot]
	switch {
	case v.Kind != jsonscan.Text:
		return ""
	case v.Escaped:
		return string(jsonscan.Unescape(nil, v.Raw))
	}
	return string(v.Raw)
}

const (
	notProtocol = onSocket + "protocol error"

	notText = onSocket + "a message that is not text"
	notJSON = onSocket + "a message that is not one valid JSON document"
)

// lost says what the end of the socket means.
func (s *session) lost(err error) wire.Fault {
	s.agents.mu.Lock()
	first := s.fault
	s.agents.mu.Unlock()
	code := websocket.CloseStatus(err)
	switch {
	case s.agents.ctx.Err() != nil:
		return wire.Interruption()
	case first.Bad(): // the writer's
		return first
	case s.guard.wrong != nil:
		return wire.NewFault(wire.Broken, onSocket+"protocol error: "+s.guard.wrong.Error())
	case errors.Is(err, websocket.ErrMessageTooBig):
		return wire.NewFault(wire.Oversized, onSocket+"a message is longer than the limit of a line")
	case code >= 0:
		return wire.NewFault(wire.Broken, onSocket+"closed by the server with code "+strconv.Itoa(int(code)))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return wire.NewFault(wire.Broken, onSocket+"closed by the server")
	case wire.IsTimeout(err):
		return wire.NewFault(wire.TimedOut, onSocket+"silent for longer than its pings allow")
	}
	if f := wire.IOFault(err); f.Reason == wire.Broken && f.Message == "connection reset by the server" {
		return wire.NewFault(wire.Broken, onSocket+f.Message)
	}
	return wire.NewFault(wire.Broken, notProtocol)
}

func (s *session) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// write sends what is to be said until the socket ends. It ends the socket when
// the server takes nothing.
func (s *session) write() {
	for {
		select {
		case <-s.wake:
		case <-s.over:
			return
		}
		s.agents.mu.Lock()
		out := s.out
		s.out = nil
		s.agents.mu.Unlock()
		for _, message := range out {
			if err := s.conn.Write(context.Background(), websocket.MessageText, message); err != nil {
				s.agents.mu.Lock()
				if !s.fault.Bad() {
					s.fault = wire.NewFault(wire.Broken, onSocket+"the server takes no messages")
				}
				s.agents.mu.Unlock()
				_ = s.guard.conn.Close() // wakes the reader
				return
			}
		}
	}
}

// end closes the socket; a server that broke the protocol is told so.
func (s *session) end(f wire.Fault) {
	s.stop()
	close(s.over)
	code := websocket.StatusCode(0)
	switch {
	case s.guard.wrong != nil, f.Message == notProtocol:
		code = websocket.StatusProtocolError
	case f.Message == notText:
		code = websocket.StatusUnsupportedData
	case f.Message == notJSON:
		code = websocket.StatusInvalidFramePayloadData
	}
	if code != 0 {
		s.guard.conn.SetDeadline(time.Now().Add(farewell)) //nolint:errcheck // as in arm
		_ = s.conn.Close(code, "")                         // the peer's fault or a closed connection: nothing is left to do
	}
	_ = s.guard.conn.Close()
	_ = s.conn.CloseNow()
}
