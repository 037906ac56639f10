// Package pii finds and masks personal data of mainland China in what customers
// and models write: phone numbers, ids, cards, mail addresses, plates and names.
package pii

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind is a kind of personal data.
type Kind uint8

// The kinds.
const (
	Mobile Kind = iota
	Landline
	ResidentID
	BankCard
	Email
	Plate
	Name

	NumKinds // how many there are
)

var kindNames = [NumKinds]string{"mobile", "landline", "resident_id", "bank_card", "email", "plate", "name"}

// String is the kind's name in logs and metrics.
func (k Kind) String() string { return kindNames[k] }

// Found counts what was masked, by kind: all that ever leaves this package
// about a value.
type Found [NumKinds]int

// Total is the number of values that were masked.
func (f Found) Total() int {
	n := 0
	for _, c := range f {
		n += c
	}
	return n
}

// Masker replaces personal data of mainland China by asterisks. Structured
// numbers are recognised by form and check digits after folding full-width
// digits and separators; names only behind words that announce one, since
// surnames alone would destroy 包邮, 费用, 单号 and 金额. Safe for concurrent use.
type Masker struct {
	email *regexp.Regexp
	plate *regexp.Regexp
	name  *regexp.Regexp
}

const (
	surnames       = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
	doubleSurnames = "欧阳|上官|司马|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|长孙|宇文|端木|轩辕"
	platePlaces    = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
)

// New makes a masker.
func New() *Masker {
	return &Masker{
		email: regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}`),
		plate: regexp.MustCompile(`[` + platePlaces + `][A-HJ-NP-Z][·\s-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]`),
		name:  regexp.MustCompile(`(?:我叫|名字叫|名字是|姓名[::\s是]{0,2}|(?:收件|收货|联系|持卡|户主|付款)人(?:姓名)?[::\s是叫]{0,2})((?:` + doubleSurnames + `)\p{Han}{1,2}|[` + surnames + `]\p{Han}{1,2})`),
	}
}

type span struct {
	from, to int // bytes
	kind     Kind
}

// Mask returns text with personal data replaced, and what was found. Text
// without any comes back as it is. Nothing is recognised across the end of a
// segment, so masking segments one by one gives the same.
func (m *Masker) Mask(text string) (string, Found) {
	var found Found
	if survey(text) == (hints{}) {
		return text, found
	}
	var b strings.Builder
	for text != "" {
		n := segment(text)
		masked, f := m.maskSegment(text[:n])
		b.WriteString(masked)
		for kind, c := range f {
			found[kind] += c
		}
		text = text[n:]
	}
	return b.String(), found
}

// endsSegment are the characters after which nothing of a value can follow.
func endsSegment(r rune) bool {
	switch r {
	case '\n', ',', '，', '。', '!', '！', '?', '？', ';', '；', '、':
		return true
	}
	return false
}

// segment is the length of the first segment, its end included.
func segment(text string) int {
	for i, r := range text {
		if endsSegment(r) {
			return i + utf8.RuneLen(r)
		}
	}
	return len(text)
}

// segmentEnd is where the last whole segment of a text that goes on ends; 0
// when there is none yet.
func segmentEnd(text string) int {
	i := strings.LastIndexFunc(text, endsSegment)
	if i < 0 {
		return 0
	}
	_, n := utf8.DecodeRuneInString(text[i:])
	return i + n
}

func (m *Masker) maskSegment(text string) (string, Found) {
	var found Found
	h := survey(text)
	if h == (hints{}) {
		return text, found
	}
	var spans []span
	if h.numbers {
		spans = numbers(text)
	}
	if h.plate {
		for _, s := range m.plate.FindAllStringIndex(text, 16) {
			if strings.ContainsAny(text[s[0]:s[1]], "0123456789") {
				spans = append(spans, span{s[0], s[1], Plate})
			}
		}
	}
	if h.at {
		for _, s := range m.email.FindAllStringIndex(text, 64) {
			spans = append(spans, span{s[0], s[1], Email})
		}
	}
	if h.name {
		for _, s := range m.name.FindAllStringSubmatchIndex(text, 64) {
			spans = append(spans, span{s[2], nameEnd(text, s[2], s[3]), Name})
		}
	}
	if len(spans) == 0 {
		return text, found
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	var b strings.Builder
	last := 0
	for _, s := range spans {
		if s.from < last {
			continue
		}
		b.WriteString(text[last:s.from])
		for range utf8.RuneCountInString(text[s.from:s.to]) {
			b.WriteByte('*')
		}
		found[s.kind]++
		last = s.to
	}
	b.WriteString(text[last:])
	return b.String(), found
}

// hints are what one look at a text tells about what may be in it.
type hints struct {
	numbers, plate, at, name bool
}

func survey(text string) hints {
	var h hints
	n := 0
	var last rune
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9', r >= '０' && r <= '９':
			n++
		case r == '@':
			h.at = true
		case r >= 'A' && r <= 'Z' && last >= 0x4e00 && last <= 0x9fff:
			h.plate = true
		case r == '名', r == '人', r == '叫' && last == '我':
			h.name = true
		}
		last = r
	}
	h.numbers = n >= 10
	return h
}

// nameEnd takes back a last character that belongs to what follows: 电 of 电话.
func nameEnd(text string, from, to int) int {
	_, n := utf8.DecodeLastRuneInString(text[from:to])
	if utf8.RuneCountInString(text[from:to]) > 2 && strings.ContainsAny(text[to-n:to], "电手地住收的和在请号") {
		return to - n
	}
	return to
}

// digitGroup is a run of digits without separators.
type digitGroup struct {
	from, to int // bytes
	digits   string
	joined   bool // one separator away from the group before
}

// numbers finds phone numbers, ids and cards, also in groups (138 1234 5678).
func numbers(text string) []span {
	groups := digitGroups(text)
	var spans []span
	for i := 0; i < len(groups); {
		kind, used := Kind(0), 0
		digits, end := "", 0
		for j := i; j < len(groups) && j < i+6; j++ {
			if j > i && !groups[j].joined {
				break
			}
			digits += groups[j].digits
			if len(digits) > 19 {
				break
			}
			if k, to, ok := classifyNumber(text, groups[i].from, groups[j].to, digits, j > i); ok {
				kind, used, end = k, j-i+1, to
			}
		}
		if used == 0 {
			i++
			continue
		}
		spans = append(spans, span{groups[i].from, end, kind})
		i += used
	}
	return spans
}

func digitGroups(text string) []digitGroup {
	var groups []digitGroup
	var digits []byte
	from, gap := -1, 9
	flush := func(to int) {
		if from >= 0 {
			groups = append(groups, digitGroup{from, to, string(digits), gap == 1 && len(groups) > 0})
			from, digits, gap = -1, nil, 0
		}
	}
	for i, r := range text {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		if r >= '0' && r <= '9' {
			if from < 0 {
				from = i
			}
			digits = append(digits, byte(r))
			continue
		}
		flush(i)
		if r == ' ' || r == '-' || r == '.' || r == '·' || r == 0x3000 || r == '－' {
			gap++
		} else {
			gap = 9
		}
	}
	flush(len(text))
	return groups
}

// classifyNumber judges a run of digits between two bytes of text. to may reach
// past the run, over the X of a resident id.
func classifyNumber(text string, from, to int, digits string, grouped bool) (Kind, int, bool) {
	before, after := text[:from], text[to:]
	if letterBefore(before) {
		return 0, 0, false
	}
	n := len(digits)
	if n == 17 && !grouped && len(after) > 0 && (after[0] == 'X' || after[0] == 'x') && residentID(digits+"X") {
		return ResidentID, to + 1, true
	}
	if letterAfter(after) {
		return 0, 0, false
	}
	switch {
	case n == 18 && residentID(digits):
		return ResidentID, to, true
	case n == 11 && mobile(digits), n == 13 && digits[:2] == "86" && mobile(digits[2:]):
		return Mobile, to, !orderBefore(before)
	case n >= 10 && n <= 12 && landline(digits) && (grouped || phoneBefore(before)):
		return Landline, to, true
	case n >= 16 && n <= 19 && cardIssuer(digits) && luhn(digits):
		return BankCard, to, !orderBefore(before)
	}
	return 0, 0, false
}

func letterBefore(s string) bool {
	return s != "" && (s[len(s)-1]|0x20 >= 'a' && s[len(s)-1]|0x20 <= 'z')
}

func letterAfter(s string) bool { return s != "" && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') }

// orderBefore says whether the words right before announce an order number.
func orderBefore(s string) bool {
	return cueBefore(s, "单号", "订单", "运单", "编号", "流水")
}

func phoneBefore(s string) bool {
	return cueBefore(s, "电话", "座机", "传真", "致电", "热线")
}

func cueBefore(s string, cues ...string) bool {
	s = s[max(0, len(s)-24):]
	for _, c := range cues {
		if i := strings.LastIndex(s, c); i >= 0 && utf8.RuneCountInString(s[i+len(c):]) <= 4 {
			return true
		}
	}
	return false
}

func mobile(d string) bool { return d[0] == '1' && d[1] >= '3' }

// landline: area codes are 010, 02x or 0[3-9]xx, local numbers have 7 or 8
// digits and begin with 2 to 8.
func landline(d string) bool {
	if d[0] != '0' || d[1] == '0' {
		return false
	}
	area := 4
	if d[1] == '1' || d[1] == '2' {
		area = 3
	}
	local := d[area:]
	return (len(local) == 7 || len(local) == 8) && local[0] >= '2' && local[0] <= '8'
}

// residentID checks GB 11643: date of birth and ISO 7064 MOD 11-2.
func residentID(d string) bool {
	month, day := int(d[10]-'0')*10+int(d[11]-'0'), int(d[12]-'0')*10+int(d[13]-'0')
	if d[0] == '0' || d[0] == '9' || d[6:8] != "19" && d[6:8] != "20" || month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	sum := 0
	for i, w := range [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(d[i]-'0') * w
	}
	return "10X98765432"[sum%11] == d[17]
}

// cardIssuer knows the leading digits of cards issued or used here.
func cardIssuer(d string) bool {
	return d[:2] == "62" || d[0] == '4' || d[0] == '5' && d[1] >= '1' && d[1] <= '5' || d[:2] == "35" || d[:2] == "37" || d[:2] == "60" || d[:2] == "95"
}

func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}
