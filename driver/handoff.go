package driver

import (
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/template"
)

const (
	// together is how long the first agent who is shown a ticket waits for a
	// second, so that their claims race.
	together = 10 * time.Millisecond
	// earlyFor is how long a push that no turn waits for is kept: it may come
	// before the answer that names its ticket. Most are for other processes' turns.
	earlyFor  = 10 * time.Second
	earlyMost = 8192
)

// handoff is the ticket of one turn on its way to an agent. It is guarded by
// agents.mu.
type handoff struct {
	id     string
	sight  sighting
	claims [2]claim // of those who were shown it first
	won    int      // agents who were told that it is theirs
	winner *session
	asked  bool   // the winner has replied
	closed bool   // and the server has taken the reply
	code   string // why a claim was refused, for the message
	fault  fault
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

// sighting is who was shown a ticket, and when the first was.
type sighting struct {
	id    string
	at    time.Duration
	by    [2]*session
	shown int
	notes []byte // for one who watches
}

// see notes that s was shown the ticket.
func (g *sighting) see(s *session, at time.Duration) {
	if g.shown == 0 || at < g.at {
		g.at = at
	}
	if g.shown == len(g.by) || g.shown == 1 && g.by[0] == s {
		return
	}
	g.by[g.shown] = s
	g.shown++
}

// early are the sightings of tickets that no turn waits for, oldest first.
type early struct {
	byID  map[string]*sighting
	queue []*sighting
}

func (e *early) add(id string, at time.Duration) *sighting {
	for len(e.queue) > 0 && (e.queue[0].at < at-earlyFor || len(e.queue) >= earlyMost) {
		if old := e.queue[0]; e.byID[old.id] == old {
			delete(e.byID, old.id)
		}
		e.queue[0] = nil
		e.queue = e.queue[1:]
	}
	s := &sighting{id: id, at: at}
	e.byID[id] = s
	e.queue = append(e.queue, s)
	return s
}

// pushed notes that s was shown a ticket at the instant at.
func (g *agents) pushed(s *session, id string, at time.Duration, raw []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if h := g.tickets[id]; h != nil {
		g.note(&h.sight, s, " <- ", raw)
		h.sight.see(s, at)
		h.rouse()
		return
	}
	seen := g.early.byID[id]
	if seen == nil {
		seen = g.early.add(id, at)
	}
	g.note(seen, s, " <- ", raw)
	seen.see(s, at)
}

// note keeps a message for one who watches.
func (g *agents) note(seen *sighting, s *session, way string, raw []byte) {
	if g.plan.opts.Capture == nil || len(seen.notes)+len(raw) > maxAgentNotes {
		return
	}
	seen.notes = append(append(append(append(seen.notes, s.agent.user.ID...), way...), raw...), '\n')
}

func (h *handoff) rouse() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// answered notes what the server said to s of a ticket.
func (g *agents) answered(s *session, kind, id, code string, raw []byte) {
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
		h.fault = fault{Malformed, "an agent was given a ticket without a claim"}
	case kind == "claimed" && *mine != wonIt:
		*mine = wonIt
		if h.won++; h.winner == nil {
			h.winner = s
		}
	case kind == "lost" && mine != nil && *mine == claimed:
		*mine = lostIt
	case kind == "error" && h.asked && s == h.winner:
		h.fault = fault{Malformed, "the reply of the agent who won the ticket was refused" + coded(code)}
	case kind == "error" && mine != nil && *mine == claimed:
		*mine, h.code = lostIt, coded(code)
	case kind == "replied" && h.asked && s == h.winner:
		h.closed = true
	}
	h.rouse()
}

// lose ends the turns that hang on s. g.mu must be held.
func (g *agents) lose(s *session, f fault) {
	f = f.amidst()
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
		h.rouse()
	}
}

// amidst is what a socket's fault is to a turn whose question was sent.
func (f fault) amidst() fault {
	if f.reason == Unreachable || f.reason == TimedOut {
		f.reason = Broken
	}
	return f
}

// expect begins to wait for the ticket.
func (g *agents) expect(id string) *handoff {
	h := &handoff{id: id, wake: make(chan struct{}, 1)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tickets[id] != nil {
		h.fault = fault{Malformed, "the ticket in the answer is another turn's as well"}
		return h
	}
	g.tickets[id] = h
	if seen := g.early.byID[id]; seen != nil {
		h.sight = *seen
		delete(g.early.byID, id)
	}
	for i := range h.sight.shown {
		if f := h.sight.by[i].fault; f.bad() {
			h.fault = f
		}
	}
	if _, _, f := g.state(); h.sight.shown == 0 && g.live == 0 {
		if h.fault = f.amidst(); !f.bad() {
			h.fault = fault{Broken, "no agent's socket is open"}
		}
	}
	return h
}

func (g *agents) forget(h *handoff) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tickets[h.id] == h {
		delete(g.tickets, h.id)
	}
}

// until waits until done, which is asked under the lock, says so.
func (g *agents) until(h *handoff, deadline time.Duration, done func() bool) fault {
	for {
		g.mu.Lock()
		over, f := done(), h.fault
		g.mu.Unlock()
		if over {
			return fault{}
		}
		if f.bad() {
			return f
		}
		if f := g.wait(h.wake, deadline); f.bad() {
			return f
		}
	}
}

// handOver follows the ticket named in the answer until an agent has dealt with
// it. The turn is done when the first of them was shown the ticket.
func (l *line) handOver(x *exchange) fault {
	id := x.scanner.Values[slotTicket]
	if id.Kind != jsonscan.Text || len(id.Raw) == 0 || len(id.Raw) > maxTicketID {
		return fault{Malformed, "no ticket in the answer: nobody was handed the question"}
	}
	g := l.client.agents
	h := g.expect(string(x.string(&id)))
	defer g.forget(h)
	var shownAt time.Duration
	f := g.until(h, x.deadline, func() bool {
		shownAt = h.sight.at
		return h.sight.shown > 0
	})
	if f.bad() {
		f = f.late("no agent was shown the ticket within the timeout")
	} else {
		x.done = max(x.done, shownAt)
		f = g.deal(h, x.done+g.plan.timeout)
	}
	x.over = g.now()
	if f.bad() {
		x.done = x.over // the customer still waits
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	x.notes = h.sight.notes
	return f
}

// late says what a time that is up was waited for.
func (f fault) late(what string) fault {
	if f.reason == TimedOut {
		f.message = what
	}
	return f
}

// deal has the agents who were shown the ticket claim it, and the one who wins
// it reply.
func (g *agents) deal(h *handoff, deadline time.Duration) fault {
	f := g.until(h, min(g.now()+together, deadline), func() bool { return h.sight.shown == len(h.claims) || g.live < 2 })
	if f.bad() && f.reason != TimedOut {
		return f
	}
	var won int
	var code string
	f = g.until(h, deadline, func() bool {
		open := g.claim(h)
		won, code = h.won, h.code
		return open == 0 || won > 1
	})
	switch {
	case f.bad():
		return f.late("a claim was not answered within the timeout")
	case won == 0:
		return fault{Malformed, "no agent won the ticket" + code}
	}
	f = g.until(h, deadline, func() bool {
		if !h.asked && h.won == 1 {
			h.asked = true
			g.say(h, h.winner, append(template.AppendJSON([]byte(replyStart), h.id), g.rules.replyEnd...))
		}
		won = h.won
		return h.closed || won > 1
	})
	if f.bad() {
		return f.late("the agent's reply was not confirmed within the timeout")
	}
	if won > 1 {
		return fault{Malformed, "two agents won one ticket"}
	}
	return fault{}
}

// claim has those who were shown the ticket claim it and tells how many claims
// are not answered. g.mu must be held.
func (g *agents) claim(h *handoff) (open int) {
	for i := range h.sight.shown {
		if h.claims[i] == unclaimed {
			h.claims[i] = claimed
			g.say(h, h.sight.by[i], append(template.AppendJSON([]byte(claimStart), h.id), ticketIDEnding...))
		}
		if h.claims[i] == claimed {
			open++
		}
	}
	return open
}

// say sends a message about h from the agent of s. g.mu must be held.
func (g *agents) say(h *handoff, s *session, message []byte) {
	if s.fault.bad() {
		h.fault = s.fault
		return
	}
	g.note(&h.sight, s, " -> ", message)
	// No more than two messages for each turn in flight wait here.
	s.out = append(s.out, message)
	s.rouse()
}
