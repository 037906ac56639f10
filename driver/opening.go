package driver

import (
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
)

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
	upgrade := &p.socket.upgrade
	if ch.forged && len(p.opts.Forged) > 0 {
		upgrade = &p.socket.forged
	}
	conn, f := ch.client.sockets.Upgrade(&ch.link, &x.Exchange, upgrade)
	if p.session.origin != nil && x.Head.Cookie {
		p.session.hear(ch.user, &x.Head, string(upgrade.Path.Append(nil, &x.Values)))
	}
	ch.show(x, ch.asked(x, upgrade))
	switch {
	case f.Message == wire.NoWholeAnswer:
		return false, wire.NewFault(TimedOut, "the upgrade was not answered within the timeout")
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
		reply.Status, reply.Closed = x.Head.Status, s.Closed()
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
		case f.Reason == TimedOut && !asked:
			return wire.NewFault(TimedOut, "socket.io: no open packet of engine.io within the timeout")
		case f.Reason == TimedOut:
			return wire.NewFault(TimedOut, "socket.io: no answer to the connect packet of "+p.socket.config.Namespace+" within the timeout")
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
