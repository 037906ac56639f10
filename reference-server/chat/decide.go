package chat

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
)

// faqWarm is the share of turns at tier llm that look into the FAQ as well, so
// that it is warm, and known to work, when it is needed.
const faqWarm = 0.01

// cannedLine is what the article's server says when the model fails.
const cannedLine = "系统繁忙,请稍后再试"

// Why a turn got a worse tier than its intent allows.
const (
	reasonTier   = "tier"
	reasonState  = "redis_down"
	reasonCanned = "canned"

	reasonDeskFull   = "desk_full"    // and no person had time
	reasonOwnTickets = "user_tickets" // and the user has had many of people's time
)

// decide finds the answer: by intent and by the tier that the server stands
// at. Errors are of type Error.
func (t *Turn) decide(ctx context.Context) error {
	if !t.set.Tiers {
		return t.decideArticle(ctx)
	}
	w := t.chat.Watch
	t.intent = t.chat.Intents.Of(t.words.Said)
	at := t.at()
	floor := at.Serves(t.bucket())
	stateless := t.hold == nil || at.Away
	if floor == degrade.Static && !t.intent.Human() && t.spare(ctx, floor, reasonState, true) {
		t.dropState()
		return nil
	}
	if floor == degrade.Static || stateless && t.intent.Human() {
		return t.static(ctx, reasonState)
	}
	if stateless {
		t.dropState()
		if answer.Bare(t.words.Said, t.chat.faq) {
			floor = max(floor, degrade.FAQ) // the model would guess what it is about; the FAQ asks back
		}
	}
	if t.intent.Human() {
		err := t.handoff(ctx, "")
		t.ans.degraded = false // people answer this on a good day, too
		return err
	}
	reason := reasonTier
	if stateless {
		reason = reasonState
	}
	if floor == degrade.LLM {
		if rand.Float64() < faqWarm {
			_, _ = t.chat.faq.Find(t.words.Said) // nobody sees it; the gauges do
		}
		err := t.askModel(ctx)
		if err == nil {
			return nil
		}
		if p := stop(err, t.fault); p != nil {
			return p
		}
		reason = "llm_" + t.fault.String()
	} else {
		w.Offer(func() []byte { return t.chat.Model.Body(t.prompt()) })
	}
	if floor <= degrade.FAQ && t.fromFAQ() {
		t.ans.degraded, t.ans.degradeReason = true, reason
		return nil
	}
	switch {
	case stateless && t.repeats():
		t.askAgain(floor, reason)
	case stateless:
		t.answerLater(reason)
	case !t.spare(ctx, floor, reason, false):
		return t.handoff(ctx, reason)
	}
	return nil
}

// at is where the server stands for the caller.
func (t *Turn) at() degrade.Position { return t.chat.Watch.For(t.who.Tenant, t.ans.group.String()) }

// dropState goes on without state: nothing was read and nothing will be kept. A
// question that stands for itself is answered all the same.
func (t *Turn) dropState() {
	t.ans.contextStatus = "unavailable"
	if t.hold == nil {
		return
	}
	if t.dialogID == "" {
		t.dialogID = t.hold.ID() // nobody has it yet: the dialog begins when Redis is back
	}
	t.dropped, t.hold = t.hold, nil
}

// askModel answers at tier llm: from the hot cache where that is allowed, else by
// asking.
func (t *Turn) askModel(ctx context.Context) error {
	key := t.hotKey()
	if key != "" && t.cached(key) {
		return nil
	}
	if t.pieces != nil && t.set.LLMAPI == "chat" {
		if key != "" {
			t.chat.hot.misses.Add(1)
			t.fillAside(key)
		}
		return t.streamFromModel(ctx)
	}
	if key != "" {
		if done, err := t.viaCache(ctx, key); done || err != nil {
			return err
		}
	}
	return t.answerByModel(ctx)
}

// decideArticle is the article's way: the model, or the canned line.
func (t *Turn) decideArticle(ctx context.Context) error {
	err := t.askModel(ctx)
	if err == nil {
		return nil
	}
	if p := stop(err, t.fault); p != nil {
		return p
	}
	t.ans.text, t.ans.source, t.ans.tier = cannedLine, "static", degrade.Static
	t.ans.degraded, t.ans.degradeReason = true, reasonCanned
	return nil
}

// stop is what ends a turn without an answer of a lower tier: the caller left,
// or a stream broke off in the middle.
func stop(err error, f model.Fault) error {
	var e Error
	switch {
	case errors.As(err, &e):
		return e
	case f == model.FaultCancelled:
		return ErrGone
	}
	return nil
}

// bucket places the dialog in 0 … 99, so that the live share on the way back
// is of dialogs, not of turns.
func (t *Turn) bucket() int {
	h := fnv.New32a()
	id := t.dialogID
	if t.hold != nil {
		id = t.hold.ID()
	}
	h.Write([]byte(id))
	return int(h.Sum32() % 100)
}

// before are the turns of the dialog so far, where its state can be reached.
func (t *Turn) before() []dialog.Record {
	if t.hold == nil {
		return nil
	}
	return t.hold.Turns()
}
