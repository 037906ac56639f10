package driver

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/cstest/cstest/driver/internal/agents"
	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/driver/internal/http2"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// carrier is how requests travel: HTTP/1.1 or HTTP/2. It is safe for concurrent use.
type carrier interface {
	// Compile gives q its form on the wire, before the first is sent.
	Compile(q *wire.Request)
	// RoundTrip sends q filled with x's values and reads the answer into x, over the
	// connection that l holds where the target's policy says so.
	RoundTrip(l *wire.Link, x *wire.Exchange, q *wire.Request) wire.Fault
	// Prepare opens n of the shared connections.
	Prepare(n int) error
	// Leave gives up the connection that l holds.
	Leave(l *wire.Link)
	// Interrupt ends every RoundTrip, those to come as well.
	Interrupt()
	Interrupted() <-chan struct{}
	Connections() int
	Close() error
}

// client is the Driver of all HTTP targets.
type client struct {
	plan      *plan
	carrier   carrier
	sockets   *http1.Client // of mode websocket
	keeper    *socket.Keeper
	agents    *agents.Team // of mode agents
	binary    bool         // what goes over the wire is not what a person reads
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
	return newClient(p, target.HTTP)
}

// newClient gives the client of a target that is compiled.
func newClient(p *plan, version scenario.HTTPVersion) (*client, error) {
	c := &client{plan: p, exchanges: exchanges{plan: p}}
	switch version {
	case scenario.HTTP1:
		over := http1.New(&p.Target)
		c.carrier = over
		if p.socket != nil {
			c.sockets, c.keeper = over, socket.NewKeeper(&p.Target, p.socket.config)
		}
		if p.agents != nil {
			c.agents = agents.New(&p.Target, p.agents.config)
		}
	case scenario.HTTP2, scenario.H2C:
		if p.Secure != (version == scenario.HTTP2) {
			return nil, errors.New("target.http: 2 goes with https, h2c with http")
		}
		if p.agents != nil || p.socket != nil {
			return nil, fmt.Errorf("target.http: mode %s needs 1.1", p.mode)
		}
		c.carrier, c.binary = http2.New(&p.Target), true
	default:
		return nil, fmt.Errorf("target.http: %.20q is none of 1.1, 2, h2c", version)
	}
	for _, q := range p.all() {
		q.Accept = wire.Accepted(q.Fields)
		c.carrier.Compile(q)
	}
	return c, nil
}

func (c *client) Prepare(n int) error {
	var err error
	if c.plan.Connections == scenario.Shared {
		err = c.carrier.Prepare(n)
	}
	if c.agents != nil {
		err = cmp.Or(c.agents.Prepare(), err)
	}
	return err
}

func (c *client) Interrupt() {
	c.carrier.Interrupt()
	if c.agents != nil {
		c.agents.Interrupt()
	}
}

func (c *client) Connections() int {
	n := c.carrier.Connections()
	if c.agents != nil {
		n += c.agents.State().Open
	}
	return n
}

func (c *client) Traffic() Traffic {
	n := &c.plan.Counts
	t := Traffic{
		Resent: n.Resent.Load(), FullHandshakes: n.Full.Load(), ResumedHandshakes: n.Resumed.Load(),
		SocketsOpened: n.Opened.Load(), SocketsReopened: n.Reopened.Load(),
		SocketsRedialled: n.Redialled.Load(), RedialsFailed: n.RedialsFailed.Load(),
		RedialTotal: time.Duration(n.RedialTotal.Load()), RedialLongest: time.Duration(n.RedialLongest.Load()),
		LateAnswers: n.Late.Load(), RepeatedAnswers: n.Repeated.Load(), Unsolicited: n.Unsolicited.Load(),
	}
	for _, p := range c.plan.Peers() {
		t.Addresses = append(t.Addresses, AddressTurns{p.Address.String(), p.Turns.Load(), p.Failed.Load()})
	}
	return t
}

func (c *client) Close() error {
	if c.keeper != nil {
		c.keeper.Close()
	}
	err := c.carrier.Close()
	if c.agents != nil {
		c.agents.Close()
	}
	return err
}

func (c *client) Open(user *User) Channel {
	ch := &channel{client: c, user: user, link: wire.Link{Sessions: user.state.sessions}}
	if c.plan.socket != nil {
		ch.customer = &customer{}
	}
	if n := len(c.plan.saved); n > 0 {
		ch.saved = make([]string, n)
	}
	return ch
}

// channel is one conversation's way to the target.
type channel struct {
	client *client
	user   *User
	link   wire.Link

	// What steps of the conversation of that number have saved, by slot.
	saved    []string
	number   int64
	begun    bool
	prepared bool // the steps before it went well
	forged   bool // it is for one turn, which is not its user's own

	customer *customer // of mode websocket

	// The model's last answer in the conversation of that number, where the server keeps
	// the dialog.
	answerID []byte
	answerOf int64
}

func (ch *channel) Close() {
	if c := ch.customer; c != nil {
		c.redials.calm(true)
		c.redials.busy.Lock()
		defer c.redials.busy.Unlock()
	}
	ch.hangUp()
	ch.client.carrier.Leave(&ch.link)
	ch.user.state.sessions = ch.link.Sessions
}

func (ch *channel) Free(reply *Reply) {
	if x, ok := reply.buffer.(*exchange); ok {
		*reply = Reply{}
		ch.client.exchanges.put(x)
	}
}

func (ch *channel) Do(turn *Turn, reply *Reply) {
	p := ch.client.plan
	x := ch.client.exchanges.get()
	x.begin()
	x.values, x.reply = values{user: ch.user, turn: turn, saved: ch.saved}, reply
	if turn.As != nil {
		x.values.user = turn.As
	}
	*reply = Reply{OK: true, ContextTurns: -1, buffer: x}
	reply.Begun = p.Now()
	if c := ch.customer; c != nil {
		c.redials.calm(false)
		c.redials.busy.Lock()
		defer c.redials.busy.Unlock()
	}
	ready, f := ch.authenticate(x, reply)
	ch.stand(turn)
	if ready {
		x.Deadline = reply.until(turn, reply.Begun+reply.Login+p.Timeout)
		if f = ch.turn(x, reply); ch.expired(x, reply) {
			f = ch.again(x, reply)
		}
		f = ch.left(turn, reply, f)
	}
	f = x.passed.tell(f)
	ch.stand(turn)
	if reply.Reason = f.Reason; f.Bad() || reply.Step == "" {
		reply.Message = f.Message
	}
	reply.Sent, reply.Connect, reply.FirstByte, reply.FirstToken, reply.Done = x.Sent, x.Connect, x.First, x.token, x.Done
	reply.FirstReasoning, reply.Gaps = x.thought, x.gaps
	if reply.Status == 0 {
		reply.Status = x.Head.Status
	}
	if x.passed.shows(f) || x.passed.n > 0 && f.Reason == Malformed && x.Streamed && len(reply.Body) == 0 {
		reply.Passed, reply.Body = x.passed.n, x.passed.example
	}
	if reply.Body == nil {
		reply.Body = x.Body
	}
	if reply.Done == 0 {
		reply.Done = p.Now()
	}
	reply.Over = max(reply.Done, x.over)
	if peer := x.Peer; peer != nil {
		peer.Turns.Add(1)
		if reply.Reason != Complete || reply.Status >= 300 {
			peer.Failed.Add(1)
		}
	}
}

// until is the deadline of a turn whose answer is waited for until then at most: the
// user may leave before.
func (r *Reply) until(turn *Turn, then time.Duration) time.Duration {
	if turn.Leave > 0 {
		return min(then, turn.Leave+r.Login)
	}
	return then
}

// left says of a turn that ran out of time that its user left.
func (ch *channel) left(turn *Turn, reply *Reply, f wire.Fault) wire.Fault {
	if turn.Leave == 0 || f.Reason != TimedOut || ch.client.plan.Now() < turn.Leave+reply.Login {
		return f
	}
	reply.Left = true
	return wire.NewFault(TimedOut, "the customer left: no answer within load.patience")
}

// authenticate signs the user's token, and does what comes before the turn where
// that is still to be done. The turn may then be sent where it is ready.
func (ch *channel) authenticate(x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	p := ch.client.plan
	if p.jwt != nil {
		err := p.jwt.sign(ch.user, time.Now())
		if f := x.values.turn.Forge; f != nil && err == nil {
			x.values.forged, err = p.jwt.forge(f, x.values.user, time.Now())
		}
		if err != nil {
			return false, wire.NewFault(Malformed, wire.Short(err))
		}
	}
	return ch.enter(x, reply)
}

// carry sends q and reads its answer, and keeps the cookies that it sets.
func (ch *channel) carry(x *exchange, q *wire.Request) wire.Fault {
	f := ch.client.carrier.RoundTrip(&ch.link, &x.Exchange, q)
	if s := &ch.client.plan.session; s.origin != nil && x.Head.Cookie {
		s.hear(ch.user, &x.Head, string(q.Path.Append(nil, &x.Values)))
	}
	return f
}

// hold carries q, and keeps what was sent for present to show with the answer.
func (ch *channel) hold(x *exchange, q *wire.Request) wire.Fault {
	f := ch.carry(x, q)
	x.asked = ch.asked(x, q)
	return f
}

// present shows what hold kept.
func (ch *channel) present(x *exchange) { ch.show(x, x.asked) }

// turn sends the turn and takes its answer apart.
func (ch *channel) turn(x *exchange, reply *Reply) wire.Fault {
	p := ch.client.plan
	if x.values.turn.Leave > 0 && p.Now() >= x.Deadline {
		return wire.NewFault(TimedOut, "no answer in time")
	}
	if ch.client.agents != nil {
		if f := ch.client.agents.Ready(x.Deadline); f.Bad() {
			return f
		}
	}
	switch {
	case p.socket != nil && x.values.turn.apart():
		return ch.apart(x, reply)
	case p.socket != nil:
		return ch.speak(x, reply)
	}
	if p.model != nil {
		x.values.calls, x.values.follows, x.values.previous = nil, false, nil
		if ch.answerOf == x.values.turn.Number {
			x.values.previous = ch.answerID
		}
	}
	f := ch.carry(x, &p.turn)
	request := ch.asked(x, &p.turn)
	switch {
	case f.Bad():
	case p.model != nil && p.model.calls > 0:
		request, f = ch.converse(x, reply, request)
	case p.mode == scenario.ModeAsync:
		request, f = ch.await(x, reply, request)
	case len(p.then) > 0:
		ch.show(x, request)
		var went bool
		if went, f = ch.follow(x, reply); !went {
			return f
		}
		request = x.asked
	}
	f = ch.take(x, reply, f)
	if p.read.spends {
		f = ch.conclude(x, reply, f)
	}
	if ch.client.agents != nil && !f.Bad() && reply.Status < 300 && reply.OK {
		f = ch.handOver(x)
	}
	ch.show(x, request)
	return f
}

// conclude adds up what the turn cost the model, and keeps what the next turn follows.
func (ch *channel) conclude(x *exchange, reply *Reply, f wire.Fault) wire.Fault {
	x.spend(&reply.Usage)
	reply.Between = x.values.calls
	m := ch.client.plan.model
	if m == nil || !m.chained || f.Bad() || reply.Status >= 300 || !reply.OK {
		return f
	}
	reply.Between = nil
	if len(x.model.id) == 0 {
		return wire.NewFault(Malformed, noID)
	}
	ch.answerID, ch.answerOf = append(ch.answerID[:0], x.model.id...), x.values.turn.Number
	return f
}

// follow takes the turn through the steps behind its request, up to the answer,
// which is left in x. went tells whether it came to that.
func (ch *channel) follow(x *exchange, reply *Reply) (went bool, f wire.Fault) {
	p := ch.client.plan
	p.sent.read(x)
	if x.Head.Status >= 300 {
		ch.refused(x, reply, "")
		return false, wire.Fault{}
	}
	if missing := p.sent.keep(x, true); missing != "" {
		return false, p.sent.named(wire.NewFault(Malformed, "nothing at "+missing+" in the answer"+ch.told(x)))
	}
	for i, s := range p.then {
		if went, f = s.run(ch, x, reply, i == len(p.then)-1); !went {
			return false, f
		}
	}
	return true, f
}

// take fills reply from the last answer in x, as far as f let it come.
func (ch *channel) take(x *exchange, reply *Reply, f wire.Fault) wire.Fault {
	reply.Status = x.Head.Status
	reply.Cookie = x.Head.Cookie && ch.client.plan.session.origin == nil
	reply.ServerTiming = x.Head.ServerTiming()
	reply.Body = x.Body
	if x.Streamed && len(x.answer) > 0 {
		reply.Answer = x.answer
	}
	if f.Bad() {
		return f
	}
	if x.Streamed {
		return ch.client.plan.read.takeStream(x, reply)
	}
	return ch.client.plan.read.take(x, reply, x.Head.Status, x.Body)
}

// handOver follows the ticket named in the answer until an agent has dealt with
// it. The turn is done when the first of them was shown the ticket.
func (ch *channel) handOver(x *exchange) wire.Fault {
	id := ""
	if v := &x.scanner.Values[slotTicket]; v.Kind == jsonscan.Text {
		id = string(x.string(v))
	}
	out, f := ch.client.agents.Follow(id, x.Done, x.Deadline)
	x.notes, x.over = out.Notes, out.Over
	switch {
	case f.Bad():
		x.Done = max(x.Done, x.over) // the customer still waits
	default:
		x.Done = max(x.Done, out.ShownAt)
	}
	return f
}
