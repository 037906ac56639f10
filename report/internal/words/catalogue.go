// Package words has every text that the renderings of more than one kind of report share,
// in both languages.
package words

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
)

// Words is every text of a report in one language. Fields that end in F are
// formats, their verbs the same in both languages.
type Words struct {
	Lang                                                               reason.Lang
	Code                                                               string // of <html lang>
	Objectives, Objective, Measured, Budget, N, Verdict, Evidence      string
	Unknown, None, Needs                                               string
	Interval                                                           string
	WhoAnswered, Tier, Answers, Share                                  string
	Conversations, Complete, CompleteDegraded, Broken, Abandoned, Left string
	Storms, Storm, StillOpen, Detected, NotDetected                    string
	LatencyBack, QualityBack, NotBack, CallsPerTurn, Metastable        string
	Outages, NoOutages, OutageAt, Lasted, Cause                        string
	SecondsF, ScaledF, Unavailable                                     string
	Latency, Mean, Max, Response, Service, FailedInfinite              string
	ResponseNote, ServiceNote, FailedNote                              string
	FirstToken, FirstReasoning, ChunkGap, TokenTime, Connect           string
	JudgedOnly, JudgedNote                                             string
	Errors, Count, Outcome, Message, First, Example, MoreErrorsF       string
	Turns, Turn, Sent, Warnings, Reasons, Generator                    string
	LagP99, CPUPerTurn, MaxInFlight, TaintedF, MaxRSS                  string
	Processes, CPU, Memory, EndedF                                     string
	LittlesLaw, LittlesLawF                                            string
	Target, Bundled, Overrides, Seed, Environment, Knobs, Run          string
	SharedHost, Insecure, ScaleF                                       string
	Planned, Achieved, InFlight, Time, RatePerS, Limit                 string
	RateTitle, QuantilesTitle, OutcomesTitle, BurnTitle                string
	DistributionTitle, DistributionAxis, BurnAxis, OutcomesAxis        string
	OK, Degraded, Unexpected, Bad, Dropped                             string
	Stage, Stages, NotJudged, RunID, Started, Version, Tags            string
	Connections, KnobsSum                                              string
	Colon, Comma, Open, Shut                                           string
	HeadlineF, Compare, Baseline, Candidate, Change                    string
	NoiseUnknown                                                       string
	LLMCalls, Cores, ReadNote, Files, StageNote                        string
	SLANoteF, SLANoteMeasured, SLANoteClosed                           string
	SLANoteOpenF, SLANotePartly                                        string
	TileAnswered, TileQuality, TileSeconds, TilePeak, TurnsPerS        string
	AllowedF, Starts, Timeline, WithinF, NoScript, TileP99             string
	LatencyNotBack, QualityNotBack, BoundsNote                         string
	ResponseShort, ServiceShort, FailedShort                           string
	LagTitle, LagNote                                                  string
	Address, NotAnswered, HandshakesF, ResentF, StarvedF               string
	SocketsF, StraysF, RedialsF                                        string
	LiveTitle, ErrorsTitle, QualityNoteF, TargetTitle                  string
	StartsPerS, Users                                                  string
	ByTurnTitle, ByTurnNote, NthTurn, ByLoadTitle, ByLoadNote          string
}

// In gives the catalogue of a language; an unknown one reads English.
func In(lang reason.Lang) *Words {
	if lang == reason.Chinese {
		return chinese()
	}
	return english()
}

func english() *Words {
	return &Words{
		Lang: reason.English, Code: "en",
		Objectives: "Objectives", Objective: "objective", Measured: "measured", Budget: "budget", N: "n", Verdict: "verdict", Evidence: "evidence",
		Unknown: "unknown", None: "none", Needs: "turns needed for", Interval: "95 % bounds",
		WhoAnswered: "What users got", Tier: "tier", Answers: "answers", Share: "share",
		Conversations: "Conversations", Complete: "complete", CompleteDegraded: "complete, degraded", Broken: "broken", Abandoned: "abandoned", Left: "abandoned by the customer",
		Storms: "Storms", Storm: "storm", StillOpen: "still open at the end", Detected: "detected after", NotDetected: "the target went on asking the model",
		LatencyBack: "latency back after", QualityBack: "full quality back after", NotBack: "not seen", CallsPerTurn: "LLM calls per turn", Metastable: "METASTABLE: goodput did not return at the storm's arrival rate",
		Outages: "Outages", NoOutages: "none", OutageAt: "at", Lasted: "lasted", Cause: "cause",
		SecondsF: "%s of %s judged seconds bad, %s allowed", ScaledF: "scaled from %s s per hour", Unavailable: "seconds too thin to judge",
		Latency: "Latency", Mean: "mean", Max: "max", Response: "answered, response", Service: "answered, service", FailedInfinite: "all, failures infinite",
		ResponseNote: "from the intended start", ServiceNote: "from the first byte sent", FailedNote: "every valid turn, a failed one infinitely slow",
		JudgedOnly: "response, judged only", JudgedNote: "without stages that are not judged, such as a warm-up",
		FirstToken: "first token, answer", FirstReasoning: "first token, reasoning", ChunkGap: "chunk gap", TokenTime: "time per output token", Connect: "connect",
		Errors: "Errors", Count: "count", Outcome: "outcome", Message: "message", First: "first", Example: "example", MoreErrorsF: "and %s turns of other kinds",
		Turns: "turns", Turn: "turn", Sent: "sent", Warnings: "Warnings", Reasons: "Reasons", Generator: "Generator",
		LagP99: "lag P99", CPUPerTurn: "CPU per turn", MaxInFlight: "most in flight", TaintedF: "%s tainted seconds", MaxRSS: "memory",
		Processes: "Processes", CPU: "CPU", Memory: "memory", EndedF: "ended unasked at %s",
		LittlesLaw: "Little's law", LittlesLawF: "%s in flight on average; rate × mean response = %s (%s apart)",
		Colon: ": ", Comma: ", ", Open: " (", Shut: ")",
		Connections: "connections", KnobsSum: "knobs SHA-256",
		Target: "target", Bundled: "bundled", Overrides: "overrides", Seed: "seed", Environment: "Environment", Knobs: "Knobs", Run: "Run",
		SharedHost: "the target ran on the generator's machine", Insecure: "TLS certificates were not checked", ScaleF: "run at %s of the load: it tells nothing about 100 %%",
		Planned: "planned", Achieved: "achieved", InFlight: "in flight", Time: "time", RatePerS: "per second", Limit: "limit",
		RateTitle: "Arrivals, turns, turns in flight", QuantilesTitle: "Response time", OutcomesTitle: "Who answered", BurnTitle: "Budget spent",
		DistributionTitle: "Distribution of latency", DistributionAxis: "percentile", BurnAxis: "share of the budget", OutcomesAxis: "turns per second",
		OK: "ok", Degraded: "degraded", Unexpected: "unexpected", Bad: "bad", Dropped: "dropped",
		Stage: "stage", Stages: "Stages", NotJudged: "not judged", RunID: "run", Started: "started", Version: "version", Tags: "tags",
		HeadlineF: "%s conversations · %s turns", Compare: "Comparison", Baseline: "baseline", Candidate: "candidate", Change: "change",
		NoiseUnknown: "between-run noise unknown",

		LLMCalls: "LLM calls", Cores: "cores", Files: "files",
		BoundsNote:     "Small figures are 95 % bounds by order statistics; turns that hang together in time count as fewer.",
		LatencyNotBack: "latency not seen back", QualityNotBack: "full quality not seen back", ResponseShort: "response", ServiceShort: "service", FailedShort: "failures ∞",
		TileP99: "P99 of answers", TileAnswered: "Answered", TileQuality: "Full quality", TileSeconds: "Bad seconds", TilePeak: "Peak", TurnsPerS: "turns per second",
		AllowedF: "%s allowed", Starts: "starts", Timeline: "Over time", WithinF: "%s in %s", NoScript: "The charts need JavaScript; the tables do not.",
		SLANoteF: "Verdicts are of exact counts, by one-sided bounds at %s confidence.", SLANoteMeasured: "Verdicts are of what was measured (sla.gate: measured); bounds are one-sided, at %s confidence.",
		SLANoteClosed: "The load is closed: users wait for each answer, so it slows down with the target, and what nobody could ask was not judged.",
		ByTurnTitle:   "Mean response time by turn of the conversation", ByTurnNote: "Answered turns, from the first of a conversation.", NthTurn: "turn %s",
		ByLoadTitle: "Response time by load", ByLoadNote: "A dot is a second outside storms: the turns in it, and how long they took.",
		ReadNote:  "Response time runs from the intended start, so waiting caused by the target is in it.",
		StageNote: "Seconds are of intended time, from the start of the load.",
		Address:   "address", NotAnswered: "not answered", HandshakesF: "%s full and %s resumed TLS handshakes", ResentF: "%s requests went over another connection",
		SocketsF: "%s sockets opened, %s of them in place of one that was closed", RedialsF: "%s of them while customers thought (%s on average, %s at most; %s attempts failed)", StraysF: "beside the answers: %s late, %s second, %s unasked messages",
		StarvedF: "%s seconds short of processors", LiveTitle: "Conversations under way", ErrorsTitle: "Turns without an answer, by kind",
		QualityNoteF: "outside storms; %s in all · %s", TargetTitle: "Target", StartsPerS: "starts/s", Users: "users",
		LagTitle: "How late the generator was", LagNote: "P99 of sent minus intended, by second: it is in the response times.",
		SLANoteOpenF: "An open load goes on at its rate: starts: %s/s asks as much as this run did.", SLANotePartly: "The load is partly open: conversations begin at the planned rate whatever the target does; each next turn is asked when the answer before it has come and its user has thought.",
	}
}

func chinese() *Words {
	return &Words{
		Lang: reason.Chinese, Code: "zh-CN",
		Objectives: "目标", Objective: "目标", Measured: "实测", Budget: "预算", N: "样本数", Verdict: "结论", Evidence: "依据",
		Unknown: "未知", None: "无", Needs: "所需轮数", Interval: "95 % 置信界",
		WhoAnswered: "用户得到了什么", Tier: "档位", Answers: "应答数", Share: "占比",
		Conversations: "会话", Complete: "完整", CompleteDegraded: "完整但有降级", Broken: "中断", Abandoned: "未走完", Left: "顾客等不及而离开",
		Storms: "风暴", Storm: "风暴", StillOpen: "结束时仍在持续", Detected: "发现用时", NotDetected: "被测系统仍在调用模型",
		LatencyBack: "延迟恢复用时", QualityBack: "完整质量恢复用时", NotBack: "未见恢复", CallsPerTurn: "每轮 LLM 调用", Metastable: "亚稳态：到达率与风暴时相同，有效吞吐没有恢复",
		Outages: "不可用时段", NoOutages: "无", OutageAt: "起于", Lasted: "持续", Cause: "主因",
		SecondsF: "坏秒 %s / 计入 %s，允许 %s", ScaledF: "按每小时 %s s 折算", Unavailable: "样本太少、无法判定的秒数",
		Latency: "延迟", Mean: "均值", Max: "最大", Response: "已应答·响应", Service: "已应答·服务", FailedInfinite: "全部·失败计为 ∞",
		ResponseNote: "自计划开始时刻起", ServiceNote: "自发出首字节起", FailedNote: "全部有效轮次，失败视为无限慢",
		JudgedOnly: "响应·仅计入判定的阶段", JudgedNote: "不含预热等不计入判定的阶段",
		FirstToken: "首个 token·应答", FirstReasoning: "首个 token·推理", ChunkGap: "分块间隔", TokenTime: "每个输出 token 用时", Connect: "建连",
		Errors: "错误", Count: "次数", Outcome: "结果", Message: "信息", First: "首次", Example: "示例", MoreErrorsF: "另有其他种类 %s 轮",
		Turns: "轮次", Turn: "轮", Sent: "已发送", Warnings: "警告", Reasons: "理由", Generator: "压测机",
		LagP99: "发送滞后 P99", CPUPerTurn: "每轮 CPU", MaxInFlight: "最大在途", TaintedF: "受扰 %s 秒", MaxRSS: "内存",
		Processes: "进程", CPU: "CPU", Memory: "内存", EndedF: "%s 时意外退出",
		LittlesLaw: "利特尔法则", LittlesLawF: "平均在途 %s；速率 × 平均响应 = %s（相差 %s）",
		Colon: "：", Comma: "，", Open: "（", Shut: "）",
		Connections: "连接", KnobsSum: "参数 SHA-256",
		Target: "被测系统", Bundled: "内置", Overrides: "覆盖项", Seed: "随机种子", Environment: "环境", Knobs: "参数", Run: "运行",
		SharedHost: "被测系统与压测机在同一台机器上", Insecure: "未校验 TLS 证书", ScaleF: "按 %s 的负载运行：不能说明 100 %% 负载下的表现",
		Planned: "计划", Achieved: "实际", InFlight: "在途", Time: "时间", RatePerS: "每秒", Limit: "上限",
		RateTitle: "会话到达、轮次与在途", QuantilesTitle: "响应时间", OutcomesTitle: "谁在应答", BurnTitle: "预算消耗",
		DistributionTitle: "延迟分布", DistributionAxis: "百分位", BurnAxis: "预算占比", OutcomesAxis: "每秒轮次",
		OK: "正常", Degraded: "降级", Unexpected: "不符预期", Bad: "不合格", Dropped: "丢弃",
		Stage: "阶段", Stages: "阶段", NotJudged: "不计入", RunID: "运行编号", Started: "开始于", Version: "版本", Tags: "标签",
		HeadlineF: "%s 个会话 · %s 轮", Compare: "对比", Baseline: "基线", Candidate: "候选", Change: "变化",
		NoiseUnknown: "多次运行之间的波动未知",

		LLMCalls: "LLM 调用", Cores: "核", Files: "文件",
		BoundsNote:     "小字是按次序统计量得到的 95 % 置信界；时间上相互关联的轮次折算为更少的轮次。",
		LatencyNotBack: "延迟未见恢复", QualityNotBack: "完整质量未见恢复", ResponseShort: "响应", ServiceShort: "服务", FailedShort: "失败计 ∞",
		TileP99: "应答的 P99", TileAnswered: "已应答", TileQuality: "完整质量", TileSeconds: "坏秒", TilePeak: "峰值", TurnsPerS: "轮/秒",
		AllowedF: "允许 %s", Starts: "会话到达", Timeline: "随时间变化", WithinF: "%[2]s 内 %[1]s", NoScript: "图表需要 JavaScript；表格不需要。",
		SLANoteF: "结论依据精确计数的单侧置信界，置信度 %s。", SLANoteMeasured: "结论以实测值为准（sla.gate: measured）；所列界为单侧，置信度 %s。",
		SLANoteClosed: "这是闭环负载：用户等到应答才继续，因此负载随被测系统变慢，没能提出的问题不计入判定。",
		ByTurnTitle:   "会话中各轮的平均响应时间", ByTurnNote: "得到应答的轮次，从会话的第一轮数起。", NthTurn: "第 %s 轮",
		ByLoadTitle: "不同负载下的响应时间", ByLoadNote: "每个点为风暴之外的一秒：该秒的轮次数及其响应时间。",
		ReadNote:  "响应时间自计划开始时刻起计，包含因被测系统造成的等待。",
		StageNote: "秒按计划时刻计，自压测开始。",
		Address:   "地址", NotAnswered: "未应答", HandshakesF: "TLS 握手：完整 %s 次，恢复 %s 次", ResentF: "%s 个请求改走其他连接",
		SocketsF: "打开 %s 个套接字，其中 %s 个替换已关闭的", RedialsF: "其中 %s 个在顾客思考时重连（平均 %s，最长 %s；%s 次尝试失败）", StraysF: "应答之外的消息：迟到 %s 条，重复 %s 条，未请求 %s 条",
		StarvedF: "处理器不够用 %s 秒", LiveTitle: "进行中的会话", ErrorsTitle: "没有应答的轮次（按种类）",
		QualityNoteF: "风暴之外；全程 %s · %s", TargetTitle: "被测系统", StartsPerS: "会话到达/秒", Users: "用户",
		LagTitle: "压测机的发送滞后", LagNote: "每秒发送时刻与计划时刻之差的 P99，已含在响应时间内。",
		SLANoteOpenF: "开环负载按既定速率继续：会话到达 %s/s 与本次的提问量相当。", SLANotePartly: "负载为部分开环：会话按计划速率到达，与被测系统无关；后续每一轮要等前一应答到达并经过思考时间才提出。",
	}
}

// Aside puts a text in brackets behind another.
func (w *Words) Aside(text string) string { return w.Open + text + w.Shut }

// Word is one of a closed set, such as a verdict or an outcome, as it is read.
func (w *Words) Word(name string) string { return escape.Clean(reason.Word(name).Text(w.Lang)) }

// Texts gives texts by their codes; one whose code is not known, or has
// none, stays as it is.
func Texts(texts []string, codes reason.Reasons, lang reason.Lang) []string {
	out := append([]string{}, texts...)
	if len(codes) != len(texts) {
		return out
	}
	for i, r := range codes {
		if r.Known() {
			out[i] = r.Text(lang)
		}
	}
	return out
}
