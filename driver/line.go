package driver

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/cstest/cstest/scenario"
)

// carrier is how requests travel: HTTP/1.1 or HTTP/2.
type carrier interface {
	// roundTrip sends q filled with x's values and reads the answer into x.
	roundTrip(l *line, x *exchange, q *request) fault
	prepare(n int) error
	leave(l *line)
	interrupt()
	interrupted() <-chan struct{}
	connections() int
	close() error
}

// client is the Driver of all HTTP targets.
type client struct {
	plan      *plan
	carrier   carrier
	agents    *agents // of mode websocket
	binary    bool    // what goes over the wire is not what a person reads
	exchanges exchanges
}

// New compiles target for talking to it. It opens no connection. Errors name
// the field of the scenario's target and what to write there.
func New(target *scenario.Target, opts Options) (Driver, error) {
	if opts.Base.IsZero() {
		opts.Base = time.Now()
	}
	p, err := compile(target, opts)
	if err != nil {
		return nil, err
	}
	c := &client{plan: p}
	switch target.HTTP {
	case "", "1.1":
		h := newHTTP1(p)
		c.carrier = h
		if p.agents != nil {
			c.agents = newAgents(p, h.dialer)
		}
	case "2", "h2c":
		if p.secure != (target.HTTP == "2") {
			return nil, errors.New("target.http: 2 goes with https, h2c with http")
		}
		if p.agents != nil {
			return nil, errors.New("target.http: mode websocket needs 1.1")
		}
		if p.secure {
			p.tls.NextProtos = []string{"h2"}
		}
		c.carrier, c.binary = newHTTP2(p), true
	default:
		return nil, fmt.Errorf("target.http: %.20q is none of 1.1, 2, h2c", target.HTTP)
	}
	return c, nil
}

func (c *client) Prepare(n int) error {
	var err error
	if c.plan.policy == "shared" {
		err = c.carrier.prepare(n)
	}
	if c.agents != nil {
		err = cmp.Or(c.agents.prepare(), err)
	}
	return err
}

func (c *client) Interrupt() {
	c.carrier.interrupt()
	if c.agents != nil {
		c.agents.interrupt()
	}
}

func (c *client) Connections() int {
	n := c.carrier.connections()
	if c.agents != nil {
		n += c.agents.connections()
	}
	return n
}

func (c *client) Close() error {
	err := c.carrier.close()
	if c.agents != nil {
		c.agents.close()
	}
	return err
}

func (c *client) Open(user *User) Line {
	return &line{client: c, user: user}
}

// line is one conversation's way to the target.
type line struct {
	client *client
	user   *User
	conn   *conn // of HTTP/1.1, between two turns
	mux    *mux  // of HTTP/2, where it is not shared
}

func (l *line) Close() { l.client.carrier.leave(l) }

func (l *line) Free(reply *Reply) {
	if x, ok := reply.buffer.(*exchange); ok {
		*reply = Reply{}
		l.client.exchanges.put(x)
	}
}

func (l *line) Do(turn *Turn, reply *Reply) {
	p := l.client.plan
	x := l.client.exchanges.get()
	x.begin()
	x.values, x.reply = values{user: l.user, turn: turn}, reply
	*reply = Reply{OK: true, ContextTurns: -1, buffer: x}
	reply.Begun = time.Since(p.opts.Base)
	f := l.prove(x, reply)
	if !f.bad() && reply.Status == 0 {
		x.deadline = reply.Begun + reply.Login + p.timeout
		f = l.turn(x, reply)
	}
	reply.Reason, reply.Message = f.reason, f.message
	reply.Sent, reply.Connect, reply.FirstByte, reply.FirstToken, reply.Done = x.sent, x.connect, x.first, x.token, x.done
	reply.Gaps = x.gaps
	if reply.Done == 0 {
		reply.Done = time.Since(p.opts.Base)
	}
	reply.Over = max(reply.Done, x.over)
}

// prove signs the user's token and logs the user in where that is still to be done.
func (l *line) prove(x *exchange, reply *Reply) fault {
	p := l.client.plan
	if p.jwt != nil {
		if err := p.jwt.sign(l.user, time.Now()); err != nil {
			return fault{Malformed, short(err)}
		}
	}
	if p.login == nil || l.user.state.login != nil {
		return fault{}
	}
	return l.login(x, reply)
}

// turn sends the turn and takes its answer apart.
func (l *line) turn(x *exchange, reply *Reply) fault {
	p := l.client.plan
	if l.client.agents != nil {
		if f := l.client.agents.ready(x.deadline); f.bad() {
			return f
		}
	}
	f := l.client.carrier.roundTrip(l, x, &p.turn)
	request := l.asked(x, &p.turn)
	if p.mode == "async" && !f.bad() {
		f = l.await(x, reply)
	}
	f = l.take(x, reply, f)
	if l.client.agents != nil && !f.bad() && reply.Status < 300 && reply.OK {
		f = l.handOver(x)
	}
	l.show(x, request)
	return f
}

// take fills reply from the last answer in x, as far as f let it come.
func (l *line) take(x *exchange, reply *Reply, f fault) fault {
	reply.Status = x.head.status
	reply.Body = x.body
	if x.streamed && len(x.bare) > 0 {
		reply.Answer = x.bare
	}
	if f.bad() {
		return f
	}
	if x.streamed {
		if len(reply.Answer) == 0 {
			return fault{Malformed, "the answer is empty"}
		}
		return fault{}
	}
	return l.client.plan.read.take(x, reply, x.head.status, x.body)
}
