package load

import (
	"bytes"
	"unicode/utf8"
)

// longestCanned is how long a line may be that stands in for an answer: what is
// longer tells of a busy system as one who answers does.
const longestCanned = 240

// troubles are what is said of a system that cannot answer, by the rune they
// begin with; each needs a subject close before it.
var troubles = map[rune][]string{
	'繁': {"繁忙"}, '正': {"正忙"}, '忙': {"忙碌", "忙线", "忙不过来"}, '开': {"开小差"}, '走': {"走神"}, '异': {"异常"}, '不': {"不可用", "不稳定"},
	'故': {"故障"}, '拥': {"拥堵", "拥挤"}, '崩': {"崩溃"}, '无': {"无响应", "无法响应"}, '超': {"超时"}, '维': {"维护中"}, '暂': {"暂停服务"}, '出': {"出错", "出了点问题", "出现问题"},
}

var subjects = [...]string{"系统", "网络", "服务", "服务器", "线路", "通道", "后台", "客服", "助手", "机器人", "坐席", "人工", "小二"}

// excuses need no subject.
var excuses = map[rune][]string{
	'人': {"人数较多", "人数过多", "人数太多"}, '咨': {"咨询量较大", "咨询量过大", "咨询人数", "咨询的人较多"}, '排': {"排队中", "排队等候", "排队等待"}, '正': {"正在排队"},
	'稍': {"稍后再试", "稍后重试", "稍后再来", "稍候再试", "稍候重试"}, '重': {"重试一下", "重试一次"}, '再': {"再试一次"}, '请': {"请重试", "请您重试"}, '开': {"开小差了"},
}

// suspects are the runes that a trouble or an excuse begins with: few answers have
// one, and a map costs more than all the rest.
var suspects = func() (set [1 << 16 / 64]uint64) {
	for _, words := range []map[rune][]string{troubles, excuses} {
		for r := range words {
			set[r/64] |= 1 << (r % 64)
		}
	}
	return set
}()

// sorries are the English like of both, in lower case.
var sorries = [...]string{
	"try again later", "try again in a", "try again shortly", "please try again", "please retry", "temporarily unavailable", "currently unavailable", "service unavailable",
	"is unavailable", "are unavailable", "am unavailable", "is busy", "are busy", "am busy", "very busy", "currently busy", "high volume", "high demand", "heavy traffic",
	"overloaded", "something went wrong", "internal error", "error occurred", "in the queue",
}

// standsIn tells whether an answer is of the kind that servers give when they
// have none: busy, broken, crowded, later.
func standsIn(answer []byte) bool {
	if len(answer) > longestCanned || len(answer) == 0 {
		return false
	}
	if answer[0] < utf8.RuneSelf && sorry(answer) {
		return true
	}
	for i := 0; i+3 <= len(answer); {
		lead := answer[i]
		if lead < 0xe4 || lead > 0xe9 { // not what 汉字 begin with
			i++
			continue
		}
		const n = 3
		r := rune(lead&0xf)<<12 | rune(answer[i+1]&0x3f)<<6 | rune(answer[i+2]&0x3f)
		if suspects[r/64]&(1<<(r%64)) == 0 {
			i += n
			continue
		}
		if begins(answer[i:], excuses[r]) > 0 {
			return true
		}
		if length := begins(answer[i:], troubles[r]); length > 0 && subjectIn(answer[max(0, i-30):i]) && !when(answer[i+length:]) {
			return true
		}
		i += n
	}
	return false
}

// begins gives the length of the word that text begins with, 0 for none.
func begins(text []byte, words []string) int {
	for _, w := range words {
		if len(text) >= len(w) && string(text[:len(w)]) == w {
			return len(w)
		}
	}
	return 0
}

func subjectIn(text []byte) bool {
	for _, s := range subjects {
		if bytes.Contains(text, []byte(s)) {
			return true
		}
	}
	return false
}

// when tells whether what follows makes a condition of it: "when the system is
// busy" is advice.
func when(rest []byte) bool {
	return bytes.HasPrefix(rest, []byte("时")) || bytes.HasPrefix(rest, []byte("的"))
}

func sorry(answer []byte) bool {
	var buffer [longestCanned]byte
	lower := buffer[:len(answer)]
	for i, b := range answer {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	for _, s := range sorries {
		if bytes.Contains(lower, []byte(s)) {
			return true
		}
	}
	return false
}
