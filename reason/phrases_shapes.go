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
	}
}
