package answer

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// The fixed texts.
const (
	AskBackText = "请问您想咨询的是哪一类问题呢?可以告诉我具体的商品、订单或优惠。"
	AgainText   = "抱歉,我没有看懂。请再说一下您的问题,例如:"
	SuggestText = "我没有完全理解您的问题,您是不是想问:"
	StaticText  = "系统正在恢复中,您的问题已登记,客服会尽快联系您。"
	BusyText    = "现在人工客服的排队较长,这个问题暂时没有转给人工;请稍后再问一次,或换一种说法再试。"
	LaterText   = "这个问题需要结合之前的对话,系统正在恢复中,请稍后再问一次,或把问题完整地说一遍。"
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

// anaphora begins a question that leaves out its subject.
var anaphora = regexp.MustCompile(`^(那|还|这个|那个|它|这|那么|那还|然后|再|也|为什么|怎么|多久|几|什么时候|可以|能|要|会|有)`)

// pointing is a question that only points at what nobody here can see.
var pointing = regexp.MustCompile(`^(那|那么|还有|嗯|哦|然后)*[,， ]*(这|那|它|这个|那个|这款|那款|这种|那种|这张|那张|这件|那件)(呢|啊|呀|嘞|咧|捏)?[?？!！。~]*$`)

var orderNumber = regexp.MustCompile(`[0-9A-Za-z]{8,32}`)

// ReplyTo answers from templates and reviewed questions; ok is false when a
// person must.
func ReplyTo(q Question, f Finder) (r Reply, ok bool) {
	if q.Intent == ReadOrder {
		if orderNumber.MatchString(q.Text) {
			return Reply{Text: OrderNoText, Source: FromTemplate}, true
		}
		return Reply{Text: OrderText, Source: FromTemplate}, true
	}
	hit, known, err := find(q, f)
	switch {
	case err != nil:
		return Reply{}, false
	case !known:
		return Reply{Text: AskBackText, Source: FromTemplate}, true
	case hit.Entry != nil:
		return Reply{Text: hit.Entry.A, Source: FromFAQ, FAQID: hit.Entry.ID}, true
	case len(hit.Suggestions) > 0:
		return suggest(SuggestText, FromFAQ, hit.Suggestions), true
	}
	return Reply{}, false
}

// Again asks for the question once more, with what is asked every day.
func Again() Reply { return suggest(AgainText, FromTemplate, slices.Clone(everyday)) }

// everyday are questions of the FAQ, as it has them.
var everyday = []string{"优惠券怎么用", "怎么退货", "发货时间"}

func suggest(text string, from Source, questions []string) Reply {
	r := Reply{Text: text, Source: from, Suggestions: questions}
	for _, q := range questions {
		r.Text += "\n· " + q
	}
	return r
}

// Bare says whether a question means nothing without the turns before it.
func Bare(text string, f Finder) bool { return bare(text, f.Topic(text)) }

// find looks a question up. A bare follow-up ("还能用吗?") is completed with the
// subject of the turn before that names one, or of an earlier one where that
// gives an answer; known is false when none does.
func find(q Question, f Finder) (hit Hit, known bool, err error) {
	if pointing.MatchString(strings.TrimSpace(q.Text)) {
		return Hit{}, false, nil
	}
	if hit, ok, err := followUp(q, f); ok || err != nil {
		return hit, true, err
	}
	if !bare(q.Text, f.Topic(q.Text)) {
		hit, err = f.Find(q.Text)
		return hit, true, err
	}
	tried := map[string]bool{}
	for _, v := range slices.Backward(q.Before) {
		topic := f.Topic(v)
		if topic == "" || tried[topic] {
			continue
		}
		tried[topic] = true
		completed, err := f.Find(topic + q.Text)
		if err != nil {
			return Hit{}, false, err
		}
		if completed.Entry != nil {
			return completed, true, nil
		}
		if !known {
			hit, known = completed, true
		}
	}
	return hit, known, nil
}

// asks is what questions have, and mere subjects have not.
var asks = regexp.MustCompile(`怎么|哪|吗|多|几|什么|能|可以|如何|为`)

// followUp reads a short question as one about what was said before: 怎么取消 behind
// 付费会员多少钱 is no order. ok is false when that has no answer to it.
func followUp(q Question, f Finder) (hit Hit, ok bool, err error) {
	if utf8.RuneCountInString(normalise(q.Text)) > followUpLong {
		return Hit{}, false, nil
	}
	for _, v := range slices.Backward(q.Before) {
		topic := f.Topic(v)
		if topic != "" && utf8.RuneCountInString(normalise(v)) <= followUpLong && !asks.MatchString(v) { // 免密支付, then 怎么关
			if hit, err = f.Find(v + q.Text); err != nil || hit.Entry != nil {
				return hit, err == nil, err
			}
		}
		if topic == "" {
			continue
		}
		if own := f.Topic(q.Text); own != "" && own != topic && !anaphora.MatchString(strings.TrimSpace(q.Text)) {
			if hit, err = f.Find(q.Text); err != nil || hit.Entry != nil {
				return Hit{}, false, err // a subject of its own, and an answer
			}
		}
		hit, err = f.Find(topic + q.Text)
		return hit, hit.Entry != nil && hit.Entry.Topic == topic, err
	}
	return Hit{}, false, nil
}

const followUpLong = 6 // characters

// bare says whether a text leaves out what it is about ("还能用吗?").
func bare(text, topic string) bool {
	short := normalise(text)
	return topic == "" && utf8.RuneCountInString(short) <= 10 && anaphora.MatchString(strings.TrimSpace(text))
}
