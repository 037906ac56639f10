package driver

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/socket"
	"github.com/cstest/cstest/driver/internal/socketio"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// standing is what is known of a customer between two turns, for what is then sent:
// it is read by others than the turn's goroutine, and never changed.
type standing struct {
	user  User
	turn  Turn
	saved []string
}

func (s *standing) values() values { return values{user: &s.user, turn: &s.turn, saved: s.saved} }

// stand keeps what is known of the customer, where something is sent between turns.
func (ch *channel) stand(turn *Turn) {
	c := ch.customer
	if c == nil || !ch.client.plan.socket.alone {
		return
	}
	s := &standing{user: User{ID: ch.user.ID, Index: ch.user.Index, state: ch.user.state}, saved: slices.Clone(ch.saved)}
	s.turn = Turn{ConversationID: slices.Clone(turn.ConversationID), Number: turn.Number}
	if last := c.standing.Load(); last != nil && last.turn.Number == turn.Number {
		s.user.Vars = last.user.Vars
	} else {
		s.user.Vars = maps.Clone(ch.user.Vars)
	}
	c.standing.Store(s)
}

// standsAs gives what is known; of a customer before its first turn nothing is.
func (ch *channel) standsAs() *standing {
	if s := ch.customer.standing.Load(); s != nil {
		return s
	}
	return &standing{saved: make([]string, len(ch.client.plan.saved))}
}

// pong answers the pings that an application sends as messages.
type pong struct {
	when   find.All
	lookup jsonscan.Places
	reads  bool
	saves  []save
	sends  message
}

func (p *plan) newPong(own *scenario.Pong) (*pong, error) {
	r, paths := &pong{}, &find.Paths{Of: map[int]string{}}
	var err error
	if r.when, err = find.Conditions(own.When, paths); err != nil {
		return nil, err
	}
	if r.saves, err = newSaves(own.Save, paths, p.opts.pings); err != nil {
		return nil, err
	}
	if r.sends, err = p.messageOf(own.As, own.Body, own.Event, false); err != nil {
		return nil, err
	}
	r.lookup, r.reads = jsonscan.Compile(paths.Of), paths.Next > 0
	p.slots = max(p.slots, paths.Next)
	return r, nil
}

// AppendPong is that of socket.Owner.
func (ch *channel) AppendPong(dst []byte, e *socket.Event) []byte {
	r := ch.client.plan.socket.pong
	if r == nil || e.Kind != socketio.Event {
		return dst
	}
	x := ch.client.exchanges.get()
	defer ch.client.exchanges.put(x)
	x.begin()
	x.look = find.Answer{JSON: x.scanner.Values, Head: &x.Head, Body: e.Data, Event: e.Name}
	if !r.reads || !r.lookup.Find(&x.scanner, e.Data) {
		x.look.JSON = nil
	}
	if !r.when.Hold(&x.look) {
		return dst
	}
	x.values = ch.standsAs().values()
	x.values.saved = make([]string, len(r.saves))
	for i := range r.saves {
		r.saves[i].keep(x)
	}
	return r.sends.append(dst, &x.Values, -1)
}

// AppendPing is that of socket.Owner.
func (ch *channel) AppendPing(dst []byte) []byte {
	m := &ch.client.plan.socket.ping
	if m.empty() {
		return dst
	}
	v := ch.standsAs().values()
	return m.append(dst, &wire.Values{Of: &v}, -1)
}

// receipt says that the answer has come. It is no part of the turn's time, and where
// the server takes no more the next turn finds out.
func (ch *channel) receipt(x *exchange) {
	p, s := ch.client.plan, ch.customer.socket
	if p.socket.receipt.empty() || s.Dead() {
		return
	}
	x.Out = p.socket.receipt.append(x.Out[:0], &x.Values, -1)
	_ = s.Send(&x.Exchange, p.Now()+p.Timeout)
}

// redialRules say when a customer opens a socket anew that the server has closed.
type redialRules struct {
	after, atMost time.Duration // 0: with the next turn
	backoff       float64
}

// redials are those of one customer.
type redials struct {
	busy  sync.Mutex // held by a turn, and by a redial
	mu    sync.Mutex
	timer *time.Timer
	wait  time.Duration // before the next attempt
	over  bool          // the channel is closed
}

// Dropped is that of socket.Owner.
func (ch *channel) Dropped() { ch.redialLater(true) }

// redialLater has the socket opened anew after a while, a longer one where that failed.
func (ch *channel) redialLater(first bool) {
	rules, r := &ch.client.plan.socket.redial, &ch.customer.redials
	if rules.after <= 0 || ch.forged {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	if first {
		r.wait = rules.after
	} else {
		r.wait = min(time.Duration(float64(r.wait)*rules.backoff), rules.atMost)
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = time.AfterFunc(r.wait, ch.redial)
}

// calm takes a redial back that has not begun: a turn opens the socket itself.
func (r *redials) calm(over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = r.over || over
	if r.timer != nil {
		r.timer.Stop()
		r.timer = nil
	}
}

// redial opens the socket while its customer thinks.
func (ch *channel) redial() {
	c, p := ch.customer, ch.client.plan
	c.redials.busy.Lock()
	defer c.redials.busy.Unlock()
	select {
	case <-ch.client.carrier.Interrupted():
		return
	default:
	}
	c.redials.mu.Lock()
	over := c.redials.over
	c.redials.mu.Unlock()
	if over {
		return
	}
	x := ch.client.exchanges.get()
	defer ch.client.exchanges.put(x)
	x.begin()
	known := ch.standsAs()
	x.values = known.values()
	x.values.saved = ch.saved // what the first messages save is the conversation's
	from, before := p.Now(), c.socket
	x.Deadline = from + p.Timeout
	var reply Reply
	x.reply = &reply
	ready, f := ch.connect(x, &reply)
	if ready {
		c.socket.End(&x.Exchange)
	}
	switch {
	case ready && c.socket != before:
		p.Counts.Redialled.Add(1)
		took := int64(p.Now() - from)
		p.Counts.RedialTotal.Add(took)
		for most := p.Counts.RedialLongest.Load(); took > most && !p.Counts.RedialLongest.CompareAndSwap(most, took); most = p.Counts.RedialLongest.Load() {
		}
	case !ready && f.Reason != Interrupted:
		p.Counts.RedialsFailed.Add(1)
		ch.redialLater(false)
	}
}
