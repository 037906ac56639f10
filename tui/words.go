package tui

import "github.com/cstest/cstest/reason"

// words are all texts of the view in one language. Those with verbs are formats.
type words struct {
	lang                                           reason.Lang
	of, left, stopping, seed                       string
	stage, starts, users, observed                 string
	load, arrivals, planned, turns, inFlight, live string
	response, now, soFar, budget                   string
	answers, ok, lesser, bad, nothingYet           string
	availability, badSeconds, left2, over          string
	answered, asked, burn                          string
	generator, lag, cpu, cores, tainted            string
	errors, noErrors, times                        string
	objectives, noObjectives, needs                string
	turnsTitle, conversation, say, noTurns         string
	stormOn, stormEnds, stormOver, stormAllowed    string
	stormComing, calls                             string
	keyStop, keyStopHard, keyPause, keyResume      string
	keyViews, keyHelp, paused                      string
	pages                                          [runPages]string
	phases                                         [4]string
	help                                           [][2]string
	lineStarts, lineUsers, lineTurns, lineFlight   string
	lineBudget, lineOver, lineStorm                string
	lineStopping, lineInvalid                      string

	// Of an experiment.
	progress, roundOf, runOf, aboutLeft string
	runs, allMade, effects, provisional string
	metric, variant, measured, change   string
	bounds, verdictSoFar, noEffects     string
	experimentPages                     [3]string
	experimentHelp                      [][2]string

	// Of a search for the highest load.
	probeOf, probeOfMore, leastLeft string
	probesMade                      string
	boundary, holds, breaks, apart  string
	noneHeld, noneBroke, noProbes   string
	probesByLoad, probe, verdict    string
	startsASecond, turnsASecond     string
	capacityPages                   [3]string
	capacityHelp                    [][2]string
}

func wordsOf(lang reason.Lang) *words {
	if lang == reason.Chinese {
		return chinese()
	}
	return english()
}

func english() *words {
	return &words{
		lang: reason.English,
		of:   "of", left: "left", stopping: "STOPPING", seed: "seed",
		stage: "stage", starts: "starts", users: "users", observed: "observed",
		load: "Load", arrivals: "arrivals", planned: "of %s planned", turns: "turns", inFlight: "in flight", live: "live",
		response: "Response time", now: "now", soFar: "so far", budget: "budget",
		answers: "Answers", ok: "ok", lesser: "degraded", bad: "bad", nothingYet: "nothing yet",
		availability: "Availability", badSeconds: "bad seconds", left2: "%d of %d left", over: "%d over the %d allowed",
		answered: "answered", asked: "of %s asked", burn: "burn",
		generator: "Generator", lag: "lag P99", cpu: "CPU", cores: "of %d cores", tainted: "tainted",
		errors: "Errors", noErrors: "none so far", times: "×",
		objectives: "Objectives", noObjectives: "nothing judged yet", needs: "%s turns would decide",
		turnsTitle: "Turns", conversation: "conversation", say: "turn", noTurns: "no turns yet",
		stormOn: "STORM", stormEnds: "%s left", stormOver: "over for %s", stormAllowed: "quality due within %s",
		stormComing: "%s (%s) begins in %s", calls: "%s LLM calls per turn",
		keyStop: "stop", keyStopHard: "stop now", keyPause: "pause", keyResume: "resume", keyViews: "views", keyHelp: "help", paused: "PAUSED",
		pages:  [runPages]string{"overview", "turns, errors", "objectives"},
		phases: [4]string{"starting", "load", "draining", "judging"},
		help: [][2]string{
			{"q, Ctrl-C", "stop: no new conversations, those begun may end; again: stop now"},
			{"p", "pause drawing; the run goes on"},
			{"tab, 1 2 3", "overview · turns and errors · objectives"},
			{"?, esc", "this page and back"},
			{"", ""},
			{"arrivals", "conversations started in the last second, and those planned"},
			{"P50 P99", "response time of answers, from when the user meant to speak"},
			{"now, so far", "the last full second, and the whole run"},
			{"bad seconds", "seconds in which fewer than 95 % of turns were answered"},
			{"burn", "bad share by the share allowed; 1× spends the budget exactly"},
			{"degraded", "answered, but not by the model or not as expected"},
			{"tainted", "seconds in which cstest was too late to measure the target"},
		},
		lineStarts: "starts", lineUsers: "users", lineTurns: "turns", lineFlight: "in flight",
		lineBudget: "budget %d of %d s left", lineOver: "bad seconds %d, allowed %d", lineStorm: "STORM", lineStopping: "STOPPING", lineInvalid: "INVALID",

		progress: "progress", roundOf: "round %d of %d", runOf: "run %d of %d", aboutLeft: "about %s left",
		runs: "Runs, the last one first", allMade: "all runs are made", effects: "Effects so far", provisional: "provisional",
		metric: "metric", variant: "variant", measured: "median", change: "change", bounds: "95 % bounds", verdictSoFar: "so far", noEffects: "no run is made yet",
		experimentPages: [3]string{"effects", "runs", "this run"},
		experimentHelp: [][2]string{
			{"q, Ctrl-C", "stop: this run is left out, the rest judged; again: at once"},
			{"p", "pause drawing; the experiment goes on"},
			{"tab, 1 2 3", "effects · runs made · the run under way"},
			{"↑ ↓ PgUp PgDn", "scroll the table"},
			{"?, esc", "this page and back"},
			{"", ""},
			{"round", "every variant once, in a new order, with the same arrivals"},
			{"A/A", "the baseline once more: what chance alone does on this machine"},
			{"change", "from the baseline or the variant before: the middle of all pairs"},
			{"so far", "as judged if it ended now; more rounds may change it"},
			{"equivalent", "the whole interval lies within the margin"},
		},

		probeOf: "probe %d of about %d", probeOfMore: "probe %d of %d or more", leastLeft: "%s left or more", probesMade: "%d probes",
		boundary: "boundary", holds: "holds %s starts/s", breaks: "breaks at %s", apart: "%s apart, %s asked for",
		noneHeld: "nothing held yet", noneBroke: "nothing broke yet", noProbes: "no probe is made yet",
		probesByLoad: "Probes by load", probe: "n", verdict: "verdict",
		startsASecond: "starts/s", turnsASecond: "turns/s",
		capacityPages: [3]string{"boundary", "probes", "this probe"},
		capacityHelp: [][2]string{
			{"q, Ctrl-C", "stop: this probe is left out, the rest reported; again: at once"},
			{"p", "pause drawing; the search goes on"},
			{"tab, 1 2 3", "boundary · probes made · the probe under way"},
			{"↑ ↓ PgUp PgDn", "scroll the table"},
			{"?, esc", "this page and back"},
			{"", ""},
			{"boundary", "the highest rate seen to hold, the lowest above it seen not to"},
			{"starts", "conversations begun in a second: what a probe asks for"},
			{"charts", "probes over their load, each doubling as wide; ┈ the SLA's limit"},
			{"▲ △", "the boundary, and the load of the probe under way"},
			{"∞", "so many turns failed that no time holds 99 % of them"},
			{"verdict", "held, broke, unsure (too few turns), invalid (not measured)"},
		},
	}
}

func chinese() *words {
	return &words{
		lang: reason.Chinese,
		of:   "/", left: "剩余", stopping: "正在停止", seed: "随机种子",
		stage: "阶段", starts: "会话到达", users: "用户", observed: "观测",
		load: "负载", arrivals: "到达率", planned: "计划 %s", turns: "轮次", inFlight: "在途", live: "进行中会话",
		response: "响应时间", now: "当前", soFar: "累计", budget: "预算",
		answers: "应答", ok: "正常", lesser: "降级", bad: "不合格", nothingYet: "暂无",
		availability: "可用性", badSeconds: "坏秒", left2: "剩 %d/%d", over: "超出 %d（允许 %d）",
		answered: "已应答", asked: "要求 %s", burn: "消耗速度",
		generator: "压测机", lag: "发送滞后 P99", cpu: "CPU", cores: "共 %d 核", tainted: "受扰",
		errors: "错误", noErrors: "暂无", times: "×",
		objectives: "目标", noObjectives: "尚无可判定的数据", needs: "还需 %s 轮才能判定",
		turnsTitle: "轮次", conversation: "会话", say: "轮次", noTurns: "暂无轮次",
		stormOn: "风暴", stormEnds: "剩余 %s", stormOver: "已结束 %s", stormAllowed: "须在 %s 内恢复完整质量",
		stormComing: "%s（%s）%s 后开始", calls: "每轮 LLM 调用 %s 次",
		keyStop: "停止", keyStopHard: "立即停止", keyPause: "暂停刷新", keyResume: "继续", keyViews: "切换视图", keyHelp: "帮助", paused: "已暂停",
		pages:  [runPages]string{"总览", "轮次与错误", "目标"},
		phases: [4]string{"启动中", "施压", "收尾", "判定中"},
		help: [][2]string{
			{"q, Ctrl-C", "停止：不再发起会话，已开始的可以结束，报告完整；再按一次立即停止"},
			{"p", "暂停刷新，压测继续"},
			{"tab, 1 2 3", "总览 · 轮次与错误 · 目标"},
			{"?, esc", "打开或关闭本页"},
			{"", ""},
			{"到达率", "上一秒开始的会话数，以及计划的会话数"},
			{"P50 P99", "应答的响应时间，从用户本应开口的时刻算起"},
			{"当前，累计", "上一整秒，以及整次压测"},
			{"坏秒", "轮次应答率低于 95 % 的秒数"},
			{"消耗速度", "不合格轮次的占比与允许占比之比；1× 表示恰好用完预算"},
			{"降级", "有应答，但不是模型给出的，或不符预期"},
			{"受扰", "压测机自身太慢、测不准被测系统的秒数"},
		},
		lineStarts: "会话到达", lineUsers: "用户", lineTurns: "轮次", lineFlight: "在途",
		lineBudget: "预算剩 %d/%d 秒", lineOver: "坏秒 %d，允许 %d", lineStorm: "风暴", lineStopping: "正在停止", lineInvalid: "压测无效",

		progress: "进度", roundOf: "回合 %d/%d", runOf: "第 %d/%d 次运行", aboutLeft: "约剩 %s",
		runs: "已完成的运行（新的在前）", allMade: "全部运行已完成", effects: "目前的差异", provisional: "暂定",
		metric: "指标", variant: "变体", measured: "中位数", change: "变化", bounds: "95 % 区间", verdictSoFar: "目前", noEffects: "尚无完成的运行",
		experimentPages: [3]string{"差异", "运行", "本次运行"},
		experimentHelp: [][2]string{
			{"q, Ctrl-C", "停止：结束本次运行（不计入表格），其余照常判定；再按一次立即停止"},
			{"p", "暂停刷新，实验继续"},
			{"tab, 1 2 3", "差异 · 已完成的运行 · 本次运行"},
			{"↑ ↓ PgUp PgDn", "滚动表格"},
			{"?, esc", "打开或关闭本页"},
			{"", ""},
			{"回合", "每个变体各运行一次，顺序重新抽取，到达完全相同"},
			{"A/A", "基线再运行一次：显示此机器上仅凭偶然会有多大差异"},
			{"变化", "相对基线或前一个变体：全部配对的中间值"},
			{"目前", "若实验此刻结束会得到的判定，后续回合可能改变它"},
			{"相当", "整个区间都在容差之内"},
		},

		probeOf: "第 %d 次探测，共约 %d 次", probeOfMore: "第 %d 次探测，至少 %d 次", leastLeft: "至少还需 %s", probesMade: "%d 次探测",
		boundary: "边界", holds: "会话到达 %s/s 能承受", breaks: "%s/s 承受不了", apart: "相差 %s，要求 %s",
		noneHeld: "尚无通过的速率", noneBroke: "尚无不通过的速率", noProbes: "尚无完成的探测",
		probesByLoad: "各次探测（按负载）", probe: "次", verdict: "结论",
		startsASecond: "会话到达/秒", turnsASecond: "轮次/秒",
		capacityPages: [3]string{"边界", "探测", "本次探测"},
		capacityHelp: [][2]string{
			{"q, Ctrl-C", "停止：结束本次探测（不计入结果），其余照常报告；再按一次立即停止"},
			{"p", "暂停刷新，搜索继续"},
			{"tab, 1 2 3", "边界 · 已完成的探测 · 本次探测"},
			{"↑ ↓ PgUp PgDn", "滚动表格"},
			{"?, esc", "打开或关闭本页"},
			{"", ""},
			{"边界", "通过的最高速率，以及其上不通过的最低速率"},
			{"会话到达", "每秒开始的会话数：一次探测所要求的负载"},
			{"图", "每次探测随负载的位置，每翻一倍同样宽；┈ 是 SLA 允许的值"},
			{"▲ △", "边界，以及本次探测的负载"},
			{"∞", "失败的轮次太多，没有任何时间能涵盖 99 % 的轮次"},
			{"结论", "通过；不通过；证据不足：轮次太少；压测无效：没有测到"},
		},
	}
}

// word is one of a closed set, such as a verdict, as it is read.
func (w *words) word(name string) string { return reason.Word(name).Text(w.lang) }
