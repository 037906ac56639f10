package refserver

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/dialog"
)

// asked does what one message asks for.
func (s *agentSocket) asked(b []byte) {
	m := s.agents.srv.metrics
	q, ok, code := decodeAgentRequest(b)
	if code != 0 {
		s.end(code, "text must be JSON in UTF-8")
		return
	}
	if kind := q.Type; slices.Contains(agentRequestTypes[:], kind) {
		m.wsIn[kind].Inc()
	} else {
		m.wsIn["other"].Inc()
	}
	ctx, cancel := context.WithTimeout(context.Background(), deskTimeout)
	defer cancel()
	switch {
	case !ok:
		s.answer(codeBadMessage, errorMessage(codeBadMessage, ""))
	case q.Type == "subscribe":
		s.subscribe(ctx, q.Queues)
	case q.Type == "claim":
		s.claim(ctx, q.TicketID)
	case q.Type == "reply":
		s.reply(ctx, q.TicketID, q.Text)
	default:
		s.answer(codeUnknownType, errorMessage(codeUnknownType, ""))
	}
}

// answer queues the answer to a message, which counts by its type.
func (s *agentSocket) answer(kind string, message []byte) {
	c, ok := s.agents.srv.metrics.wsOut[kind]
	if !ok {
		c = s.agents.srv.metrics.wsOut["error"]
	}
	c.Inc()
	s.put(message)
}

// subscribe replaces the queues of this socket and pushes what waits in them.
func (s *agentSocket) subscribe(ctx context.Context, names []string) {
	queues, ok := queuesOf(names)
	if !ok {
		s.answer(codeUnknownQueue, errorMessage(codeUnknownQueue, ""))
		return
	}
	ts := s.agents.srv.tickets
	s.mu.Lock()
	s.queues = nil // nothing comes before the answer
	s.mu.Unlock()
	s.answer("subscribed", subscribedMessage(queues, ts.count(ctx, s.who.Tenant, queues)))
	s.mu.Lock()
	s.queues, s.order = queues, nil
	clear(s.seen)
	s.mu.Unlock()
	// Whatever is opened from now on is pushed by its server, what was before
	// is in the list, and what is both comes once.
	for _, t := range ts.waitingIn(ctx, s.who.Tenant, queues) {
		if s.first(t.ID, false) {
			s.answer("ticket", ticketMessage(t))
		}
	}
}

func (s *agentSocket) claim(ctx context.Context, id string) {
	outcome := outcomeNotFound
	if dialog.IsID(id) {
		outcome = s.agents.srv.tickets.claim(ctx, claimant{s.who, s.id}, id)
	}
	s.agents.srv.metrics.wsClaims[outcome].Inc()
	s.answer(outcome, outcomeMessage(outcome, bounded(id)))
}

// reply closes a ticket with what the agent wrote, and puts it into the dialog.
func (s *agentSocket) reply(ctx context.Context, id, text string) {
	srv := s.agents.srv
	outcome, r := outcomeNotFound, replied{}
	switch {
	case utf8.RuneCountInString(text) > maxReply:
		outcome = codeTooLong
	case strings.IndexFunc(text, func(r rune) bool { return !blank(r) }) < 0:
		outcome = codeEmpty
	case dialog.IsID(id):
		text, _ = srv.mask(srv.set.Load(), s.trace, srv.checked(s.trace, text), "out")
		outcome, r = srv.tickets.reply(ctx, s.who, id, text)
	}
	if outcome == outcomeReplied {
		s.agents.append(ctx, r.dialogID, dialog.Note{Ticket: id, Agent: s.who.UID, Text: text}, r.asked)
	}
	srv.metrics.wsReplies[outcome].Inc()
	s.answer(outcome, outcomeMessage(outcome, bounded(id)))
}

// bounded is an id as it is sent back: what is too long for one is cut off.
func bounded(id string) string { return id[:min(len(id), 2*dialog.IDLen)] }
