package refserver

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"time"
)

// faqWarm is the share of turns at tier llm that look into the FAQ as well, so
// that it is warm, and known to work, when it is needed.
const faqWarm = 0.01

const (
	askBackText  = "请问您想咨询的是哪一类问题呢?可以告诉我具体的商品、订单或优惠。"
	suggestText  = "我没有完全理解您的问题,您是不是想问:"
	staticText   = "系统正在恢复中,您的问题已登记,客服会尽快联系您。"
	handoffText  = "已为您转接人工客服,请稍候,客服会尽快回复您。"
	safetyText   = "您的安全最重要,请先离开危险;如有紧急情况请立即拨打 110 或 120。已为您优先转接人工客服。"
	orderText    = "您可以在「我的订单」中查看该订单的最新状态和物流信息;如果超过承诺时间没有更新,我可以为您转接人工客服。"
	orderNoText  = "您咨询的订单可以在「我的订单」中输入订单号查看最新状态和物流信息;如果超过承诺时间没有更新,我可以为您转接人工客服。"
	reasonTier   = "tier"
	reasonState  = "redis_down"
	reasonCanned = "canned"
)

// decide finds the answer: by intent and by the tier that the server stands
// at. Errors are *problem.
func (t *turn) decide(ctx context.Context) error {
	if !t.set.tiers {
		return t.decideArticle(ctx)
	}
	w := t.srv.watch
	t.intent = t.srv.intents.of(t.clean)
	floor := w.at().serves(t.bucket())
	if t.hold == nil || floor == TierStatic {
		t.static(ctx, reasonState)
		return nil
	}
	if t.intent.human() {
		t.handoff(ctx, "")
		t.ans.degraded = false // people answer this on a good day, too
		return nil
	}
	reason := reasonTier
	if floor == TierLLM {
		if rand.Float64() < faqWarm {
			_, _ = t.srv.lookup(t.clean) // nobody sees it; the gauges do
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
		w.offer(func() []byte { return t.srv.model.body(t.prompt()) })
	}
	if floor <= TierFAQ && t.faq() {
		t.ans.degraded, t.ans.degradeReason = true, reason
		return nil
	}
	t.handoff(ctx, reason)
	return nil
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
	t.ans.text, t.ans.source, t.ans.tier = cannedLine, "static", TierStatic
	t.ans.degraded, t.ans.degradeReason = true, reasonCanned
	return nil
}

// stop is what ends a turn without an answer of a lower tier: the caller left,
// or a stream broke off in the middle.
func stop(err error, f fault) error {
	var p *problem
	switch {
	case errors.As(err, &p):
		return p
	case f == faultCancelled:
		return problemGone
	}
	return nil
}

// bucket places the dialog in 0 … 99, so that the live share on the way back
// is of dialogs, not of turns.
func (t *turn) bucket() int {
	h := fnv.New32a()
	if t.hold != nil {
		h.Write([]byte(t.hold.id))
	}
	return int(h.Sum32() % 100)
}

var orderNumber = regexp.MustCompile(`[0-9A-Za-z]{8,32}`)

// faq answers from templates and retrieval; false means that a person must.
func (t *turn) faq() bool {
	t.ans.tier = TierFAQ
	if t.intent == intentReadOrder {
		t.ans.text, t.ans.source = orderText, "template"
		if orderNumber.MatchString(t.clean) {
			t.ans.text = orderNoText
		}
		return true
	}
	text, known := t.rewritten()
	if !known {
		t.ans.text, t.ans.source = askBackText, "template"
		return true
	}
	hit, err := t.srv.lookup(text)
	if err != nil {
		return false
	}
	switch {
	case hit.entry != nil:
		t.ans.text, t.ans.source, t.ans.faqID = hit.entry.A, "faq", hit.entry.ID
	case len(hit.suggestions) > 0:
		t.ans.text, t.ans.source, t.ans.suggestions = suggestText, "faq", hit.suggestions
		for _, s := range hit.suggestions {
			t.ans.text += "\n· " + s
		}
	default:
		return false
	}
	return true
}

// rewritten completes a bare follow-up ("还能用吗?") with the subject of the
// latest turn that names one; known is false when there is none.
func (t *turn) rewritten() (text string, known bool) {
	in, f := t.srv.intents, t.srv.faq
	if f == nil || !in.bare(t.clean, f.topic(t.clean)) {
		return t.clean, true
	}
	for i := len(t.hold.turns) - 1; i >= 0; i-- {
		if topic := f.topic(stripMarks(t.hold.turns[i].user)); topic != "" {
			return topic + t.clean, true
		}
	}
	return t.clean, false
}

// handoff gives the question to a person.
func (t *turn) handoff(ctx context.Context, reason string) {
	t.openTicket(context.WithoutCancel(ctx), t.hold.id, false)
	t.ans.tier, t.ans.source, t.ans.text = TierHandoff, "handoff", handoffText
	if t.intent == intentSafety {
		t.ans.text = safetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
}

// openTicket hands the question to people. They hear of it when the turn has
// been committed, so that a quick reply finds the turn it belongs to.
func (t *turn) openTicket(ctx context.Context, dialog string, local bool) {
	tk, stored := t.srv.tickets.open(ctx, t.who, t.intent.queue(), dialog, t.clean, t.tr.id, local)
	t.announce = func() { t.srv.agents.announce(tk, stored) }
	t.ans.ticket = &ticketRef{id: tk.ID, queue: tk.Queue, eta: tk.ETA}
}

// static answers without reading anything.
func (t *turn) static(ctx context.Context, reason string) {
	dialog := t.req.dialogID
	t.openTicket(ctx, dialog, true)
	t.ans.tier, t.ans.source, t.ans.text = TierStatic, "static", staticText
	if t.intent == intentSafety {
		t.ans.text = safetyText
	}
	t.ans.degraded, t.ans.degradeReason = true, reason
	t.ans.contextStatus, t.ans.contextTurns = "unavailable", 0
	if dialog == "" && t.hold != nil {
		t.req.dialogID, t.ans.contextStatus = t.hold.id, "new"
	}
	t.srv.store.release(t.hold)
	t.hold = nil
}

// lookup is the FAQ with its gauges.
func (s *Server) lookup(text string) (faqHit, error) {
	if s.faq == nil {
		s.watch.faq.add(time.Now(), true, false)
		return faqHit{}, errFAQ
	}
	hit, took, err := s.faq.timedFind(text)
	s.watch.faq.add(time.Now(), err != nil, took > faqSlow)
	return hit, err
}
