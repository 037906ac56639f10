package reason

import "sync"

// Word is one of a closed set that is written in English to result.json: a
// verdict, an outcome, a tier, a policy, a cause that cstest itself names. One
// that is not known reads as itself.
type Word string

// Text is the word in a language.
func (w Word) Text(lang Lang) string {
	if t, ok := words()[w]; ok {
		if lang == Chinese {
			return t.zh
		}
		return t.en
	}
	return string(w)
}

type wordText struct{ en, zh string }

// words is made once and then only read.
var words = sync.OnceValue(func() map[Word]wordText {
	out := map[Word]wordText{}
	for _, group := range [][]wordRow{verdictWords(), outcomeWords(), tierWords(), causeWords(), settingWords(), comparisonWords()} {
		for _, w := range group {
			out[w.word] = wordText{w.en, w.zh}
		}
	}
	return out
})

type wordRow struct {
	word   Word
	en, zh string
}

func verdictWords() []wordRow {
	return []wordRow{
		{"pass", "pass", "通过"}, {"fail", "fail", "不通过"}, {"inconclusive", "inconclusive", "证据不足"}, {"invalid", "invalid", "压测无效"},
		{"incomplete", "incomplete", "未完成"}, {"not_verified", "not verified", "未验证"}, {"mixed", "mixed", "不一致"},
	}
}

func outcomeWords() []wordRow {
	return []wordRow{
		{"ok", "ok", "正常"}, {"degraded", "degraded", "降级"}, {"unexpected", "unexpected", "不符预期"}, {"context_lost", "context lost", "丢失上下文"},
		{"rate_limited", "rate limited", "限流"}, {"shed", "shed", "过载拒绝"}, {"client_error", "client error", "客户端错误"},
		{"server_error", "server error", "服务端错误"}, {"truncated", "truncated", "截断"}, {"timeout", "timeout", "超时"},
		{"transport_error", "transport error", "传输错误"}, {"integrity", "integrity", "串号"}, {"censored", "censored", "未答完"},
		{"dropped_target", "dropped (target)", "丢弃（被测系统）"}, {"dropped_generator", "dropped (generator)", "丢弃（压测机）"},
	}
}

func tierWords() []wordRow {
	return []wordRow{
		{"llm", "llm", "大模型"}, {"faq", "faq", "知识库"}, {"handoff", "handoff", "转人工"}, {"static", "static", "固定话术"},
		{"unknown", "tier not said", "未说明档位"},
	}
}

// causeWords are the messages of failures that cstest itself words.
func causeWords() []wordRow {
	return []wordRow{
		{"out of descriptors or ports", "out of descriptors or ports", "描述符或端口用尽"},
		{"start beyond guard.max_turns", "start beyond guard.max_turns", "超出 guard.max_turns"},
		{"nothing", "nothing", "（无）"},
	}
}

func settingWords() []wordRow {
	return []wordRow{
		{"per-user", "per user", "每用户一条"}, {"per-conversation", "per conversation", "每会话一条"}, {"per-turn", "per turn", "每轮一条"}, {"shared", "shared", "共用"},
		{"sync", "sync", "同步"}, {"stream", "stream", "流式"}, {"async", "async", "异步"}, {"websocket", "websocket", "WebSocket"},
	}
}

func comparisonWords() []wordRow {
	return []wordRow{
		{"better", "better", "更好"}, {"worse", "worse", "更差"}, {"equivalent", "equivalent", "相当"}, {"cannot_tell", "cannot tell", "无法判断"},
		{"mean", "mean", "均值"}, {"answered", "answered", "已应答"}, {"full quality", "full quality", "完整质量"}, {"turns", "turns", "轮次"},
		{"target CPU per turn", "target CPU per turn", "被测系统每轮 CPU"}, {"profile", "profile", "配置档"}, {"target", "target", "被测系统"},
		{"name", "name", "名称"}, {"scale", "scale", "缩放"}, {"stages", "stages", "阶段"}, {"conversations", "conversations", "会话"}, {"objectives", "objectives", "目标"},
		{"cores", "cores", "核数"}, {"kernel", "kernel", "内核"}, {"seed", "seed", "随机种子"},
	}
}
