package refserver

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
)

// faqWarm is the share of turns at tier llm that look into the FAQ as well, so
// that it is warm, and known to work, when it is needed.
const faqWarm = 0.01

// faqSlow is how long a look into the FAQ may take before it counts against it.
const faqSlow = 50 * time.Millisecond

// cannedLine is what the article's server says when the model fails.
const cannedLine = "系统繁忙,请稍后再试"

// Why a turn got a worse tier than its intent allows.
const (
	reasonTier   = "tier"
	reasonState  = "redis_down"
	reasonCanned = "canned"

	reasonDeskFull = "desk_full" // and no person had time
)

// decide finds the answer: by intent and by the tier that the server stands
// at. Errors are *problem.
func (t *turn) decide(ctx context.Context) error {
	if !t.set.tiers {
		return t.decideArticle(ctx)
	}
	w := t.srv.watch
	t.intent = t.srv.intents.Of(t.clean)
	floor := w.At().Serves(t.bucket())
	stateless := t.hold == nil || w.At().Away
	if floor == degrade.Static && !t.intent.Human() && t.srv.desk.Full(ctx, t.who.Tenant, true) {
		t.dropState()
		t.declineTicket()
		return nil
	}
	if floor == degrade.Static || stateless && t.intent.Human() {
		t.static(ctx, reasonState)
		return nil
	}
	if stateless {
		t.dropState()
		if answer.Bare(t.clean, watchedFAQ{t.srv}) {
			floor = max(floor, degrade.FAQ) // the model would guess what it is about; the FAQ asks back
		}
	}
	if t.intent.Human() {
		t.handoff(ctx, "")
		t.ans.degraded = false // people answer this on a good day, too
		return nil
	}
	reason := reasonTier
	if stateless {
		reason = reasonState
	}
	if floor == degrade.LLM {
		if rand.Float64() < faqWarm {
			_, _ = watchedFAQ{t.srv}.Find(t.clean) // nobody sees it; the gauges do
		}
		err := t.model(ctx)
		if err == nil {
			return nil
		}
		if p := stop(err, t.fault); p != nil {
			return p
		}
		reason = "llm_" + t.fault.String()
	} else {
		w.Offer(func() []byte { return t.srv.model.Body(t.prompt()) })
	}
	if floor <= degrade.FAQ && t.faq() {
		t.ans.degraded, t.ans.degradeReason = true, reason
		return nil
	}
	if stateless {
		t.answerLater(reason)
		return nil
	}
	if t.srv.desk.Full(ctx, t.who.Tenant, false) {
		t.declineTicket()
		return nil
	}
	t.handoff(ctx, reason)
	return nil
}

// declineTicket says that people have no time for a question which is theirs
// only because the model did not answer. Questions that are theirs on any day
// never come here.
func (t *turn) declineTicket() {
	t.answerLater(reasonDeskFull)
	t.ans.text = answer.BusyText
}

// dropState goes on without state: nothing was read and nothing will be kept. A
// question that stands for itself is answered all the same.
func (t *turn) dropState() {
	t.ans.contextStatus = "unavailable"
	if t.hold == nil {
		return
	}
	if t.req.dialogID == "" {
		t.req.dialogID = t.hold.ID() // nobody has it yet: the dialog begins when Redis is back
	}
	t.srv.store.Release(t.hold)
	t.hold = nil
}

// answerLater is for what can be said neither without state nor by a person: people
// are for those whom risk sends there.
func (t *turn) answerLater(reason string) {
	t.ans.tier, t.ans.source, t.ans.text = degrade.Static, "static", answer.LaterText
	t.ans.degraded, t.ans.degradeReason = true, reason
}

// model answers at tier llm: from the hot cache where that is allowed, else by
// asking.
func (t *turn) model(ctx context.Context) error {
	if t.pieces != nil && t.set.llmAPI == "chat" {
		if t.cached() {
			return nil
		}
		return t.streamFromModel(ctx)
	}
	if done, err := t.viaCache(ctx); done || err != nil {
		return err
	}
	return t.answerByModel(ctx)
}

// decideArticle is the article's way: the model, or the canned line.
func (t *turn) decideArticle(ctx context.Context) error {
	err := t.model(ctx)
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
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case f == model.FaultCancelled:
		return problemGone
	}
	return nil
}

// bucket places the dialog in 0 … 99, so that the live share on the way back
// is of dialogs, not of turns.
func (t *turn) bucket() int {
	h := fnv.New32a()
	id := t.req.dialogID
	if t.hold != nil {
		id = t.hold.ID()
	}
	h.Write([]byte(id))
	return int(h.Sum32() % 100)
}

// before are the turns of the dialog so far, where its state can be reached.
func (t *turn) before() []dialog.Record {
	if t.hold == nil {
		return nil
	}
	return t.hold.Turns()
}

// faq answers from templates and retrieval; false means that a person must.
func (t *turn) faq() bool {
	q := answer.Question{Text: t.clean, Intent: t.intent}
	turns := t.before()
	for i := range turns {
		q.Before = append(q.Before, dialog.StripMarks(turns[i].User))
	}
	r, ok := answer.ReplyTo(q, watchedFAQ{t.srv})
	if !ok {
		return false
	}
	t.ans.tier, t.ans.text, t.ans.source, t.ans.faqID, t.ans.suggestions = degrade.FAQ, r.Text, string(r.Source), r.FAQID, r.Suggestions
	return true
}

// handoff gives the question to a person.
func (t *turn) handoff(ctx context.Context, reason string) {
	t.openTicket(context.WithoutCancel(ctx), t.hold.ID(), false)
	t.ans.tier, t.ans.source, t.ans.text = degrade.Handoff, "handoff", answer.HandoffText
	if t.intent == answer.Safety {
		t.ans.text = answer.SafetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
}

// openTicket hands the question to people. They hear of it when the turn has
// been committed, so that a quick reply finds the turn it belongs to.
func (t *turn) openTicket(ctx context.Context, dialog string, local bool) {
	tk, stored := t.srv.desk.Open(ctx, desk.Question{Owner: t.who.Owner, Queue: t.intent.Queue(), DialogID: dialog, Text: t.clean, TraceID: t.tr.ID}, local)
	t.announce = func() { t.srv.desk.Announce(tk, stored) }
	t.ans.ticket = &ticketRef{id: tk.ID, queue: tk.Queue, eta: tk.ETA}
}

// static answers without reading anything.
func (t *turn) static(ctx context.Context, reason string) {
	dialog := t.req.dialogID
	t.openTicket(ctx, dialog, true)
	t.ans.tier, t.ans.source, t.ans.text = degrade.Static, "static", answer.StaticText
	if t.intent == answer.Safety {
		t.ans.text = answer.SafetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
	t.ans.contextStatus, t.ans.contextTurns = "unavailable", 0
	if dialog == "" && t.hold != nil {
		t.req.dialogID, t.ans.contextStatus = t.hold.ID(), "new"
	}
	t.srv.store.Release(t.hold)
	t.hold = nil
}

// watchedFAQ is the FAQ, if there is one, with its gauges.
type watchedFAQ struct{ srv *Server }

func (w watchedFAQ) Find(text string) (answer.Hit, error) {
	s := w.srv
	if s.faq == nil {
		s.watch.SawFAQ(time.Now(), true, false)
		return answer.Hit{}, answer.ErrNoFAQ
	}
	start := time.Now()
	hit, err := s.faq.Find(text)
	s.watch.SawFAQ(start, err != nil, time.Since(start) > faqSlow)
	return hit, err
}

func (w watchedFAQ) Topic(text string) string {
	if w.srv.faq == nil {
		return ""
	}
	return w.srv.faq.Topic(text)
}
