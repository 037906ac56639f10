// Package socket keeps customers' WebSockets: the messages of one that a turn has,
// and what comes over those that wait for their next.
package socket

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/tidwall/gjson"
)

// Socket is an open one. A turn has it from Begin to End; between turns its Keeper
// reads what comes. Only its owner's goroutine uses it, and Close ends all.
type Socket struct {
	mu     sync.Mutex // held by who reads or writes: a turn all along
	keeper *Keeper
	owner  Owner
	conn   *http1.Switched
	reader websocket.Reader

	id       uint64
	watched  bool
	missed   atomic.Bool // the keeper was told of it while somebody had it
	code     int         // of the server's close frame
	dead     bool
	at       int    // up to where the turn's Exchange.In was looked at
	pong     []byte // of the last ping, which is still to be answered
	pinged   bool
	awaiting int           // attachments of held that are still to come
	held     *Event        // an event that waits for them
	sent     time.Duration // when something was sent last
	heard    time.Duration // when something was heard last
	calm     time.Duration // when control frames were counted anew
	patience time.Duration // how long an engine.io server may be silent; 0: any
	notes    []byte
}

// Owner is whose socket it is.
type Owner interface {
	// Stray takes a message that came between two turns. Its slices are valid during
	// the call. It must not use the socket.
	Stray(e *Event)
	// AppendPing appends the message that is sent while nothing else is; nothing where
	// that is a ping frame.
	AppendPing(dst []byte) []byte
	// AppendPong appends the message that answers e, where e is a ping of the application;
	// e is then nobody's. It must not use the socket.
	AppendPong(dst []byte, e *Event) []byte
	// Dropped is called when the socket was closed between two turns.
	Dropped()
}

// Event is a message as a scenario sees it.
type Event struct {
	Name []byte // of socket.io's
	Data []byte
	Kind socketio.Kind // Event, where the socket speaks no socket.io
	ID   int64         // of an acknowledgement, or of an event that asks for one; -1: none
}

// New gives the socket that conn has become, held by its owner as behind Begin. rest
// is what came behind the upgrade, and lies in the exchange of the turn from at on.
func (k *Keeper) New(conn *http1.Switched, owner Owner, at int) *Socket {
	s := &Socket{keeper: k, owner: owner, conn: conn, at: at}
	s.reader.Limit = k.Limit
	s.sent = k.target.Now()
	s.heard, s.calm = s.sent, s.sent
	s.mu.Lock()
	k.add(s)
	return s
}

// Begin takes the socket for a turn, whose exchange lends its memory. Where it gives
// false the socket is closed.
func (s *Socket) Begin(x *wire.Exchange) bool {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return false
	}
	s.keeper.unwatch(s)
	x.In = x.In[:0]
	if s.drain(x); !s.dead && s.patience > 0 && s.keeper.target.Now()-s.heard > s.patience {
		s.die() // as the library of a browser would have by now
	}
	if s.dead {
		s.mu.Unlock()
		return false
	}
	s.at = 0
	return true
}

// End gives the socket back to the keeper.
func (s *Socket) End(x *wire.Exchange) {
	if !s.dead && s.at < len(x.In) {
		s.feed(x.In[s.at:])
	}
	if !s.dead && s.conn.Buffers() {
		s.drain(x)
	}
	s.rest()
}

// drain reads what has arrived into memory behind what x holds.
func (s *Socket) drain(x *wire.Exchange) {
	x.Room(2 << 10)
	s.drainInto(x.In[len(x.In):cap(x.In)])
}

// rest lets the keeper watch the socket, and gives it up. What the keeper was told
// before it could have the socket it is told again.
func (s *Socket) rest() {
	for {
		if !s.dead {
			s.keeper.watch(s)
		}
		s.mu.Unlock()
		if !s.missed.Swap(false) || !s.mu.TryLock() {
			return
		}
	}
}

// Close says goodbye and closes the socket. Its owner calls it between turns.
func (s *Socket) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(websocket.NormalClosure)
}

// Abandon closes the socket within a turn.
func (s *Socket) Abandon() { s.leave(websocket.NormalClosure) }

// Peer is who is at the other end.
func (s *Socket) Peer() *wire.Peer { return s.conn.Peer() }

// Closed is the code of the server's close frame; 0 where none came.
func (s *Socket) Closed() int { return s.code }

// Dead tells within a turn whether the socket is closed.
func (s *Socket) Dead() bool { return s.dead }

// leave closes the socket and says so, if that can be said at once.
func (s *Socket) leave(code int) {
	if s.dead {
		return
	}
	frame := websocket.AppendClose(nil, code)
	s.note(false, byte(websocket.Close), binary.BigEndian.AppendUint16(nil, uint16(code)))
	_ = s.conn.Write(frame, s.keeper.target.Now()+soon) // the peer will see the end anyway
	s.die()
}

func (s *Socket) die() {
	if s.dead {
		return
	}
	s.dead = true
	s.keeper.drop(s)
	s.conn.Close()
}

// Send sends x.Out as one message within a turn, by until.
func (s *Socket) Send(x *wire.Exchange, until time.Duration) wire.Fault {
	payload := x.Out
	x.Out = websocket.Append(payload, websocket.Text, payload)
	s.note(false, byte(websocket.Text), payload)
	err := s.conn.Write(x.Out[len(payload):], until)
	x.Out = x.Out[:len(payload)]
	s.sent = s.keeper.target.Now()
	if err != nil {
		return s.lost(err)
	}
	return wire.Fault{}
}

// Next waits for a message within a turn. What it lies in is x.In, or memory of its
// own; x.Done is when the read ended that brought the last of it.
func (s *Socket) Next(x *wire.Exchange, until time.Duration) (Event, wire.Fault) {
	for {
		for s.at < len(x.In) {
			used, m, whole, err := s.reader.Next(x.In[s.at:])
			s.at += used
			if err != nil {
				return Event{}, s.broke(err)
			}
			if !whole {
				break
			}
			e, some, f := s.take(m)
			if some || f.Bad() {
				return e, f
			}
		}
		if f := s.reply(until); f.Bad() {
			return Event{}, f
		}
		if f := s.read(x, until); f.Bad() {
			return Event{}, f
		}
	}
}

// read reads behind x.In, and pings meanwhile where the scenario says so.
func (s *Socket) read(x *wire.Exchange, until time.Duration) wire.Fault {
	if s.at >= len(x.In) {
		x.In, s.at = x.In[:0], 0
	}
	x.Room(1 << 10)
	for {
		limit := until
		if every := s.keeper.Every; every > 0 {
			limit = min(until, s.sent+every)
		}
		n, err := s.conn.Read(x.In[len(x.In):cap(x.In)], limit)
		now := s.keeper.target.Now()
		if n > 0 {
			x.In = x.In[:len(x.In)+n]
			x.Done, s.heard = now, now
			s.soothe(now)
			return wire.Fault{}
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if limit < until && errors.Is(err, os.ErrDeadlineExceeded) && now < until && !s.conn.Halted() {
			if s.ping(); !s.dead {
				continue
			}
		}
		x.Done = now
		return s.lost(err)
	}
}

// soothe counts control frames in a row anew after a while.
func (s *Socket) soothe(now time.Duration) {
	if now-s.calm > time.Second {
		s.calm = now
		s.reader.Calm()
	}
}

// take takes a message that came: some tells that it is one for the owner.
func (s *Socket) take(m websocket.Message) (e Event, some bool, f wire.Fault) {
	s.note(true, byte(m.Op), m.Payload)
	switch m.Op {
	case websocket.Ping: // of several the last is answered (RFC 6455, 5.5.3)
		s.pong, s.pinged = append(s.pong[:0], m.Payload...), true
	case websocket.Close:
		code := websocket.CloseCode(m.Payload)
		s.code = code
		s.leave(answering(code))
		return e, false, wire.NewFault(wire.Broken, closedWith(code))
	case websocket.Text, websocket.Binary:
		if s.keeper.SocketIO {
			return s.packet(m)
		}
		return s.given(Event{Data: m.Payload, Kind: socketio.Event, ID: -1})
	case websocket.Pong, websocket.Continuation:
	}
	return e, false, f
}

// answering is the code that a close frame is answered with.
func answering(code int) int {
	if code == websocket.NoStatus {
		return websocket.NormalClosure
	}
	return code
}

func closedWith(code int) string {
	if code == websocket.NoStatus {
		return "closed by the server"
	}
	return "closed by the server with code " + strconv.Itoa(code)
}

// packet takes a packet of socket.io.
func (s *Socket) packet(m websocket.Message) (e Event, some bool, f wire.Fault) {
	if m.Op == websocket.Binary {
		if s.held == nil {
			return e, false, s.broke(errAttachment)
		}
		if s.awaiting--; s.awaiting > 0 {
			return e, false, f
		}
		e, s.held = *s.held, nil
		return e, true, f
	}
	p, err := socketio.Parse(m.Payload)
	if err == nil && s.held != nil {
		err = errAttachment
	}
	if err != nil {
		return e, false, s.broke(err)
	}
	switch p.Kind {
	case socketio.Ping:
		return e, false, s.write(append([]byte{'3'}, p.Data...))
	case socketio.Closing:
		s.leave(websocket.NormalClosure)
		return e, false, wire.NewFault(wire.Broken, "closed by the server")
	case socketio.Open:
		s.opened(p.Data)
	case socketio.Disconnect:
		if string(p.Namespace) == s.keeper.Namespace {
			s.leave(websocket.NormalClosure)
			return e, false, wire.NewFault(wire.Broken, "disconnected from its namespace by the server")
		}
		return e, false, f
	case socketio.Noop, socketio.Pong:
		return e, false, f
	case socketio.Connect, socketio.Event, socketio.Ack, socketio.ConnectError:
		if string(p.Namespace) != s.keeper.Namespace {
			return e, false, f // another's, which nobody asked for
		}
	}
	e = Event{Name: p.Name, Data: p.Data, Kind: p.Kind, ID: p.ID}
	switch p.Kind {
	case socketio.Ack:
		e.Name = []byte(socketio.AckName)
	case socketio.ConnectError:
		e.Name = []byte("connect_error")
	case socketio.Event:
		if e.ID >= 0 { // as a handler that has nothing to say does
			if f = s.write(socketio.AppendAck(nil, s.keeper.Namespace, e.ID)); f.Bad() {
				return e, false, f
			}
		}
	default:
	}
	if p.Attachments > 0 {
		e.Name, e.Data = append([]byte(nil), e.Name...), append([]byte(nil), e.Data...)
		s.held, s.awaiting = &e, p.Attachments
		return e, false, f
	}
	return s.given(e)
}

// given is a message for the owner, but that it is a ping of the application.
func (s *Socket) given(e Event) (Event, bool, wire.Fault) {
	if s.keeper.Pongs {
		asked := e // lies on the heap: only where there are pings
		if answer := s.owner.AppendPong(nil, &asked); len(answer) > 0 {
			return Event{}, false, s.write(answer)
		}
	}
	return e, true, wire.Fault{}
}

var errAttachment = errors.New("attachments that do not go with their packet")

// opened keeps how long engine.io's server says that it is silent at most.
func (s *Socket) opened(data []byte) {
	all := gjson.GetManyBytes(data, "pingInterval", "pingTimeout")
	interval, grace := all[0].Int(), all[1].Int()
	const most = int64(time.Hour / time.Millisecond)
	if interval > 0 && interval < most && grace > 0 && grace < most {
		s.patience = time.Duration(interval+grace) * time.Millisecond
	}
}

// soon is how long a server may take to accept what is sent beside a turn.
const soon = 100 * time.Millisecond

// write sends a message that is no turn's.
func (s *Socket) write(payload []byte) wire.Fault {
	s.note(false, byte(websocket.Text), payload)
	return s.put(websocket.Append(nil, websocket.Text, payload))
}

func (s *Socket) put(frame []byte) wire.Fault {
	now := s.keeper.target.Now()
	if err := s.conn.Write(frame, now+soon); err != nil {
		if s.conn.Halted() {
			return s.lost(err)
		}
		s.die()
		return wire.NewFault(wire.Broken, "the server takes no messages")
	}
	s.sent = now
	return wire.Fault{}
}

// reply answers the last ping.
func (s *Socket) reply(time.Duration) wire.Fault {
	if !s.pinged {
		return wire.Fault{}
	}
	s.note(false, byte(websocket.Pong), s.pong)
	frame := websocket.Append(nil, websocket.Pong, s.pong)
	s.pinged, s.pong = false, nil
	return s.put(frame)
}

// ping sends what the scenario says is sent in silence.
func (s *Socket) ping() {
	message := s.owner.AppendPing(nil)
	if len(message) > 0 {
		s.write(message)
		return
	}
	s.note(false, byte(websocket.Ping), nil)
	s.put(websocket.Append(nil, websocket.Ping, nil))
}

// broke ends the socket of a server that broke the protocol, and says so to both.
func (s *Socket) broke(err error) wire.Fault {
	code := websocket.ProtocolError
	if v, ok := errors.AsType[*websocket.FrameError](err); ok {
		code = v.Code
	}
	s.leave(code)
	if err == websocket.ErrTooBig { //nolint:errorlint // it is that value, and is compared for each message
		return wire.NewFault(wire.Oversized, "a message is longer than the limit")
	}
	return wire.NewFault(wire.Broken, "protocol error: "+err.Error())
}

// lost says what an error of the connection means.
func (s *Socket) lost(err error) wire.Fault {
	if s.conn.Halted() {
		return wire.Interruption()
	}
	f := wire.IOFault(err)
	if f.Reason != wire.TimedOut {
		s.die()
	}
	return f
}
