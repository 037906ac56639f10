package reason

// groupPhrases are of groups of users whose figures are told apart.
func groupPhrases() []phraseRow {
	return []phraseRow{
		{"%q is not one of sla.groups: name it there, so that its turns are told apart%s", "%q 不在 sla.groups 中：请先在那里写明，其轮次才能分开统计%s"},
		{"%s: as if each of %d groups had as many turns", "%s：假定 %d 个分组的轮次一样多"},
		{"has %d groups: at most %d", "有 %d 个分组：至多 %d 个"},
		{"is not a word of 1 to 64 bytes", "不是 1 到 64 字节的一个词"},
		{"%s is there twice", "%s 出现了两次"},
		{"no answer says its group: name the place in target.response.group", "应答没有说明分组：请在 target.response.group 中写明其位置"},
		{"no answer of api %s says its group: describe the answers with api: custom, with target.response.group", "api %s 的应答不说明分组：请改用 api: custom，并写明 target.response.group"},
	}
}
