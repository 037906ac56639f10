package load

import (
	"bytes"
	"unicode/utf8"
)

// longestCanned is how long a line may be that stands in for an answer: what is
// longer tells of a busy system as one who answers does.
const longestCanned = 240

// cue is what words say of a line. A line stands in for an answer that has an
// excuse; or a trouble of the service's own, said in one clause with whose it is or
// with a word on when to come again; or a crowd of those who ask, with such a word.
// In a clause that makes a condition of it, nothing counts: it is advice.
type cue uint8

const (
	excuse cue = 1 << iota
	trouble
	owner // whose trouble it is: the service's, not the customer's
	crowd
	askers // whose crowd it is
	later
	condition
)

// cues are the words, by what they say. Letters are in lower case and begin a word.
var cues = map[cue][]string{
	excuse: {
		"人数较多", "人数过多", "人数太多", "咨询量较大", "咨询量过大", "咨询量有点大", "咨询人数", "咨询的人较多", "咨询的人太多", "排队中", "排队等候", "排队等待", "正在排队", "排队人数", "当前排队",
		"排在第", "前面还有", "进入队列", "预计等待", "正在为您转接", "忙不过来", "稍后再试", "稍后重试", "稍后再来", "稍后再拨", "稍后再问", "稍候再试", "稍候重试", "稍后回复", "稍后联系", "待会儿再问", "过会儿再问", "明天再来找",
		"请重试", "请您重试", "点击重试", "开小差", "正在抢修", "无法为您服务", "无法提供服务", "无法回答", "不能回答", "回答不了", "无法处理您的请求", "联系不上", "不在服务时间", "不在工作时间", "非工作时间", "请您留言", "请留言",
		"重新提问", "重新生成", "重新发起咨询", "没听清", "再说一遍", "再发一次", "接待其他", "接待别的", "暂停服务", "暂不可用", "内部错误", "未知错误", "请求超时", "挤不进去", "挤爆",
		"try again later", "try again in a", "try again shortly", "please try later", "please retry", "try me again", "could you try again", "give it another try", "temporarily unavailable", "currently unavailable",
		"service unavailable", "something went wrong", "something's not right", "didn't work", "internal error", "internal server error", "error occurred", "error has occurred", "in the queue", "in a queue", "wait time is", "wait time:", "bad gateway",
		"gateway timeout", "too many requests", "rate limit", "request timed out", "upstream ", "please come back", "come back later", "come back soon", "check back soon", "bear with us", "stand by", "hang tight", "be with you shortly",
		"call back later", "please hold", "ask me again", "can you repeat", "not reachable", "at capacity", "out of order", "technical difficult", "timeout while", "failed to load", "failed to generate", "experiencing high", "experiencing higher", "due to high", "due to unusually high",
		"get back to you as soon", "backlog of",
	},
	trouble: {
		"繁忙", "正忙", "忙碌", "忙线", "全忙", "很忙", "有点忙", "较忙", "忙，", "忙,", "走神", "走丢", "异常", "不可用", "不稳定", "不给力", "故障", "拥堵", "拥挤", "崩溃", "崩了", "无响应", "无法响应", "超时", "维护中", "正在维护", "升级中", "正在升级", "升级维护",
		"出错", "出了点", "出了些", "出现问题", "有点问题", "出现错误", "出现异常", "累了", "有点累", "有点晕", "短路", "掉线", "离线", "不在线", "离开了", "失败", "连接不上", "无法连接", "无法获取", "限流", "降级中", "扩容", "频繁", "暂时无法", "暂时不能",
		"busy", "unavailable", "offline", "down", "overload", "overwhelmed", "swamped", "not respond", "isn't respond", "trouble", "error", "failed", "could not", "couldn't", "can't answer", "cannot answer", "unable to", "timed out", "too long",
		"heavy traffic", "lot of requests", "degraded", "not available", "no agents", "maintenance", "closed now", "away right now", "distracted", "a snag", "unexpected issue", "issue on our",
		"an issue", "bad day", "taking a nap", "engaged", "disabled", "lost", "quickly", "not able to", "surge",
	},
	owner: {
		"系统", "网络", "服务", "线路", "通道", "后台", "后端", "接口", "客服", "助手", "助理", "机器人", "坐席", "人工", "小二", "小蜜", "小助", "模型", "咨询", "操作", "我", "人家", "数据加载", "程序",
		"we", "we're", "we've", "i ", "i'm", "our", "service", "system", "server", "servers", "assistant", "agents", "agent", "chat", "chatbot", "bot", "model", "backend", "feature", "lines", "ai", "network", "connection", "messages", "there was", "your request", "a response",
	},
	crowd:     {"火爆", "过大", "太大", "过多", "太多", "较多", "较大", "有点多", "比较多", "有些多", "高峰", "lots of", "a lot of", "volume", "demand"},
	askers:    {"咨询", "访问", "使用人数", "流量", "排队", "请求", "people are asking", "requests", "responses", "chat"},
	later:     {"稍后", "稍候", "稍等", "待会", "过会", "耐心等待", "耐心等候", "谅解", "见谅", "再来", "再试", "再问", "重试", "刷新", "休息一下", "later", "please try again", "shortly", "in a moment", "in a minute", "soon", "a while", "refresh", "retry", "contact support", "delayed"},
	condition: {"如果", "若", "遇到", "万一", "的话", "建议", "时您", "时下单", "时请", "代码", "if", "when", "until", "to fix", "whenever"},
}

// phrase is one of them, under what it begins with.
type phrase struct {
	text string
	says cue
}

// phrases are all of them, by the byte that startOf gives.
var phrases = func() (table [256][]phrase) {
	for says, list := range cues {
		for _, text := range list {
			_, at := startOf([]byte(text))
			table[at] = append(table[at], phrase{text, says})
		}
	}
	return table
}()

// beginnings has the beginnings of all phrases: few places of an answer have one, and
// the phrases are looked up there alone.
var beginnings = func() (set [1 << 12 / 64]uint64) {
	for _, list := range cues {
		for _, text := range list {
			start, _ := startOf([]byte(text))
			set[start/64] |= 1 << (start % 64)
		}
	}
	return set
}()

// startOf gives 12 bits of what a text begins with, and a byte of it that tells much.
func startOf(text []byte) (start uint16, at byte) {
	if text[0] >= utf8.RuneSelf {
		return uint16(text[1]&63)<<6 | uint16(text[2]&63), text[2]
	}
	next := byte(0)
	if len(text) > 1 {
		next = text[1]
	}
	return uint16(text[0]&31)<<6 | uint16(next&63), text[0]
}

// standsIn tells whether an answer is of the kind that servers give when they
// have none: busy, broken, crowded, later.
func standsIn(answer []byte) bool {
	if len(answer) > longestCanned {
		return false
	}
	var buffer [longestCanned]byte
	text := buffer[:len(answer)]
	for i, b := range answer {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		text[i] = b
	}
	var all, clause cue // of the clauses so far, and of this one
	word := false       // within one of letters
	for i := 0; i < len(text); {
		b := text[i]
		switch {
		case b >= 'a' && b <= 'z':
			if !word {
				clause |= saidAt(text[i:])
			}
			word = true
			i++
		case b >= 0xe4 && b <= 0xe9 && i+2 < len(text): // what 汉字 begin with
			clause |= saidAt(text[i:])
			word = false
			i += 3
		default:
			n := boundary(text[i:])
			if n > 0 {
				all, clause = all|settled(clause), 0
			}
			word = b == '\'' && word
			i += max(n, 1)
		}
	}
	all |= settled(clause)
	return all&excuse != 0 || all&(trouble|later) == trouble|later || all&(crowd|later) == crowd|later
}

// settled is what remains of a clause's cues at its end. A condition leaves nothing
// but when to come again.
func settled(c cue) cue {
	switch {
	case c&condition != 0:
		return c & later
	case c&(trouble|owner) == trouble|owner:
		c |= excuse
	}
	if c&askers == 0 {
		c &^= crowd
	}
	return c
}

// saidAt tells what the words that text begins with say.
func saidAt(text []byte) (c cue) {
	start, at := startOf(text)
	if beginnings[start/64]&(1<<(start%64)) == 0 {
		return 0
	}
	candidates := phrases[at]
	for i := range candidates {
		p := &candidates[i]
		if c&p.says == 0 && len(text) >= len(p.text) && string(text[:len(p.text)]) == p.text && ends(text, len(p.text)) {
			c |= p.says
		}
	}
	return c
}

// ends tells whether a word of letters is whole where it ends; long ones may go on:
// overload, overloaded.
func ends(text []byte, n int) bool {
	last := text[n-1]
	return n > 5 || last < 'a' || last > 'z' || n == len(text) || text[n] != '\'' && (text[n] < 'a' || text[n] > 'z')
}

// boundary is the length of what ends a clause at the begin of text; 0 for nothing.
func boundary(text []byte) int {
	switch text[0] {
	case ',', '.', '!', '?', ';', ':', '\n', '~':
		return 1
	}
	for _, mark := range [...]string{"，", "。", "！", "？", "；", "：", "～", "…"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return len(mark)
		}
	}
	return 0
}
