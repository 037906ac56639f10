// Package answer is what the server can say without a model: it tells what a
// message is about, finds reviewed answers and has the fixed texts.
package answer

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Intent is what a message is about, as far as the choice of a tier needs it.
type Intent uint8

// The intents, in the order of their risk.
const (
	Info        Intent = iota // rules and facts that are the same for everybody
	ReadOrder                 // where is my order
	ChangeOrder               // change, cancel: a human
	Complaint                 // a human
	Payment                   // money went wrong: a human
	Safety                    // a human, first of all
	Human                     // asked for one

	NumIntents // how many there are
)

var intentNames = [NumIntents]string{"info", "read_order", "change_order", "complaint", "payment", "safety", "human"}

// String is the intent's name in metrics and tickets.
func (i Intent) String() string { return intentNames[i] }

// Human says whether the intent goes to a person in every tier.
func (i Intent) Human() bool { return i >= ChangeOrder }

// Queue is where tickets of this intent wait.
func (i Intent) Queue() string {
	switch i {
	case Safety:
		return "safety"
	case Payment:
		return "payment"
	case Complaint:
		return "complaint"
	case ChangeOrder, ReadOrder:
		return "order"
	}
	return "general"
}

// intentRule is a set of words; the first rule that matches decides, so the
// riskier ones come first.
type intentRule struct {
	intent Intent
	marks  string // every match of words has one of these characters
	words  *regexp.Regexp
	unless *regexp.Regexp // asking how is not asking to
}

// Intents classifies by rules. Safe for concurrent use.
type Intents struct {
	rules    []intentRule
	anaphora *regexp.Regexp
	marks    map[rune]uint8 // which rules a character may belong to: most messages need no regexp at all
}

// NewIntents makes the classifier.
func NewIntents() *Intents {
	re := regexp.MustCompile
	how := re(`怎么|如何|几点|多久|什么时候|可以.{0,6}吗|能.{0,6}吗|规则|流程|会退|还能`)
	in := &Intents{
		marks: map[rune]uint8{},
		rules: []intentRule{
			{Safety, "杀残死活警毒伤电火炸敏", re(`自杀|自残|想死|不想活|报警|中毒|受伤|触电|着火|起火|爆炸|漏电|过敏`), nil},
			{Human, "工真", re(`转人工|人工客服|人工服务|找人工|要人工|真人`), re(`几点|上班|工作时间|在线时间`)},
			{Payment, "刷扣款付", re(`盗刷|重复扣|多扣|扣了.{0,4}(两|2)次|扣款.{0,6}(失败|没|未)|付款.{0,4}失败|支付.{0,4}失败|退款.{0,8}(没到|未到|没收到|不到账)|乱扣`), nil},
			{Complaint, "诉举1消曝律骗欺垃差假", re(`投诉|举报|12315|消协|曝光|起诉|律师|骗子|欺诈|垃圾|太差|假一赔`), re(`正品吗`)},
			{ChangeOrder, "消改更换拦合", re(`取消订单|取消.{0,4}订单|(修改|改一?下?|更改|换个?).{0,4}(收货)?(地址|电话|收件人)|修改订单|改订单|拦截.{0,4}(快递|包裹)|合并订单`), how},
			{ReadOrder, "单裹递流到发查", re(`(我的)?(订单|包裹|快递|物流).{0,12}(到哪|在哪|状态|查询|查一下|进度|信息)|查.{0,4}(订单|物流|快递|包裹)|到哪(里|儿)?了|发货了(吗|没)|(我的|这个)订单.{0,8}(发货|什么时候|多久)`), re(`怎么查|哪里查|如何查`)},
		},
		anaphora: re(`^(那|还|这个|那个|它|这|那么|那还|然后|再|也|为什么|多久|什么时候|可以|能|要)`),
	}
	for i, r := range in.rules {
		for _, c := range r.marks {
			in.marks[c] |= 1 << i
		}
	}
	return in
}

// Of classifies a text without marks.
func (in *Intents) Of(text string) Intent {
	var may uint8
	for _, c := range text {
		if c >= '0' {
			may |= in.marks[c]
		}
	}
	for i, r := range in.rules {
		if may&(1<<i) == 0 {
			continue
		}
		if r.words.MatchString(text) && (r.unless == nil || !r.unless.MatchString(text)) {
			return r.intent
		}
	}
	return Info
}

// bare says whether a text leaves out what it is about ("还能用吗?").
func (in *Intents) bare(text, topic string) bool {
	short := normalise(text)
	return topic == "" && utf8.RuneCountInString(short) <= 10 && in.anaphora.MatchString(strings.TrimSpace(text))
}
