package answer

import (
	_ "embed"
	"iter"
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
	if rest := ungreeted(text); rest != "" {
		return rest
	}
	return text
}

// greetings are what stands before the matter: their 吗 asks nothing. Of two that begin
// alike, the longer comes first.
var greetings = []string{"在吗", "在不在", "在不", "在么", "你好", "您好", "亲亲", "亲", "哈喽", "hello", "hi", "喂", "哎", "嗨", "客服", "请问", "不好意思", "麻烦问下", "问下", "那个"}

// ungreeted is a text behind its greetings.
func ungreeted(text string) string {
	for {
		rest := text
		for _, g := range greetings {
			if after, ok := strings.CutPrefix(text, g); ok {
				rest = strings.TrimLeft(after, ",。!?~… ")
				break
			}
		}
		if rest == text {
			return text
		}
		text = rest
	}
}

// foldRune gives the simplified half-width lower-case form.
func foldRune(r rune) rune {
	if r >= 0xff01 && r <= 0xff5e {
		r -= 0xfee0
	}
	if isHan(r) { // what most texts are made of
		return simplified.han[r-hanFirst]
	}
	if s, ok := simplified.others[r]; ok {
		return s
	}
	return unicode.ToLower(r)
}

//go:embed simplified.txt
var simplifiedText string

// simplified are traditional characters, and Cantonese ones and misspellings of one
// that customers of a shop use.
var simplified = pairs(simplifiedText + "\n帳账劵券嘅的係是咗了冇没唔不佢他啲些哋们嚟来喺在畀给俾给攞拿睇看")

// forms are what stands for characters.
type forms struct {
	han    [hanLast - hanFirst + 1]rune // itself, for most
	others map[rune]rune
}

func pairs(text string) *forms {
	f := &forms{others: map[rune]rune{}}
	for i := range f.han {
		f.han[i] = rune(hanFirst + i)
	}
	for line := range dataLines(text) {
		runes := []rune(line)
		for i := 0; i+1 < len(runes); i += 2 {
			if from, to := runes[i], runes[i+1]; isHan(from) {
				f.han[from-hanFirst] = to
			} else {
				f.others[from] = to
			}
		}
	}
	return f
}

// dataLines are the lines of an embedded list, without blank ones and comments.
func dataLines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			if line != "" && !strings.HasPrefix(line, "#") && !yield(line) {
				return
			}
		}
	}
}

// spellings are other words and typos for the same.
var spellings = newReplacer(
	"肿么", "怎么", "咋样", "怎么样", "咋整", "怎么办", "咋办", "怎么办", "咋", "怎么", "怎样", "怎么", "如何", "怎么", "啥时候", "什么时候", "几时", "什么时候", "为啥", "为什么", "啥", "什么", "凭啥", "凭什么",
	"俺", "我", "滴", "的", "木有", "没有", "没得", "没有", "捏", "呢", "伐", "吗", "嘛", "吗", "表示", "表示", "快件", "快递", "邮费", "运费", "帐号", "账号", "优惠卷", "优惠券", "付钱", "付款", "付了钱", "付了款")
