package driver

import (
	"bytes"
	"hash/maphash"
	"sync/atomic"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
)

// customer is what a channel of mode websocket holds between two turns.
type customer struct {
	socket *socket.Socket
	opened bool           // it had one before
	acks   int64          // the number of the last message that asked for an acknowledgement
	saved  map[int]string // by slot, of its first messages
	turns  [rememberedTurns]pastTurn
	next   int

	standing atomic.Pointer[standing]
	redials  redials
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

// hangUp closes the socket, if there is one.
func (ch *channel) hangUp() {
	if c := ch.customer; c != nil && c.socket != nil {
		c.socket.Close()
		c.socket = nil
	}
}
