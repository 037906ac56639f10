package driver

import (
	"bytes"
	"hash/maphash"
	"net/http"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// customer is what a channel of mode websocket holds between two turns.
type customer struct {
	socket *socket.Socket
	opened bool           // it had one before
	acks   int64          // the number of the last message that asked for an acknowledgement
	saved  map[int]string // by slot, of its first messages
	turns  [rememberedTurns]pastTurn
	next   int
}

// rememberedTurns are those whose answers are known when they come late, or again.
const rememberedTurns = 4

// pastTurn is a turn that is over: its id's hash, the number of its acknowledgement,
// and whether it was answered.
type pastTurn struct {
	id       uint64
	ack      int64
	answered bool
}

var turnSeed = maphash.MakeSeed()

// speak has the turn over the socket.
func (ch *channel) speak(x *exchange, reply *Reply) wire.Fault {
	p, c := ch.client.plan, ch.customer
	if ready, f := ch.connect(x, reply); !ready {
		return f
	}
	s := c.socket
	if p.socket.turn.ack {
		c.acks++
	}
	x.Peer = s.Peer()
	x.Head.Status, x.Streamed = http.StatusSwitchingProtocols, p.socket.streamed
	if x.Streamed {
		x.Events.Begin()
	}
	x.Sent = p.Now()
	x.Out = p.socket.turn.append(x.Out[:0], &x.Values, c.acks)
	f := s.Send(&x.Exchange, x.Deadline)
	sent := s.Notes()
	if !f.Bad() {
		f = ch.hear(x, reply)
	}
	reply.Status, reply.Body = x.Head.Status, x.Body
	ch.remember(x, f.Reason == Complete || f.Reason == Malformed)
	came := s.Notes()
	ch.settle(x, f)
	ch.display(sent, came)
	return f
}

// settle gives the socket back, or closes it where nothing could tell what comes late
// over it from the next turn's answer.
func (ch *channel) settle(x *exchange, f wire.Fault) {
	p, c := ch.client.plan, ch.customer
	unclear := f.Bad() && !p.socket.named && (f.Reason != Malformed || x.Streamed)
	if unclear || p.Connections == scenario.PerTurn {
		c.socket.Abandon()
	}
	dead := c.socket.Dead()
	c.socket.End(&x.Exchange)
	if dead {
		c.socket = nil
	}
}

// connect sees to it that the channel has an open socket, which it then holds. Where it
// is not ready reply or f says why.
func (ch *channel) connect(x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	c, p := ch.customer, ch.client.plan
	if c.socket != nil {
		if c.socket.Begin(&x.Exchange) {
			return true, f
		}
		c.socket = nil
	}
	from := p.Now()
	x.values.key = websocket.NewKey()
	conn, f := ch.client.sockets.Upgrade(&ch.link, &x.Exchange, &p.socket.upgrade)
	if p.session.origin != nil && x.Head.Cookie {
		p.session.hear(ch.user, &x.Head, string(p.socket.upgrade.Path.Append(nil, &x.Values)))
	}
	ch.show(x, ch.asked(x, &p.socket.upgrade))
	switch {
	case f.Bad():
		return false, f
	case conn == nil && x.Head.Status < 300:
		reply.Status, reply.Body = x.Head.Status, x.Body
		return false, wire.NewFault(Malformed, "the upgrade was answered with a status below 300, and no socket")
	case conn == nil:
		return false, p.read.take(x, ch.denied(x, reply), x.Head.Status, x.Body)
	}
	ch.client.carrier.Leave(&ch.link) // what logins and steps were sent over
	if why := websocket.Agreed(x.values.key, p.socket.protocols, x.Head.Field); why != "" {
		conn.Close()
		return false, wire.NewFault(Broken, "protocol error: the upgrade: "+why)
	}
	counts := &p.Counts
	counts.Opened.Add(1)
	if c.opened {
		counts.Reopened.Add(1)
	}
	s := ch.client.keeper.New(conn, ch, x.Start)
	c.socket, c.opened, x.Start = s, true, 0
	if f = ch.introduce(x); f.Bad() {
		s.Abandon()
		x.In = x.In[:0]
		s.End(&x.Exchange)
		c.socket = nil
		return false, f
	}
	ch.keepFirst()
	in := x.In // something may have come already
	peer, connect := x.Peer, p.Now()-from
	x.begin()
	x.In, x.Peer, x.Connect = in, peer, connect
	return true, f
}

// keepFirst keeps what the socket's first messages saved, for conversations to come.
func (ch *channel) keepFirst() {
	for _, step := range ch.client.plan.socket.first {
		for i := range step.saves {
			if ch.customer.saved == nil {
				ch.customer.saved = map[int]string{}
			}
			ch.customer.saved[step.saves[i].slot] = ch.saved[step.saves[i].slot]
		}
	}
}

// forgetSaved forgets what steps of another conversation saved, but not what the
// socket's own did.
func (ch *channel) forgetSaved() {
	clear(ch.saved)
	if ch.customer == nil {
		return
	}
	for slot, value := range ch.customer.saved {
		ch.saved[slot] = value
	}
}

// greet has a step before the conversation that is a message.
func (s *step) greet(ch *channel, x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	if ready, f = ch.connect(x, reply); !ready {
		return false, f
	}
	f = s.say(ch, x)
	ch.settle(x, f)
	return !f.Bad(), f
}

// denied prepares reply for the answer that refused the upgrade.
func (ch *channel) denied(x *exchange, reply *Reply) *Reply {
	reply.Status, reply.Body = x.Head.Status, x.Body
	reply.Cookie = x.Head.Cookie && ch.client.plan.session.origin == nil
	return reply
}

// introduce says what every new socket begins with.
func (ch *channel) introduce(x *exchange) wire.Fault {
	p, s := ch.client.plan, ch.customer.socket
	if p.socket.config.SocketIO {
		if f := ch.join(x); f.Bad() {
			return f
		}
	}
	ch.display(nil, s.Notes())
	for _, step := range p.socket.first {
		if f := step.say(ch, x); f.Bad() {
			return f
		}
	}
	return wire.Fault{}
}

// join opens engine.io's session and socket.io's namespace.
func (ch *channel) join(x *exchange) wire.Fault {
	p, s := ch.client.plan, ch.customer.socket
	for asked := false; ; {
		e, f := s.Next(&x.Exchange, x.Deadline)
		switch {
		case f.Bad():
			return named("socket.io", f)
		case e.Kind == socketio.Open && !asked:
			asked = true
			x.Out = socketio.AppendConnect(x.Out[:0], p.socket.config.Namespace, p.socket.auth.Append(nil, &x.Values))
			if f = s.Send(&x.Exchange, x.Deadline); f.Bad() {
				return named("socket.io", f)
			}
		case e.Kind == socketio.Connect && asked:
			return wire.Fault{}
		case e.Kind == socketio.ConnectError:
			x.again = p.session.says(x, e.Data)
			return wire.NewFault(Malformed, "socket.io: the server refuses the connection"+ch.telling(x, &e))
		case !asked:
			return wire.NewFault(Malformed, "socket.io: the server does not begin with engine.io's open packet")
		}
	}
}

// telling is what a message says of an error, behind a colon.
func (ch *channel) telling(x *exchange, e *socket.Event) string {
	x.Body, x.event = e.Data, e.Name
	if told := ch.told(x); told != "" {
		return told
	}
	if r := &ch.client.plan.read; r.find(x, e.Data) && x.scanner.Values[slotText].Kind == jsonscan.Text {
		return ": " + wire.Visible(x.string(&x.scanner.Values[slotText]))
	}
	return ""
}

// named begins the message of a fault with whose it is.
func named(whose string, f wire.Fault) wire.Fault {
	if f.Reason != Interrupted {
		f.Message = whose + ": " + f.Message
	}
	return f
}

// say sends a step that is a message, and waits for what it waits for.
func (s *step) say(ch *channel, x *exchange) wire.Fault {
	c := ch.customer
	if s.sends.ack {
		c.acks++
	}
	x.Out = s.sends.append(x.Out[:0], &x.Values, c.acks)
	f := c.socket.Send(&x.Exchange, x.Deadline)
	sent := c.socket.Notes()
	for s.waits && !f.Bad() {
		var e socket.Event
		if e, f = c.socket.Next(&x.Exchange, x.Deadline); f.Bad() || !s.answers(ch, x, &e) {
			continue
		}
		if s.ok.Named() && s.ok.In(&x.look) != find.Holds {
			f = wire.NewFault(Malformed, "ok does not hold"+ch.telling(x, &e))
		} else if missing := s.keep(x, true); missing != "" {
			f = wire.NewFault(Malformed, "nothing at "+missing+" in the answer"+ch.telling(x, &e))
		}
		break
	}
	ch.display(sent, c.socket.Notes())
	if f.Bad() {
		return s.named(f)
	}
	return f
}

// answers tells whether a message is what the step waits for.
func (s *step) answers(ch *channel, x *exchange, e *socket.Event) bool {
	x.Body, x.event = e.Data, e.Name
	s.read(x)
	switch {
	case e.Kind == socketio.Ack && e.ID != ch.customer.acks:
		return false
	case s.isAnswer.Named():
		return s.isAnswer.Hold(&x.look)
	case s.sends.ack:
		return e.Kind == socketio.Ack
	}
	return !idle("", e.Data)
}

// hear waits for the answer to the turn.
func (ch *channel) hear(x *exchange, reply *Reply) wire.Fault {
	p, s := ch.client.plan, ch.customer.socket
	for {
		until := x.Deadline
		if stall := p.Limits.Stall; stall > 0 && x.First > 0 {
			until = min(until, x.Done+stall)
		}
		e, f := s.Next(&x.Exchange, until)
		if f.Bad() {
			return ch.silent(x, f)
		}
		over, f := ch.message(x, reply, &e)
		if f.Bad() || over {
			return f
		}
	}
}

// silent says what it means for the turn that nothing more comes.
func (ch *channel) silent(x *exchange, f wire.Fault) wire.Fault {
	switch {
	case f.Reason == TimedOut && x.First > 0 && x.Done < x.Deadline:
		f.Message = "the answer stalled"
	case f.Reason == Broken && x.Streamed && x.First > 0:
		if f = x.Events.End(ch.customer.socket.Closed() == websocket.NormalClosure); !f.Bad() {
			f = ch.client.plan.read.takeStream(x, x.reply)
		}
	}
	return f
}

// message takes a message within a turn, and tells whether the turn is over.
func (ch *channel) message(x *exchange, reply *Reply, e *socket.Event) (over bool, f wire.Fault) {
	r, own := &ch.client.plan.read, ch.client.plan.read.own
	if e.Kind != socketio.Event && e.Kind != socketio.Ack {
		return false, f
	}
	x.event = e.Name
	if ch.client.plan.session.says(x, e.Data) {
		x.again = true
		return true, wire.NewFault(Malformed, "the login has run out"+ch.telling(x, e))
	}
	valid := r.find(x, e.Data)
	if !valid {
		x.look.JSON = nil
	}
	isError := own.fails.Hold(&x.look)
	switch {
	case !isError && !ch.mayAnswer(x, e):
		return false, f
	case ch.elsewhere(x, e, valid):
		return false, f
	}
	if x.First == 0 {
		x.First = x.Done
	}
	x.Body = e.Data
	if x.taken += len(e.Data); x.taken > ch.client.plan.Limits.Body {
		return true, wire.NewFault(Oversized, wire.TooLarge)
	}
	if x.Streamed {
		f = x.events.own(string(e.Name), e.Data)
		reply.Answer = x.answer
		if f.Bad() || !x.events.ended {
			return false, f
		}
		return true, r.takeStream(x, reply)
	}
	return true, r.take(x, reply, x.Head.Status, e.Data)
}

// mayAnswer tells whether a message is an answer, or a piece of one.
func (ch *channel) mayAnswer(x *exchange, e *socket.Event) bool {
	own := ch.client.plan.read.own
	switch {
	case own.answers.Named():
		return own.answers.Hold(&x.look)
	case ch.client.plan.socket.turn.ack:
		return e.Kind == socketio.Ack
	}
	return !idle(string(e.Name), e.Data)
}

// elsewhere tells whether a message names another turn of this channel, and counts it.
func (ch *channel) elsewhere(x *exchange, e *socket.Event, valid bool) bool {
	c, counts := ch.customer, &ch.client.plan.Counts
	past := -1
	switch {
	case e.Kind == socketio.Ack && e.ID == c.acks:
		return false
	case e.Kind == socketio.Ack:
		past = c.past(func(t *pastTurn) bool { return t.ack == e.ID })
	case valid:
		v := &x.scanner.Values[slotTurnID]
		if v.Kind != jsonscan.Text && v.Kind != jsonscan.Number || x.values.turn != nil && bytes.Equal(x.string(v), x.values.turn.TurnID) {
			return false
		}
		id := maphash.Bytes(turnSeed, x.string(v))
		past = c.past(func(t *pastTurn) bool { return t.id == id })
		if past < 0 {
			return false // nobody's of this channel: who judges the answer says whose
		}
	}
	switch {
	case past < 0 && e.Kind != socketio.Ack:
		return false
	case past < 0:
		counts.Unsolicited.Add(1)
	case c.turns[past].answered:
		counts.Repeated.Add(1)
	default:
		counts.Late.Add(1)
		c.turns[past].answered = true
	}
	return true
}

// past finds a turn that is over; -1: there is none.
func (c *customer) past(is func(*pastTurn) bool) int {
	for i := range c.turns {
		if (c.turns[i].id != 0 || c.turns[i].ack != 0) && is(&c.turns[i]) {
			return i
		}
	}
	return -1
}

// remember keeps the turn in mind.
func (ch *channel) remember(x *exchange, answered bool) {
	c := ch.customer
	if !ch.client.plan.socket.named {
		return
	}
	t := pastTurn{id: maphash.Bytes(turnSeed, x.values.turn.TurnID), answered: answered}
	if ch.client.plan.socket.turn.ack {
		t.ack = c.acks
	}
	c.turns[c.next] = t
	c.next = (c.next + 1) % rememberedTurns
}

// Stray is that of socket.Owner: what came between two turns is counted.
func (ch *channel) Stray(e *socket.Event) {
	p, counts := ch.client.plan, &ch.client.plan.Counts
	if e.Kind != socketio.Event && e.Kind != socketio.Ack || idle(string(e.Name), e.Data) {
		return
	}
	x := ch.client.exchanges.get()
	defer ch.client.exchanges.put(x)
	x.begin()
	x.event = e.Name
	valid := p.read.find(x, e.Data)
	if !valid {
		x.look.JSON = nil
	}
	if ch.mayAnswer(x, e) && ch.elsewhere(x, e, valid) {
		return
	}
	counts.Unsolicited.Add(1)
}

// AppendPing is that of socket.Owner.
func (ch *channel) AppendPing(dst []byte) []byte {
	m := &ch.client.plan.socket.ping
	if m.empty() {
		return dst
	}
	v := &values{user: ch.user, turn: &Turn{}, saved: ch.saved}
	return m.append(dst, &wire.Values{Of: v}, -1)
}

// hangUp closes the socket, if there is one.
func (ch *channel) hangUp() {
	if c := ch.customer; c != nil && c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
}

// display shows what was sent and what came since.
func (ch *channel) display(sent, came []byte) {
	capture := ch.client.plan.opts.Capture
	if capture == nil {
		return
	}
	if len(sent)+len(came) > 0 {
		capture(sent, came)
	}
}
