package agents

import (
	"slices"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

const (
	// together is how long the first agent who is shown a ticket waits for a
	// second, so that their claims race.
	together = 10 * time.Millisecond
)

// handoff is the ticket of one turn on its way to an agent. It is guarded by
// Team.mu.
type handoff struct {
	id     string
	sight  sighting
	claims [2]claim // of those who were shown it first
	won    int      // agents who were told that it is theirs
	winner *session
	asked  bool   // the winner has replied
	closed bool   // and the server has taken the reply
	code   string // why a claim was refused, for the message
	fault  wire.Fault
	wake   chan struct{}
}

// claim is how an agent's claim stands.
type claim uint8

const (
	unclaimed claim = iota
	claimed
	wonIt
	lostIt
)

// noteShown notes that s was shown a ticket at the instant at.
func (g *Team) noteShown(s *session, id string, at time.Duration, raw []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h := g.tickets[id]; h != nil {
		g.note(&h.sight, s, " <- ", raw)
		h.sight.add(s, at)
		h.notify()
		return
	}
	seen := g.early.byID[id]
	if seen == nil {
		seen = g.early.add(id, at)
	}
	g.note(seen, s, " <- ", raw)
	seen.add(s, at)
}

// note keeps a message for one who watches.
func (g *Team) note(seen *sighting, s *session, way string, raw []byte) {
	if !g.config.Notes || len(seen.notes)+len(raw) > maxNotes {
		return
	}
	seen.notes = append(append(append(append(seen.notes, s.agent.Name...), way...), raw...), '\n')
}

func (h *handoff) notify() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// noteAnswer notes what the server said to s of a ticket.
func (g *Team) noteAnswer(s *session, kind, id, code string, raw []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.tickets[id]
	if h == nil {
		return
	}
	g.note(&h.sight, s, " <- ", raw)
	mine := (*claim)(nil)
	for i := range h.sight.shown {
		if h.sight.by[i] == s {
			mine = &h.claims[i]
		}
	}
	switch {
	case kind == "claimed" && (mine == nil || *mine == unclaimed):
		h.fault = wire.NewFault(wire.Malformed, "an agent was given a ticket without a claim")
	case kind == "claimed" && *mine != wonIt:
		*mine = wonIt
		if h.won++; h.winner == nil {
			h.winner = s
		}
	case kind == "lost" && mine != nil && *mine == claimed:
		*mine = lostIt
	case kind == "error" && h.asked && s == h.winner:
		h.fault = wire.NewFault(wire.Malformed, "the reply of the agent who won the ticket was refused"+coded(code))
	case kind == "error" && mine != nil && *mine == claimed:
		*mine, h.code = lostIt, coded(code)
	case kind == "replied" && h.asked && s == h.winner:
		h.closed = true
	}
	h.notify()
}

// fail ends the turns that hang on s. g.mu must be held.
func (g *Team) fail(s *session, f wire.Fault) {
	f = whileAsked(f)
	s.fault = f
	for _, h := range g.tickets {
		for i := range h.sight.shown {
			if h.sight.by[i] == s && h.claims[i] != lostIt && !h.closed {
				h.fault = f
			}
		}
		if h.sight.shown == 0 && g.live == 0 {
			h.fault = f
		}
		h.notify()
	}
}

// whileAsked is what a socket's fault is to a turn whose question was sent.
func whileAsked(f wire.Fault) wire.Fault {
	if f.Reason == wire.Unreachable || f.Reason == wire.TimedOut {
		f.Reason = wire.Broken
	}
	return f
}

// expect begins to wait for the ticket.
func (g *Team) expect(id string) *handoff {
	h := &handoff{id: id, wake: make(chan struct{}, 1)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tickets[id] != nil {
		h.fault = wire.NewFault(wire.Malformed, "the ticket in the answer is another turn's as well")
		return h
	}
	g.tickets[id] = h
	if seen := g.early.byID[id]; seen != nil {
		h.sight = *seen
		delete(g.early.byID, id)
	}
	for i := range h.sight.shown {
		if f := h.sight.by[i].fault; f.Bad() {
			h.fault = f
		}
	}
	if _, _, f := g.sockets(); h.sight.shown == 0 && g.live == 0 {
		if h.fault = whileAsked(f); !f.Bad() {
			h.fault = wire.NewFault(wire.Broken, "no agent's socket is open")
		}
	}
	return h
}

func (g *Team) forget(h *handoff) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tickets[h.id] == h {
		delete(g.tickets, h.id)
	}
}

// until waits until done, which is asked under the lock, says so.
func (g *Team) until(h *handoff, deadline time.Duration, done func() bool) wire.Fault {
	for {
		g.mu.Lock()
		over, f := done(), h.fault
		g.mu.Unlock()
		if over {
			return wire.Fault{}
		}
		if f.Bad() {
			return f
		}
		if f := g.wait(h.wake, deadline); f.Bad() {
			return f
		}
	}
}

// Outcome is how the ticket of a turn fared; times are offsets from Target.Base.
type Outcome struct {
	ShownAt time.Duration // to the first agent; 0: to none
	Over    time.Duration // when the agents had no more to do with it
	Notes   []byte        // what was said of it, where the config asks for that
}

// Follow waits until an agent is shown the ticket id, by deadline, and then has the
// first two who are claim it and the winner reply. done is when the answer to
// the turn was whole; the dealing has the target's timeout from then, or from
// when the ticket was shown.
func (g *Team) Follow(id string, done, deadline time.Duration) (Outcome, wire.Fault) {
	if id == "" || len(id) > maxTicketID {
		return Outcome{}, wire.NewFault(wire.Malformed, "no ticket in the answer: nobody was handed the question")
	}
	h := g.expect(id)
	defer g.forget(h)
	var out Outcome
	f := g.until(h, deadline, func() bool {
		out.ShownAt = h.sight.at
		return h.sight.shown > 0
	})
	if f.Bad() {
		out.ShownAt = 0
		f = late(f, "no agent was shown the ticket within the timeout")
	} else {
		f = g.deal(h, max(done, out.ShownAt)+g.target.Timeout)
	}
	out.Over = g.target.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	out.Notes = h.sight.notes
	if out.ShownAt == 0 {
		for _, other := range g.early.queue { // of tickets that are not this one
			out.Notes = append(out.Notes, other.notes[:min(len(other.notes), max(maxNotes-len(out.Notes), 0))]...)
		}
	}
	return out, f
}

// late says what a time that is up was waited for.
func late(f wire.Fault, what string) wire.Fault {
	if f.Reason == wire.TimedOut {
		f.Message = what
	}
	return f
}

// deal has the agents who were shown the ticket claim it, and the one who wins
// it reply.
func (g *Team) deal(h *handoff, deadline time.Duration) wire.Fault {
	f := g.until(h, min(g.target.Now()+together, deadline), func() bool { return h.sight.shown == len(h.claims) || g.live < 2 })
	if f.Bad() && f.Reason != wire.TimedOut {
		return f
	}
	if f := g.claims(h, deadline); f.Bad() {
		return late(f, "a claim was not answered within the timeout")
	}
	won, code := g.reply(h)
	switch {
	case won > 1:
		return wire.NewFault(wire.Malformed, "two agents won one ticket")
	case won == 0:
		return wire.NewFault(wire.Malformed, "no agent won the ticket"+code)
	}
	f = g.until(h, deadline, func() bool { return h.closed || h.won > 1 })
	if f.Bad() {
		return late(f, "the agent's reply was not confirmed within the timeout")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.won > 1 {
		return wire.NewFault(wire.Malformed, "two agents won one ticket")
	}
	return wire.Fault{}
}

// claims has those who are shown the ticket claim it until every claim is
// answered, or two have won.
func (g *Team) claims(h *handoff, deadline time.Duration) wire.Fault {
	for {
		g.claim(h)
		f := g.until(h, deadline, func() bool { return h.unclaimed() || !h.open() || h.won > 1 })
		if f.Bad() {
			return f
		}
		g.mu.Lock()
		more := h.unclaimed() && h.won < 2
		g.mu.Unlock()
		if !more {
			return wire.Fault{}
		}
	}
}

// unclaimed tells whether somebody was shown the ticket who has not claimed it.
func (h *handoff) unclaimed() bool { return slices.Contains(h.claims[:h.sight.shown], unclaimed) }

// open tells whether a claim is not answered.
func (h *handoff) open() bool { return slices.Contains(h.claims[:h.sight.shown], claimed) }

// claim has those who were shown the ticket and have not claimed it do so.
func (g *Team) claim(h *handoff) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range h.sight.shown {
		if h.claims[i] == unclaimed {
			h.claims[i] = claimed
			g.send(h, h.sight.by[i], claimOf(h.id))
		}
	}
}

// reply has the agent reply who alone has won the ticket. It tells how many have,
// and where none has, why.
func (g *Team) reply(h *handoff) (won int, code string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h.won == 1 {
		h.asked = true
		g.send(h, h.winner, replyTo(h.id, g.config.Reply))
	}
	return h.won, h.code
}

// send sends a message about h from the agent of s. g.mu must be held.
func (g *Team) send(h *handoff, s *session, message []byte) {
	if s.fault.Bad() {
		h.fault = s.fault
		return
	}
	g.note(&h.sight, s, " -> ", message)
	// No more than two messages for each turn in flight wait here.
	s.out = append(s.out, message)
	s.notify()
}
