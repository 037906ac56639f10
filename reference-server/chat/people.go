package chat

import (
	"context"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
)

// handoff gives the question to a person. The error is ErrNotFound: the dialog has been
// erased.
func (t *Turn) handoff(ctx context.Context, reason string) error {
	if err := t.openTicket(context.WithoutCancel(ctx), t.hold.ID(), false); err != nil {
		return err
	}
	t.ans.tier, t.ans.source, t.ans.text = degrade.Handoff, "handoff", answer.HandoffText
	if t.intent == answer.Safety {
		t.ans.text = answer.SafetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
	return nil
}

// openTicket hands the question to people. They hear of it when the turn has
// been committed, so that a quick reply finds the turn it belongs to.
func (t *Turn) openTicket(ctx context.Context, dialog string, local bool) error {
	q := desk.Question{Owner: t.who, Queue: t.intent.Queue(), DialogID: dialog, Text: t.words.Said, TraceID: t.tr.ID}
	if !t.ownTurnID {
		q.Turn = dialog + t.turnID
	}
	tk, stored, err := t.chat.Desk.Open(ctx, q, local)
	if err != nil {
		return ErrNotFound
	}
	t.withdraw = func() { t.chat.Desk.Withdraw(ctx, tk) }
	t.announce = func() { t.chat.Desk.Announce(tk, stored) }
	t.ans.ticket = &ticketRef{id: tk.ID, queue: tk.Queue, eta: tk.ETA}
	return nil
}

// static answers without reading anything. The error is that of handoff.
func (t *Turn) static(ctx context.Context, reason string) error {
	dialog := t.dialogID
	if err := t.openTicket(context.WithoutCancel(ctx), dialog, true); err != nil {
		return err
	}
	t.ans.tier, t.ans.source, t.ans.text = degrade.Static, "static", answer.StaticText
	if t.intent == answer.Safety {
		t.ans.text = answer.SafetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
	t.ans.contextStatus, t.ans.contextTurns = "unavailable", 0
	if dialog == "" && t.hold != nil {
		t.dialogID, t.ans.contextStatus = t.hold.ID(), "new"
	}
	t.dropped, t.hold = t.hold, nil
	return nil
}

// spare answers, without a person, what would go to one only because nothing else could:
// what says nothing is asked for again, and neither all users together nor one of them
// take more of people's time than there is. false: a person it is. Questions that are
// theirs on any day never come here.
func (t *Turn) spare(ctx context.Context, floor degrade.Tier, reason string, local bool) bool {
	switch {
	case t.repeats():
		t.askAgain(floor, reason)
	case t.chat.Desk.Full(ctx, t.who.Tenant, local):
		t.declineTicket(reasonDeskFull)
	case !t.chat.Ticket(t.who):
		t.declineTicket(reasonOwnTickets)
	default:
		return false
	}
	return true
}

// declineTicket says that people have no time for the question.
func (t *Turn) declineTicket(reason string) {
	t.answerLater(reason)
	t.ans.text = answer.BusyText
}

// repeats says whether the user is to say it again: the message says nothing, and they
// were not asked before in this dialog. Once a person looks after the dialog, no other is
// called for nothing.
func (t *Turn) repeats() bool {
	if answer.Says(t.words.Said) {
		return false
	}
	asked := false
	turns := t.before()
	for i := range turns {
		if gjson.GetBytes(turns[i].Response, "ticket").Exists() {
			return true
		}
		asked = asked || strings.HasPrefix(turns[i].Reply(), answer.AgainText)
	}
	return !asked
}

// askAgain asks for the question once more, with some that are asked every day. There is
// nothing in it to ask the model later.
func (t *Turn) askAgain(floor degrade.Tier, reason string) {
	r := answer.Again()
	t.ans.tier, t.ans.source, t.ans.text, t.ans.suggestions = degrade.FAQ, string(r.Source), r.Text, r.Suggestions
	if floor > degrade.FAQ {
		t.ans.tier = degrade.Static
	}
	t.ans.degraded, t.ans.degradeReason, t.idle = true, reason, true
}

// answerLater is for what can be said neither without state nor by a person: people
// are for those whom risk sends there.
func (t *Turn) answerLater(reason string) {
	t.ans.tier, t.ans.source, t.ans.text = degrade.Static, "static", answer.LaterText
	t.ans.degraded, t.ans.degradeReason = true, reason
}
