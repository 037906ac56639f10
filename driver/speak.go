package driver

import (
	"net/http"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/websocket"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

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
	if f.Reason == Broken {
		reply.Closed = s.Closed()
	}
	if p.read.spends {
		x.spend(&reply.Usage)
	}
	ch.remember(x, f.Reason == Complete || f.Reason == Malformed)
	if !f.Bad() {
		ch.receipt(x)
	}
	came := s.Notes()
	ch.settle(x, f)
	ch.display(sent, came)
	return f
}

// settle gives the socket back, or closes it where nothing could tell what comes late
// over it from the next turn's answer.
func (ch *channel) settle(x *exchange, f wire.Fault) {
	p, c := ch.client.plan, ch.customer
	dropped := c.socket.Dead()
	unclear := f.Bad() && !p.socket.named && (f.Reason != Malformed || x.Streamed)
	if unclear || p.Connections == scenario.PerTurn {
		c.socket.Abandon()
	}
	dead := c.socket.Dead()
	c.socket.End(&x.Exchange)
	if dead {
		c.socket = nil
	}
	if dropped && p.Connections != scenario.PerTurn {
		ch.redialLater(true)
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
	x.passed.forget()
	for s.waits && !f.Bad() {
		var e socket.Event
		if e, f = c.socket.Next(&x.Exchange, x.Deadline); f.Bad() {
			continue
		}
		if !s.answers(ch, x, &e) {
			if !idle(string(e.Name), e.Data) {
				_, near := s.isAnswer.Reach(&x.look)
				x.passed.note(s.wants, near, e.Data)
			}
			continue
		}
		x.passed.forget()
		if s.ok.Named() && s.ok.In(&x.look) != find.Holds {
			f = wire.NewFault(Malformed, "ok does not hold, "+s.ok.Why(&x.look)+ch.telling(x, &e))
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
		if !idle(string(e.Name), e.Data) {
			_, near := own.answers.Reach(&x.look)
			x.passed.note(ch.client.plan.wants.answer, near, e.Data)
		}
		return false, f
	case ch.elsewhere(x, e, valid):
		return false, f
	}
	if x.First == 0 {
		x.First = x.Done
	}
	if !x.Streamed {
		x.passed.forget()
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
	if status, ok := x.scanner.Values[slotRefusal].Count(); ok && status >= http.StatusMultipleChoices && status < 600 {
		x.Head.Status = status
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
