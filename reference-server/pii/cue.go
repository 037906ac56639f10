package pii

// cue is what the words before a number announce.
type cue uint8

const (
	cueNone  cue = iota
	cueOrder     // a number of a thing: not personal
	cuePhone
	cueDesk // a phone on a desk: it may lack its area code
	cueID
	cueCard
)

// cues by word; of several before a number, the nearest decides: 订单手机号 is a
// phone number, 手机订单号 is an order.
var cues = map[string]cue{
	"订单": cueOrder, "单号": cueOrder, "运单": cueOrder, "编号": cueOrder, "流水": cueOrder, "交易": cueOrder, "批号": cueOrder, "券码": cueOrder, "换码": cueOrder,
	"卡密": cueOrder, "列号": cueOrder, "条码": cueOrder, "形码": cueOrder, "货号": cueOrder, "型号": cueOrder, "编码": cueOrder, "税号": cueOrder, "信用代码": cueOrder,
	"礼品卡号": cueOrder, "购物卡号": cueOrder, "会员卡号": cueOrder, "储值卡号": cueOrder, "充值卡号": cueOrder, "游戏卡号": cueOrder, "加油卡号": cueOrder,
	"房间号": cueOrder, "直播间": cueOrder, "群": cueOrder, "礼品卡": cueOrder, "购物卡": cueOrder, "会员卡": cueOrder,
	"手机": cuePhone, "电话": cueDesk, "電話": cueDesk, "致电": cuePhone, "拨打": cuePhone, "回拨": cuePhone, "号码": cuePhone, "微信": cuePhone, "联系": cuePhone,
	"座机": cueDesk, "固话": cueDesk, "传真": cueDesk,
	"身份证": cueID, "身份證": cueID, "证件": cueID,
	"卡号": cueCard, "银行卡": cueCard, "信用卡": cueCard, "储蓄卡": cueCard, "账号": cueCard, "账户": cueCard, "银行": cueCard, "退到": cueCard, "退回": cueCard, "打到": cueCard, "转到": cueCard, "汇到": cueCard, "收款": cueCard,
	"visa": cueCard, "amex": cueCard,
}

// cueReach is how many characters may stand between a cue and its number.
const cueReach = 5

var cueLengths = [...]int{4, 3, 2, 1}

// cueBefore is the nearest cue before i.
func cueBefore(runes []rune, i int) cue {
	for end := i; end > 0 && i-end <= cueReach; end-- {
		if isDigit(runes[end-1]) || runes[end-1] >= blank && runes[end-1] < blank+rune(NumKinds) {
			return cueNone // what stands before another number is about that
		}
		for _, n := range cueLengths {
			if n > end {
				continue
			}
			if c, ok := cues[string(runes[end-n:end])]; ok {
				return c
			}
		}
	}
	return cueNone
}

// contactWords may stand right before or behind a number: vx138….
var contactWords = map[string]bool{
	"v": true, "vx": true, "wx": true, "wechat": true, "weixin": true, "tel": true, "phone": true, "mobile": true, "mob": true, "call": true, "no": true,
	"id": true, "card": true, "cell": true, "sms": true, "whatsapp": true, "ok": true, "qq": true, "hp": true, "m": true, "ph": true, "num": true, "visa": true, "amex": true, "mastercard": true, "unionpay": true, "contact": true, "thx": true, "thanks": true,
}
