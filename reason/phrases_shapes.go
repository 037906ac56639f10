package reason

// shapePhrases are of how much load there is, when, and for how long.
func shapePhrases() []phraseRow {
	return []phraseRow{
		{"--conversations: must be 1 or more", "--conversations：至少为 1"},
		{"must be 1 or more; leave it out for as many as the stages have room for", "至少为 1；不写则各阶段能开始多少就是多少"},
		{"is %s: %.0f are possible", "为 %s：最多 %.0f"},
		{"is %s, and the stages start about %s: lengthen for, raise starts, or ask for fewer", "为 %s，而各阶段约开始 %s 个：请加长 for、提高 starts，或减少会话数"},
		{"exactly %s conversations, about %s turns, about %s of them judged", "恰好 %s 个会话，约 %s 轮，其中约 %s 轮计入判定"},
		{"exactly %s conversations, about %s turns; where fewer begin in %s it is inconclusive", "恰好 %s 个会话，约 %s 轮；若 %s 内不够开始这么多，则证据不足"},
		{"must be above 0s; leave it out for customers who wait for ever", "须大于 0s；不写则顾客会一直等下去"},
		{"%s is not below target.timeout, %s: every turn times out before its customer leaves; raise target.timeout", "%s 不低于 target.timeout 的 %s：每一轮都会先超时，顾客来不及离开；请加大 target.timeout"},
		{"100%% asks for nothing: remove it", "100%% 等于没有要求：请删去"},
		{"no customer leaves without load.patience: say there how long they wait", "没有 load.patience，顾客就不会离开：请在那里写明他们等多久"},
		{"0%% can fail and never pass by inference: any sample leaves room for a rarer failure", "0%% 可能判为不通过，却永远无法推断通过：任何样本都不能排除更罕见的失败"},
		{"is for arrivals: gamma; %s has no shape", "仅用于 arrivals: gamma；%s 没有形状参数"},
		{"must be %g to %g: below 1 starts come in bursts, above they are ever more even", "须为 %g 到 %g：小于 1 时会话到达成簇，大于 1 时越来越均匀"},
		{"is for load.curve; --scale scales any load", "仅用于 load.curve；任何负载都可用 --scale 缩放"},
		{"stands beside stages or users: the curve is the load, keep one", "不能与 stages 或 users 并用：曲线就是负载，请只留一个"},
		{"must be above 0 and at most %.0f: 30 is thirty times the curve", "须大于 0 且至多 %.0f：30 即曲线的三十倍"},
		{"is empty: the first line is time,rate", "是空的：首行应为 time,rate"},
		{"needs the columns time and rate, it has %s", "需要 time 和 rate 两列，现有 %s"},
		{"row %d, %s: %s", "第 %d 行，%s：%s"},
		{"%q is not a time: write 90, 90s, 1h30m or 08:30", "%q 不是时间：请写 90、90s、1h30m 或 08:30"},
		{"%q is not a rate: write 2.5 (a second), 5/s, 300/m or 900/h, at most %dk/s", "%q 不是速率：请写 2.5（每秒）、5/s、300/m 或 900/h，至多 %dk/s"},
		{"%q is not after the row before: rows go forward in time", "%q 不晚于上一行：各行须按时间递增"},
		{"of its %d rows %d stages are made, which start as many conversations; they are off the curve by at most %s of its highest rate, at row %d", "它的 %d 行合成了 %d 个阶段，会话到达总数不变；与曲线的偏差至多为其最高速率的 %s（第 %d 行）"},
		{"has %d rows: a curve needs two at least", "有 %d 行：曲线至少需要两行"},
		{"the first turn begins the conversation: there is no answer before it", "首轮即会话的开始：它之前没有应答"},
		{"looks at the answer's content: write a path into its JSON, body:text, regex:… or http:status", "只看应答的内容：请写其 JSON 中的路径、body:text、regex:… 或 http:status"},
	}
}
