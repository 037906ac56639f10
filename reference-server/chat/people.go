package chat

import (
	"context"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
)

// handoff gives the question to a person.
func (t *Turn) handoff(ctx context.Context, reason string) {
	t.openTicket(context.WithoutCancel(ctx), t.hold.ID(), false)
	t.ans.tier, t.ans.source, t.ans.text = degrade.Handoff, "handoff", answer.HandoffText
	if t.intent == answer.Safety {
		t.ans.text = answer.SafetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
}

// openTicket hands the question to people. They hear of it when the turn has
// been committed, so that a quick reply finds the turn it belongs to.
func (t *Turn) openTicket(ctx context.Context, dialog string, local bool) {
	q := desk.Question{Owner: t.who, Queue: t.intent.Queue(), DialogID: dialog, Text: t.words.Said, TraceID: t.tr.ID}
	if !t.ownTurnID {
		q.Turn = dialog + t.turnID
	}
	tk, stored := t.chat.Desk.Open(ctx, q, local)
	t.announce = func() { t.chat.Desk.Announce(tk, stored) }
	t.ans.ticket = &ticketRef{id: tk.ID, queue: tk.Queue, eta: tk.ETA}
}

// static answers without reading anything.
func (t *Turn) static(ctx context.Context, reason string) {
	dialog := t.dialogID
	t.openTicket(ctx, dialog, true)
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
