package chat

import (
	"context"

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

// declineTicket says that people have no time for a question which is theirs
// only because the model did not answer. Questions that are theirs on any day
// never come here.
func (t *Turn) declineTicket() {
	t.answerLater(reasonDeskFull)
	t.ans.text = answer.BusyText
}

// answerLater is for what can be said neither without state nor by a person: people
// are for those whom risk sends there.
func (t *Turn) answerLater(reason string) {
	t.ans.tier, t.ans.source, t.ans.text = degrade.Static, "static", answer.LaterText
	t.ans.degraded, t.ans.degradeReason = true, reason
}
