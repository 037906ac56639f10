package experiments

import "github.com/cstest/cstest/reason"

// texts is every text of an experiment's report beside those of a run's.
type texts struct {
	Title, Variant, SLA, Again               string
	Effects, Steps, Chance, NoDifference     string
	Needs, Published, Claimed, Measured      string
	Possible, ImpossibleF, CPU, Rate         string
	PublishedNote                            string
	RoundsF, InterruptedNote, AllEquivalentF string
	Note, ControlNote, Invalid, NotBounded   string
	TurnsPerS, CPUPerTurn, CallsPerTurn      string
	RedisPerTurn, Memory, CPUPerTalk         string
	NotToldF, HeldNote                       string
	Quality, Round, LeftOut                  string
}

func textsIn(lang reason.Lang) texts {
	if lang == reason.Chinese {
		return chinese()
	}
	return english()
}

func english() texts {
	return texts{
		Published: "Beside what was published", Claimed: "published", Measured: "measured here", Possible: "possible", ImpossibleF: "impossible: %s in flight of %s",
		CPU: "CPU", Rate: "turns/s",
		PublishedNote: "The published figures are of another machine. By Little's law rate × mean turns are in flight, no more than there are users. CPU is a share of all cores; here the server's alone.",
		Title:         "Variants side by side", Variant: "variant", SLA: "SLA", Again: "A/A, baseline",
		Effects: "Against the baseline", Steps: "Step by step: each against the one before it", Chance: "by chance", NoDifference: "no difference seen", Needs: "needs",
		RoundsF: "%s of %s rounds", InterruptedNote: "Interrupted: what was measured until then is below.", AllEquivalentF: "The same within the margin in every variant: %s.",
		Note:        "Intervals of all comparisons hold together at 95 %. Medians of the runs; only whole seconds of judged stages count. Needs: about as many rounds would tell.",
		ControlNote: "The baseline was run twice in every round: its second runs show what chance alone does here.",
		Invalid:     "not compared", NotBounded: "unbounded",
		TurnsPerS: "turns/s", CPUPerTurn: "CPU/turn", CallsPerTurn: "calls/turn", RedisPerTurn: "Redis/turn", Memory: "memory/conv.", CPUPerTalk: "CPU/conv.",
		NotToldF: "Not known of this target: %s.",
		HeldNote: "Connections: the most that were open at once. Memory per conversation: what the server had more at the most than before the load, by the conversations that were open; CPU per conversation: by those that were begun.",
		Quality:  "quality", Round: "round", LeftOut: "left out",
	}
}

func chinese() texts {
	return texts{
		Published: "与公开数据对照", Claimed: "公开", Measured: "本机实测", Possible: "可能", ImpossibleF: "不可能：在途 %s，用户只有 %s",
		CPU: "CPU", Rate: "轮次/秒",
		PublishedNote: "公开数据来自另一台机器。按利特尔法则，速率 × 平均值即在途轮次，不会多于用户数。CPU 为占全部核心的份额；本机一栏只计服务器自身。",
		Title:         "变体并排对比", Variant: "变体", SLA: "SLA", Again: "A/A（基线）",
		Effects: "相对基线", Steps: "逐步对比：每个变体相对前一个", Chance: "偶然概率", NoDifference: "未见差异", Needs: "所需回合",
		RoundsF: "完成 %s / %s 个回合", InterruptedNote: "已中断：以下为此前测得的内容。", AllEquivalentF: "所有变体在容差内相同：%s。",
		Note:        "全部比较的区间在 95 % 置信度下同时成立。表中为各次运行的中位数，只计入判定阶段内的整秒。“所需回合”：大约这么多回合才能判断。",
		ControlNote: "每个回合基线都运行两次：第二次显示此处仅凭偶然会有多大差异。",
		Invalid:     "不参与比较", NotBounded: "无界",
		TurnsPerS: "轮次/秒", CPUPerTurn: "CPU/轮次", CallsPerTurn: "LLM 调用/轮次", RedisPerTurn: "Redis 往返/轮次", Memory: "内存/会话", CPUPerTalk: "CPU/会话",
		NotToldF: "此被测系统未提供：%s。",
		HeldNote: "连接：同时打开的最多连接数。每会话内存：服务器峰值内存超出施压前的部分，除以同时进行的会话数；每会话 CPU：除以开始的会话数。",
		Quality:  "完整质量", Round: "回合", LeftOut: "未采用",
	}
}
