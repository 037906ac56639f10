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

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/tidwall/gjson"
)

// session is one open socket of an agent.
type session struct {
	agents *Team
	agent  *agent
	stream *guard
	reader websocket.Reader
	room   []byte // what was read, and from at on not looked at
	at     int
	in     []byte // the last message
	pong   []byte // what the last ping is answered with; nil: it was
	wrong  int    // the code that a server is told that broke the protocol
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
	// maxRefusal bounds what is read of an answer that refuses the upgrade.
	maxRefusal = 64 << 10
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
	stream, f := g.upgrade(ctx, plain, a, header)
	if f.Bad() {
		stop()
		_ = plain.Close() // of no use any more
		return nil, g.unreached(f)
	}
	plain.SetDeadline(time.Time{}) //nolint:errcheck // as in arm
	s := &session{
		agents: g, agent: a, stream: stream, room: make([]byte, 0, 4<<10), values: make([]jsonscan.Value, saidSlots),
		stop: stop, over: make(chan struct{}), wake: make(chan struct{}, 1),
	}
	s.reader.Limit = g.target.Limits.Line
	g.wg.Go(s.write)
	if f = s.subscribe(); f.Bad() {
		g.mu.Lock()
		g.fail(s, f)
		g.mu.Unlock()
		s.end()
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

// upgrade makes the one request over c that makes it the agent's socket, whatever its
// host: no proxy of the environment's, no redirects.
func (g *Team) upgrade(ctx context.Context, c net.Conn, a *agent, header http.Header) (*guard, wire.Fault) {
	dial := func(context.Context, string, string) (net.Conn, error) { return c, nil }
	carrier := http.Transport{
		DialContext: dial, DialTLSContext: dial, // c speaks TLS already
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: int64(g.target.Limits.Head),
		Protocols: new(http.Protocols),
	}
	carrier.Protocols.SetHTTP1(true)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.address(a), http.NoBody)
	if err != nil {
		return nil, wire.NewFault(wire.Malformed, wire.Short(err))
	}
	key := websocket.NewKey()
	r.Host, r.Header = g.target.Host, header
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": websocket.Version, "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": protocol,
	} {
		r.Header.Set(name, value)
	}
	resp, err := carrier.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, refusal(ctx, resp, err)
	}
	why := websocket.Agreed(key, []string{protocol}, func(name string) ([]byte, bool) {
		values := resp.Header.Values(name)
		if len(values) == 0 {
			return nil, false
		}
		return []byte(values[0]), true
	})
	stream, ok := resp.Body.(io.ReadWriteCloser)
	if why != "" || !ok {
		return nil, refusal(ctx, resp, nil)
	}
	return &guard{ReadWriteCloser: stream, conn: c, base: g.target.Base, timeout: g.target.Timeout}, wire.Fault{}
}

// refusal says why a connection did not become a socket.
func refusal(ctx context.Context, resp *http.Response, err error) wire.Fault {
	switch {
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		code := ""
		if body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)); err == nil && gjson.ValidBytes(body) {
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
	s.stream.conn.SetReadDeadline(time.Now().Add(s.agents.target.Timeout)) //nolint:errcheck // as in arm
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
			s.stream.conn.SetReadDeadline(time.Time{}) //nolint:errcheck // as in arm
			s.stream.idle = missedPings * time.Duration(pings) * time.Second
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
			s.agents.noteShown(s, id, s.stream.read, s.in)
		}
	case "claimed", "lost", "replied", "error":
		s.agents.noteAnswer(s, kind, s.text(saidTicketID), s.text(saidCode), s.in)
	}
}

// next reads one message and gives its type. The others of its values are valid
// until the next call.
func (s *session) next() (kind string, f wire.Fault) {
	m, f := s.message()
	if f.Bad() {
		return "", f
	}
	if m.Op != websocket.Text {
		s.wrong = websocket.UnsupportedData
		return "", wire.NewFault(wire.Broken, onSocket+"a message that is not text")
	}
	s.in = append(s.in[:0], m.Payload...)
	scan := jsonscan.Scanner{Values: s.values}
	if !s.agents.places.Find(&scan, s.in) {
		s.wrong = websocket.InvalidPayload
		return "", wire.NewFault(wire.Broken, onSocket+"a message that is not one valid JSON document")
	}
	return s.text(saidType), wire.Fault{}
}

// message waits for the next, and answers pings meanwhile.
func (s *session) message() (websocket.Message, wire.Fault) {
	for {
		for s.at < len(s.room) {
			used, m, whole, err := s.reader.Next(s.room[s.at:])
			s.at += used
			switch {
			case err != nil:
				return m, s.broke(err)
			case !whole:
			case m.Op == websocket.Ping:
				s.pong = websocket.Append(nil, websocket.Pong, m.Payload)
			case m.Op == websocket.Close:
				return m, s.closed(m.Payload)
			case m.Op != websocket.Pong:
				return m, wire.Fault{}
			}
		}
		if s.pong != nil {
			if _, err := s.stream.Write(s.pong); err != nil {
				return websocket.Message{}, s.lost(err)
			}
			s.pong = nil
		}
		n, err := s.stream.Read(s.room[:cap(s.room)])
		s.room, s.at = s.room[:n], 0
		if n == 0 && err != nil {
			return websocket.Message{}, s.lost(err)
		}
	}
}

// broke notes what a server that broke the protocol is told.
func (s *session) broke(err error) wire.Fault {
	s.wrong = websocket.ProtocolError
	if e, ok := errors.AsType[*websocket.FrameError](err); ok {
		s.wrong = e.Code
	}
	if errors.Is(err, websocket.ErrTooBig) {
		return wire.NewFault(wire.Oversized, onSocket+"a message is longer than the limit of a line")
	}
	return wire.NewFault(wire.Broken, onSocket+"protocol error: "+err.Error())
}

// closed answers a close frame, and says what it means.
func (s *session) closed(payload []byte) wire.Fault {
	code := websocket.CloseCode(payload)
	frame := websocket.Append(nil, websocket.Close, payload[:min(len(payload), 2)])
	_, _ = s.stream.Write(frame) // who has closed need not hear it
	return wire.NewFault(wire.Broken, onSocket+"closed by the server with code "+strconv.Itoa(code))
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

// lost says what the end of the socket means.
func (s *session) lost(err error) wire.Fault {
	s.agents.mu.Lock()
	first := s.fault
	s.agents.mu.Unlock()
	switch {
	case s.agents.ctx.Err() != nil:
		return wire.Interruption()
	case first.Bad(): // the writer's
		return first
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return wire.NewFault(wire.Broken, onSocket+"closed by the server")
	case wire.IsTimeout(err):
		return wire.NewFault(wire.TimedOut, onSocket+"silent for longer than its pings allow")
	}
	if f := wire.IOFault(err); f.Reason == wire.Broken {
		return wire.NewFault(wire.Broken, onSocket+f.Message)
	}
	return wire.NewFault(wire.Broken, onSocket+"the connection broke")
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
			if _, err := s.stream.Write(websocket.Append(nil, websocket.Text, message)); err != nil {
				s.agents.mu.Lock()
				switch {
				case s.fault.Bad():
				case s.agents.ctx.Err() != nil: // the socket was closed for it
					s.fault = wire.Interruption()
				default:
					s.fault = wire.NewFault(wire.Broken, onSocket+"the server takes no messages")
				}
				s.agents.mu.Unlock()
				_ = s.stream.conn.Close() // wakes the reader
				return
			}
		}
	}
}

// end closes the socket; a server that broke the protocol is told so.
func (s *session) end() {
	s.stop()
	close(s.over)
	if s.wrong != 0 {
		s.stream.conn.SetWriteDeadline(time.Now().Add(farewell))                   //nolint:errcheck // as in arm
		_, _ = s.stream.ReadWriteCloser.Write(websocket.AppendClose(nil, s.wrong)) // the peer's fault: nothing is left to do
	}
	_ = s.stream.conn.Close()
}
