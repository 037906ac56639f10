package chat

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/trace"
)

const (
	againLimit  = 5 * time.Second // for the model to answer a question for which nobody waits
	againText   = 2000            // characters of its answer
	againQuoted = 40              // characters of the question that are repeated before it
	draftText   = 60              // characters of a question that is fit for the FAQ
	// purposeBackflow tells the model's side that no user waits.
	purposeBackflow = "backflow"
)

// keepForLater gives the question to the backflow where it got a worse answer than it
// deserves, or waits for a person while the model is ill.
func (t *Turn) keepForLater(ctx context.Context) {
	b := t.chat.Backflow
	if b == nil || !t.set.Tiers || t.idle || t.ans.dialogID == "" || strings.TrimSpace(t.words.Said) == "" ||
		!t.ans.degraded && (t.ans.ticket == nil || t.at().Shown() == degrade.LLM) {
		return
	}
	q := backflow.Question{
		Tenant: t.who.Tenant, UID: t.who.UID, DialogID: t.ans.dialogID, TurnID: t.turnID, Text: t.words.Said, Intent: t.intent.String(),
		Trace: "00-" + t.tr.ID + "-" + dialog.RandomHex(8) + "-" + t.tr.Flags, AskedMS: t.start.UnixMilli(),
		Alone: t.intent == answer.Info && t.ans.piiIn == 0 && utf8.RuneCountInString(t.words.Said) <= draftText && !answer.Bare(t.words.Said, t.chat.faq),
	}
	if t.ans.ticket != nil {
		q.Ticket = t.ans.ticket.id
	}
	start := time.Now()
	b.Record(context.WithoutCancel(ctx), q)
	t.waited += time.Since(start)
}

// AskAgain puts a question of the backflow to the model, where that still helps
// anybody. What carries risk stays with people: they get the answer as a draft.
func (c *Chat) AskAgain(ctx context.Context, q backflow.Question, wanted func(context.Context) (bool, error)) backflow.Result {
	if c.Dialogs.Gone(q.DialogID) {
		return backflow.Result{End: backflow.Erased}
	}
	turns, err := c.Dialogs.History(ctx, q.DialogID)
	if err != nil {
		return backflow.Result{}
	}
	waits := false // a person, or nobody yet
	if q.Ticket != "" {
		answered, there, err := c.Desk.Answered(ctx, q.Ticket)
		switch {
		case err != nil:
			return backflow.Result{}
		case answered:
			return backflow.Result{End: backflow.Superseded}
		}
		waits = there
	}
	at := placeOf(turns, q.TurnID)
	person := c.Intents.Of(q.Text).Human()
	switch {
	case at >= 0 && answeredSince(turns[at+1:], q.Text):
		return backflow.Result{End: backflow.Superseded}
	case person && !waits, at < 0 && len(turns) == 0 && !waits && !q.Alone, at < 0 && answer.Bare(q.Text, c.faq):
		return backflow.Result{End: backflow.Expired} // nobody is left to tell, or nobody knows what it was about
	}
	var before []dialog.Record
	if at >= 0 {
		before = turns[:at]
	}
	text, res := c.askOnce(ctx, q, before)
	if text == "" {
		return res
	}
	if waits {
		if _, err := c.Desk.Draft(ctx, q.Ticket, text); err != nil {
			return backflow.Result{Fault: res.Fault} // again later: what was done has no further effect
		}
	}
	if !person {
		note := dialog.Note{Turn: q.TurnID, Text: "关于您之前的问题「" + cut(q.Text, againQuoted) + "」:" + text}
		if res.Noted, err = c.Dialogs.AddAnswer(ctx, q.DialogID, note, wanted); err != nil {
			return backflow.Result{Fault: res.Fault}
		}
	}
	res.End = backflow.Replayed
	if q.Alone {
		res.Draft, res.Key = text, answer.Normal(q.Text)
	}
	return res
}

// askOnce makes one attempt, past breaker and retries: those are for users, and hear
// nothing of it. The text is screened; without one, the result says what to do.
func (c *Chat) askOnce(ctx context.Context, q backflow.Question, before []dialog.Record) (string, backflow.Result) {
	ctx, cancel := context.WithTimeout(ctx, againLimit)
	defer cancel()
	tr := trace.From(q.Trace)
	said, err := c.Model.Ask(ctx, c.Model.Body(promptOf(q.Text, before, c.Knobs.Load())), tr, purposeBackflow)
	fault := model.FaultOf(err)
	res := backflow.Result{Fault: fault.String(), Ill: fault.Failure()}
	switch {
	case errors.Is(err, context.Canceled), fault == model.FaultCancelled:
		return "", backflow.Result{}
	case fault == model.FaultPermanent:
		res.End = backflow.Dead // it would be no better the next time
		return "", res
	case err != nil:
		return "", res
	}
	text, _ := c.Screen.Answer(tr.ID, dialog.ReadWords(said).Said)
	return cut(text, againText), res
}

// placeOf is where a turn stands, -1 where it is not kept.
func placeOf(turns []dialog.Record, turnID string) int {
	for i := range turns {
		if turns[i].TurnID == turnID {
			return i
		}
	}
	return -1
}

// answeredSince says whether the user asked the same again and got a good answer.
func answeredSince(later []dialog.Record, text string) bool {
	asked := answer.Normal(text)
	for i := range later {
		if !later[i].Degraded && answer.Normal(later[i].Question()) == asked {
			return true
		}
	}
	return false
}

// cut is the text with so many characters at most.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
