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
	}
}
