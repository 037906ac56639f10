package desk

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/dialog"
)

// handle does what one message asks for.
func (s *socket) handle(b []byte) {
	q, ok, code := decodeRequest(b)
	if code != 0 {
		s.end(code, "text must be JSON in UTF-8")
		return
	}
	if kind := q.Type; slices.Contains(requestTypes[:], kind) {
		s.desk.metrics.in[kind].Inc()
	} else {
		s.desk.metrics.in["other"].Inc()
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	switch {
	case !ok:
		s.answer(string(codeBadMessage), errorMessage(codeBadMessage, ""))
	case q.Type == "subscribe":
		s.subscribe(ctx, q.Queues)
	case q.Type == "claim":
		s.claim(ctx, q.TicketID)
	case q.Type == "reply":
		s.reply(ctx, q.TicketID, q.Text)
	default:
		s.answer(string(codeUnknownType), errorMessage(codeUnknownType, ""))
	}
}

// answer queues the answer to a message, which counts by its type.
func (s *socket) answer(kind string, message []byte) {
	c, ok := s.desk.metrics.out[kind]
	if !ok {
		c = s.desk.metrics.out["error"]
	}
	c.Inc()
	s.put(message)
}

// subscribe replaces the queues of this socket and pushes what waits in them.
func (s *socket) subscribe(ctx context.Context, names []string) {
	queues, ok := queuesOf(names)
	if !ok {
		s.answer(string(codeUnknownQueue), errorMessage(codeUnknownQueue, ""))
		return
	}
	ts := s.desk.tickets
	s.mu.Lock()
	s.queues = nil // nothing comes before the answer
	s.mu.Unlock()
	s.answer("subscribed", subscribedMessage(queues, ts.count(ctx, s.who.Tenant, queues)))
	s.mu.Lock()
	s.queues, s.seen = queues, newToldList()
	s.mu.Unlock()
	// Whatever is opened from now on is pushed by its server, what was before
	// is in the list, and what is both comes once.
	for _, t := range ts.waitingIn(ctx, s.who.Tenant, queues) {
		if s.markTold(t, false) {
			s.answer("ticket", ticketMessage(t))
			s.checkGone(t)
		}
	}
}

func (s *socket) claim(ctx context.Context, id string) {
	result := outcomeNotFound
	if dialog.IsID(id) {
		result = s.desk.tickets.claim(ctx, claimant{s.who, s.id}, id)
	}
	s.desk.metrics.claims[result].Inc()
	s.answer(string(result), outcomeMessage(result, bounded(id)))
	if result == outcomeClaimed {
		s.hold(ctx, id)
	}
}

// reply closes a ticket with what the agent wrote, and puts it into the dialog.
func (s *socket) reply(ctx context.Context, id, text string) {
	result, r := outcomeNotFound, replied{}
	switch {
	case utf8.RuneCountInString(text) > maxReply:
		result = codeTooLong
	case dialog.Blank(text):
		result = codeEmpty
	case dialog.IsID(id):
		text = s.desk.clean(s.trace, text)
		result, r = s.desk.tickets.reply(ctx, s.who, id, text)
	}
	if result == outcomeReplied {
		s.desk.append(ctx, r.dialogID, dialog.Note{Ticket: id, Agent: s.who.UID, Text: text}, r.asked)
	}
	if result == outcomeReplied || result == outcomeNotFound || result == outcomeNotClaimed || result == outcomeClosed {
		s.letGo(id)
	}
	s.desk.metrics.replies[result].Inc()
	s.answer(string(result), outcomeMessage(result, bounded(id)))
}

// bounded is an id as it is sent back: what is too long for one is cut off.
func bounded(id string) string { return id[:min(len(id), 2*dialog.IDLen)] }
