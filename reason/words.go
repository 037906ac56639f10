package reason

import "sync"

// Word is one of a closed set that is written in English to result.json: a
// verdict, an outcome, a tier, a policy, a cause that cstest itself names. One
// that is not known reads as itself.
type Word string

// Text is the word in a language. Of the message of a failure that has something of the
// scenario or the server in it, that reads as it does.
func (w Word) Text(lang Lang) string {
	if t, ok := words()[w]; ok {
		if lang == Chinese {
			return t.zh
		}
		return t.en
	}
	if lang == Chinese {
		return inPieces(string(w))
	}
	return string(w)
}

type wordText struct{ en, zh string }

// words is made once and then only read.
var words = sync.OnceValue(func() map[Word]wordText {
	out := map[Word]wordText{}
	for _, group := range [][]wordRow{verdictWords(), outcomeWords(), tierWords(), causeWords(), settingWords(), comparisonWords(), phaseWords()} {
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
		{"pass", "pass", "通过"},
		{"fail", "fail", "不通过"},
		{"inconclusive", "inconclusive", "证据不足"},
		{"invalid", "invalid", "压测无效"},
		{"incomplete", "incomplete", "未完成"},
		{"not_verified", "not verified", "未验证"},
		{"mixed", "mixed", "不一致"},
	}
}

func outcomeWords() []wordRow {
	return []wordRow{
		{"ok", "ok", "正常"},
		{"degraded", "degraded", "降级"},
		{"unexpected", "unexpected", "不符预期"},
		{"context_lost", "context lost", "丢失上下文"},
		{"rate_limited", "rate limited", "限流"},
		{"shed", "shed", "过载拒绝"},
		{"client_error", "client error", "客户端错误"},
		{"server_error", "server error", "服务端错误"},
		{"truncated", "truncated", "截断"},
		{"timeout", "timeout", "超时"},
		{"transport_error", "transport error", "传输错误"},
		{"integrity", "integrity", "串号"},
		{"refused", "refused as it had to be", "按要求被拒绝"},
		{"let_in", "answered, had to be refused", "应拒而答"},
		{"censored", "censored", "未答完"},
		{"late", "answered too late", "应答过迟"},
		{"dropped_target", "dropped (target)", "丢弃（被测系统）"},
		{"dropped_generator", "dropped (generator)", "丢弃（压测机）"},
	}
}

func tierWords() []wordRow {
	return []wordRow{
		{"llm", "llm", "大模型"},
		{"faq", "faq", "知识库"},
		{"handoff", "handoff", "转人工"},
		{"static", "static", "固定话术"},
		{"unknown", "tier not said", "未说明档位"},
		{"nobody", "no answer", "没有应答"},
		{"wrong", "answer of no use", "应答无用"},
	}
}

// causeWords are the messages of failures that cstest itself words and that have
// nothing of the server's in them.
func causeWords() []wordRow {
	same := func(en, zh string) wordRow { return wordRow{Word(en), en, zh} }
	return []wordRow{
		{"start beyond guard.max_turns", "start beyond guard.max_turns", "超出 guard.max_turns"},
		same("out of descriptors or ports", "描述符或端口用尽"),
		same("load.max_in_flight turns wait for the target", "等待被测系统的轮次达到 load.max_in_flight"),
		same("connection broken", "连接中断"),
		same("cannot connect", "无法连接"),
		same("degraded, by the model", "大模型的降级应答"),
		same("answered by the FAQ", "由知识库应答"),
		same("handed to a person", "转给人工"),
		same("a fixed text", "固定话术"),
		same("canned line", "套话"),
		same("the answer is not UTF-8", "应答不是 UTF-8"),
		same("the answer has a key twice that is read: which of them counts depends on the client", "应答中要读取的键出现了两次：以哪个为准取决于客户端"),
		same("the answer is a stream of events, not one JSON document: write target.mode: stream", "应答是事件流，而不是一个 JSON 文档：请写 target.mode: stream"),
		same("the answer is several JSON documents, not one: write target.mode: stream and response.stream.format: ndjson", "应答是多个 JSON 文档，而不是一个：请写 target.mode: stream 与 response.stream.format: ndjson"),
		same("the answer is a page of HTML or XML, not a JSON document", "应答是 HTML 或 XML 页面，而不是 JSON 文档"),
		same("the answer is not valid JSON", "应答不是有效的 JSON"),
		same("connection refused", "连接被拒绝"),
		same("no answer in time", "未按时应答"),
		same("no whole answer within the timeout", "超时前没有完整的应答"),
		same("malformed answer", "应答格式错误"),
		same("answer beyond target.limits", "应答超出 target.limits"),
		same("stream ended without its terminal event", "流在结束事件之前终止"),
		same("unanswered when the load ended", "压测结束时尚未应答"),
		same("answered, though it had to be refused", "本应拒绝，却得到了应答"),
		same("refused with a status that expect.refused does not name", "被拒绝，但状态码不在 expect.refused 之列"),
		same("a redirect, which is not followed", "重定向，不予跟随"),
		same("connection reset by the server", "连接被服务端重置"),
		same("connection closed by the server before the answer was whole", "应答未完整时服务端关闭了连接"),
		same("connection closed by the server while the request was written", "请求发送途中服务端关闭了连接"),
		same("connection closed by the server while it was being made", "建立途中服务端关闭了连接"),
		same("connecting took longer than the timeout", "建连超时"),
		same("name lookup took longer than the timeout", "域名解析超时"),
		same("name lookup: no such host", "域名解析：没有这个主机"),
		same("closed by the server", "被服务端关闭"),
		same("closed by the server with code 1000", "被服务端关闭，代码 1000"),
		same("closed by the server with code 1001", "被服务端关闭，代码 1001（离开）"),
		same("closed by the server with code 1008", "被服务端关闭，代码 1008（违反其规则）"),
		same("closed by the server with code 1011", "被服务端关闭，代码 1011（内部错误）"),
		same("closed by the server with code 1012", "被服务端关闭，代码 1012（重启）"),
		same("closed by the server with code 1013", "被服务端关闭，代码 1013（请稍后再试）"),
		same("a message is longer than the limit", "消息超出上限"),
		same("the server takes no messages", "服务端不接收消息"),
		same("the answer stalled", "应答中途停顿"),
		same("the upgrade was answered with a status below 300, and no socket", "升级请求得到了低于 300 的状态码，却没有套接字"),
		same("tls: the certificate is for another host", "tls：证书属于另一主机"),
		same("tls: the certificate is signed by an unknown authority", "tls：证书由未知机构签发"),
		same("tls: the certificate is expired or not yet valid", "tls：证书已过期或尚未生效"),
		same("tls: the certificate is not valid", "tls：证书无效"),
		same("tls: the server does not speak TLS", "tls：服务端不使用 TLS"),
	}
}

func settingWords() []wordRow {
	return []wordRow{
		{"per-user", "per user", "每用户一条"},
		{"per-conversation", "per conversation", "每会话一条"},
		{"per-turn", "per turn", "每轮一条"},
		{"shared", "shared", "共用"},
		{"sync", "sync", "同步"},
		{"stream", "stream", "流式"},
		{"async", "async", "异步"},
		{"websocket", "websocket", "WebSocket"},
		{"agents", "agents", "人工坐席"},
	}
}

func comparisonWords() []wordRow {
	return []wordRow{
		{"better", "better", "更好"},
		{"worse", "worse", "更差"},
		{"equivalent", "equivalent", "相当"},
		{"cannot_tell", "cannot tell", "无法判断"},
		{"mean", "mean", "均值"},
		{"answered", "answered", "已应答"},
		{"full quality", "full quality", "完整质量"},
		{"turns", "turns", "轮次"},
		{"answers", "answers", "应答"},
		{"target CPU per turn", "target CPU per turn", "被测系统每轮 CPU"},
		{"LLM calls per turn", "LLM calls per turn", "每轮 LLM 调用"},
		{"Redis round trips per turn", "Redis round trips per turn", "每轮 Redis 往返"},
		{"connections", "connections", "连接"},
		{"target memory per conversation", "target memory per conversation", "被测系统每会话内存"},
		{"target CPU per conversation", "target CPU per conversation", "被测系统每会话 CPU"},
		{"measured", "measured", "已测量"},
		{"context", "context", "上下文"},
		{"full_quality", "full quality", "完整质量"},
		{"expected", "expected answers", "符合预期的应答"},
		{"baseline", "baseline", "基线"},
		{"candidate", "candidate", "候选"},
		{"profile", "profile", "配置档"},
		{"target", "target", "被测系统"},
		{"name", "name", "名称"},
		{"scale", "scale", "缩放"},
		{"stages", "stages", "阶段"},
		{"conversations", "conversations", "会话"},
		{"objectives", "objectives", "目标"},
		{"cores", "cores", "核数"},
		{"kernel", "kernel", "内核"},
		{"seed", "seed", "随机种子"},
		{"mode", "mode", "方式"},
		{"overrides", "overrides", "覆盖项"},
		{"all knobs (SHA-256)", "all knobs (SHA-256)", "全部参数（SHA-256）"},
		{"OS", "OS", "操作系统"},
	}
}
