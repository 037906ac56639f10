package answer

import "regexp"

// The fixed texts.
const (
	AskBackText = "请问您想咨询的是哪一类问题呢?可以告诉我具体的商品、订单或优惠。"
	SuggestText = "我没有完全理解您的问题,您是不是想问:"
	StaticText  = "系统正在恢复中,您的问题已登记,客服会尽快联系您。"
	HandoffText = "已为您转接人工客服,请稍候,客服会尽快回复您。"
	SafetyText  = "您的安全最重要,请先离开危险;如有紧急情况请立即拨打 110 或 120。已为您优先转接人工客服。"
	OrderText   = "您可以在「我的订单」中查看该订单的最新状态和物流信息;如果超过承诺时间没有更新,我可以为您转接人工客服。"
	OrderNoText = "您咨询的订单可以在「我的订单」中输入订单号查看最新状态和物流信息;如果超过承诺时间没有更新,我可以为您转接人工客服。"
)

// Source is where a reply comes from.
type Source string

// The sources.
const (
	FromTemplate Source = "template"
	FromFAQ      Source = "faq"
)

// Question is a message without marks, what it is about, and what the same
// user said before it, oldest first.
type Question struct {
	Text   string
	Intent Intent
	Before []string
}

// Reply is an answer that needs no model.
type Reply struct {
	Text        string
	Source      Source
	FAQID       string
	Suggestions []string
}

// Finder is where reviewed answers are looked up.
type Finder interface {
	Find(text string) (Hit, error)
	Topic(text string) string
}

var orderNumber = regexp.MustCompile(`[0-9A-Za-z]{8,32}`)

// Reply answers from templates and reviewed questions; ok is false when a
// person must.
func (in *Intents) Reply(q Question, f Finder) (r Reply, ok bool) {
	if q.Intent == ReadOrder {
		if orderNumber.MatchString(q.Text) {
			return Reply{Text: OrderNoText, Source: FromTemplate}, true
		}
		return Reply{Text: OrderText, Source: FromTemplate}, true
	}
	text, known := in.complete(q, f)
	if !known {
		return Reply{Text: AskBackText, Source: FromTemplate}, true
	}
	hit, err := f.Find(text)
	switch {
	case err != nil:
		return Reply{}, false
	case hit.Entry != nil:
		return Reply{Text: hit.Entry.A, Source: FromFAQ, FAQID: hit.Entry.ID}, true
	case len(hit.Suggestions) > 0:
		r = Reply{Text: SuggestText, Source: FromFAQ, Suggestions: hit.Suggestions}
		for _, s := range hit.Suggestions {
			r.Text += "\n· " + s
		}
		return r, true
	}
	return Reply{}, false
}

// complete puts the subject of the latest message that names one before a bare
// follow-up ("还能用吗?"); known is false when there is none.
func (in *Intents) complete(q Question, f Finder) (text string, known bool) {
	if !in.bare(q.Text, f.Topic(q.Text)) {
		return q.Text, true
	}
	for i := len(q.Before) - 1; i >= 0; i-- {
		if topic := f.Topic(q.Before[i]); topic != "" {
			return topic + q.Text, true
		}
	}
	return q.Text, false
}
