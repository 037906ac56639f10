package answer

import (
	"regexp"
	"strings"
	"unicode"
)

// plain is a text as the rules see it: half-width, lower case, simplified, one
// word for one thing, without spaces.
func plain(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		if r = foldRune(r); !unicode.IsSpace(r) {
			b.WriteRune(r)
		} else if s := b.String(); s != "" && s[len(s)-1] < 0x80 {
			b.WriteByte(' ') // between English words
		}
	}
	text = spellings.Replace(b.String())
	if rest := greeting.ReplaceAllString(text, ""); rest != "" {
		return rest
	}
	return text
}

// greeting is what stands before the matter: its 吗 asks nothing.
var greeting = regexp.MustCompile(`^((在吗|在不在|在不|在么|你好|您好|亲亲|亲|哈喽|hello|hi|喂|哎|嗨|客服|请问|不好意思|麻烦问下|问下|那个)[,。!?~… ]*)+`)

// foldRune gives the simplified half-width lower-case form.
func foldRune(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		r -= 0xfee0
	}
	if s, ok := simplified[r]; ok {
		return s
	}
	return unicode.ToLower(r)
}

// simplified are the traditional characters, and misspellings of one, that
// customers of a shop use.
var simplified = pairs("訂订單单貨货錢钱還还沒没實实換换碼码號号電电話话發发收收費费運运優优惠惠購购務务處处寶宝煙烟麼么樣样訴诉退退錯错寫写門门裡里裏里邊边個个請请轉转內内網网買买賣卖價价開开關关會会員员選选擇择時时間间為为什什們们讓让給给過过進进這这幫帮壞坏應应該该對对點点機机線线帳账劵券嘅的係是咗了冇没唔不佢他啲些")

func pairs(s string) map[rune]rune {
	m := map[rune]rune{}
	runes := []rune(s)
	for i := 0; i+1 < len(runes); i += 2 {
		m[runes[i]] = runes[i+1]
	}
	return m
}

// spellings are other words and typos for the same.
var spellings = strings.NewReplacer(
	"肿么", "怎么", "咋样", "怎么样", "咋整", "怎么办", "咋办", "怎么办", "咋", "怎么", "怎样", "怎么", "如何", "怎么", "啥时候", "什么时候", "几时", "什么时候", "为啥", "为什么", "啥", "什么", "凭啥", "凭什么",
	"俺", "我", "滴", "的", "木有", "没有", "没得", "没有", "捏", "呢", "伐", "吗", "嘛", "吗", "表示", "表示", "快件", "快递", "邮费", "运费", "帐号", "账号", "优惠卷", "优惠券", "付钱", "付款", "付了钱", "付了款")
