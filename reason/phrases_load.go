package reason

// modelPhrases are of the mock LLM.
func modelPhrases() []phraseRow {
	return []phraseRow{
		{"has both listen (start a mock there) and admin (arm one that runs): remove one", "同时有 listen（在那里启动模拟 LLM）与 admin（操纵已运行的）：请删去一个"},
		{"is of the mock that llm.admin names: give that too", "属于 llm.admin 所指的模拟 LLM：请同时给出 llm.admin"},
		{"listen and admin are for one's own server; the bundled one gets its mock by itself", "listen 与 admin 用于自己的服务器；内置服务器自带模拟 LLM"},
		{"cstest runs no mock LLM for this target: give llm.listen or llm.admin; without, faults only say when something else makes them happen", "cstest 没有为这个被测系统运行模拟 LLM：请给出 llm.listen 或 llm.admin；否则 faults 只说明别处何时造成故障"},
		{"is longer than %s", "超过 %s"},
		{"has more than 1000 answers", "应答超过 1000 个"},
		{"must have 1 byte to 64 KiB", "须有 1 字节到 64 KiB"},
		{"must be 1 or more for the rest of capacity to mean something", "至少为 1，capacity 的其余部分才有意义"},
		{"is a factor from 1 to 1000", "是 1 到 1000 的倍数"},
		{"is longer than 64 bytes", "超过 64 字节"},
		{"means nothing without tool", "没有 tool 则无意义"},
		{"must be a JSON object as text, such as '{\"order_no\": \"E1\"}', of at most 64 KiB", "须为写成文本的 JSON 对象，例如 '{\"order_no\": \"E1\"}'，至多 64 KiB"},
		{"mixes forms: with first_token and per_token the time of the whole follows", "混用了写法：给出 first_token 与 per_token 后，总时间即由它们决定"},
		{"first_token and per_token are needed together", "first_token 与 per_token 须同时给出"},
		{"has more than 100 faults", "故障超过 100 个"},
		{"must be above 0%%, else nothing happens", "须大于 0%%，否则什么也不会发生"},
		{"is longer than the fault", "比故障还长"},
		{"%s is after the end of the load (%s): the fault will not be seen", "%s 在压测结束（%s）之后：看不到这个故障"},
		{"the fault ends after the load does (%s): its recovery will not be seen", "故障在压测结束（%s）之后才结束：看不到它的恢复"},
		{"%d is not an HTTP status from %d to 599", "%d 不是 %d 到 599 的 HTTP 状态码"},
		{"on and off must be 1ms or more", "on 与 off 至少为 1ms"},
		{"is above 10000", "超过 10000"},
		{"is above 1000", "超过 1000"},
		{"is above 1MiB", "超过 1MiB"},
		{"is above 4GiB", "超过 4GiB"},
		{"is longer than 64 KiB", "超过 64 KiB"},
		{"must be body, choices or content", "须为 body、choices 或 content"},
		{"means nothing to kind %s; it is for %s", "对 kind %s 没有意义；它用于 %s"},
	}
}

// loadPhrases are of stages and conversations.
func loadPhrases() []phraseRow {
	return []phraseRow{
		{"has no stages: give stages, or users and for", "没有阶段：请写 stages，或 users 与 for"},
		{"has both stages and users or for: put users into the stages", "既有 stages 又有 users 或 for：请把 users 写到各阶段中"},
		{"has %d stages: %d are possible", "有 %d 个阶段：可以有 %d 个"},
		{"none is judged: leave judged: true to at least one", "没有一个计入判定：至少给一个留下 judged: true"},
		{"plan no user: nothing would be sent", "计划中没有用户：什么也不会发送"},
		{"plan %s conversations, less than one: nothing would be sent; raise starts or for", "计划中有 %s 个会话，不足一个：什么也不会发送；请加大 starts 或 for"},
		{"plans %.0f conversations: %.0f are possible", "计划中有 %.0f 个会话：可以有 %.0f 个"},
		{"is for users; with starts the rate paces", "用于 users；写 starts 时由速率决定节奏"},
		{"is for starts; users come round when they are ready", "用于 starts；写 users 时用户准备好就再来"},
		{"must be 1 to 1M", "须为 1 到 1M"},
		{"%s is below target.timeout, %s: turns still under way then are cut off, and nobody knows whether they would have been good", "%s 小于 target.timeout（%s）：届时未完成的轮次会被切断，无从知道它们是否合格"},
		{"must have exactly one of starts and users", "starts 与 users 须恰好写一个"},
		{"mixes starts and users: all stages have the one or the other", "混用了 starts 与 users：所有阶段须同用其一"},
		{"is above %dk/s", "超过 %dk/s"},
		{"is above %dM", "超过 %dM"},
		{"is longer than 24h", "超过 24h"},
		{"mixes forms: write one of a duration, {min, max} and {median, %s}", "混用了写法：请写时长、{min, max} 与 {median, %s} 之一"},
		{"needs min and max, min at most max", "须有 min 与 max，且 min 不大于 max"},
		{"needs median (above 0s) and %s (not below it)", "须有 median（大于 0s）与 %s（不小于它）"},
		{"has %d items: 1 to %d are possible", "有 %d 项：可以有 1 到 %d 项"},
		{"has %d turns: 1 to %d are possible", "有 %d 轮：可以有 1 到 %d 轮"},
		{"all have weight 0: one at least must happen", "权重全为 0：至少要有一个发生"},
		{"have %d turns together: %d are possible", "共有 %d 轮：可以有 %d 轮"},
		{"is longer than 16 KiB", "超过 16 KiB"},
		{"has a ⟦ or ⟧ in it, which mark what cstest adds to find lost context", "含有 ⟦ 或 ⟧，它们标记 cstest 为查找丢失的上下文而加入的内容"},
		{"the first turn begins the conversation: there is no pause before it", "第一轮即会话的开始：之前没有停顿"},
		{"expects nothing: give contains, not_contains or matches", "没有期望：请写 contains、not_contains 或 matches"},
	}
}

// variablePhrases are of what stands in templates.
func variablePhrases() []phraseRow {
	return []phraseRow{
		{"${%s}: what comes from outside may be a secret, and what users say is written to the results: take a data table", "${%s}：外部来的可能是密钥，而用户所说会写入结果：请用数据表"},
		{"${%s} cannot stand in %s: it may stand in %s", "${%s} 不能写在 %s 中：可以写在 %s"},
		{"${dialog.id} would always be empty: api openai names no dialogs; %s", "${dialog.id} 会一直是空的：api openai 不为对话命名；%s"},
		{"${dialog.id} would always be empty: say in target.response.dialog_id where the server names the dialog; %s", "${dialog.id} 会一直是空的：请在 target.response.dialog_id 写明服务端在哪里给出对话的 id；%s"},
		{"${conversation.id} is a session that the client chooses", "${conversation.id} 是由客户端选定的会话 id"},
		{"${%s.%s} cannot stand in %s: rows of tables may stand in %s", "${%s.%s} 不能写在 %s 中：数据表的行可以写在 %s"},
		{"${%s.%s}: the table %s has no column %q%s", "${%s.%s}：表 %s 没有列 %q%s"},
		{"${%s} is not a variable: from outside there are ${env:NAME} and ${file:PATH}%s", "${%s} 不是变量：外部来源有 ${env:NAME} 与 ${file:PATH}%s"},
		{"${%s} is not known here%s", "${%s} 不是这里的变量%s"},
		{"${login.%s}: there is no target.login that saves it", "${login.%s}：没有保存它的 target.login"},
		{"${login.%s} is not saved by target.login.save%s", "${login.%s} 没有由 target.login.save 保存%s"},
		{"${login.%s} is not saved by a step before this one", "${login.%s} 没有由此前的步骤保存"},
		{"${saved.%s}: nothing saves it: write save: {%s: PLACE} in target.before, request or then", "${saved.%s}：没有保存它的地方：请在 target.before、request 或 then 中写 save: {%s: PLACE}"},
		{"${saved.%s} is not saved by target.before, request or then%s", "${saved.%s} 没有由 target.before、request 或 then 保存%s"},
		{"${saved.%s} is not saved by a step before this one", "${saved.%s} 没有由此前的步骤保存"},
		{"${history} is for api: custom; api %s sends what it needs", "${history} 用于 api: custom；api %s 会发送所需内容"},
		{"${history} is a list: it can only be an item or a whole member of a JSON target.request.body", "${history} 是列表：只能作为 JSON 的 target.request.body 中的一项或某个成员的全部"},
	}
}

// objectivePhrases are of what the SLA asks.
func objectivePhrases() []phraseRow {
	return []phraseRow{
		{"asks for nothing: write for example latency: {p99: 500ms} and availability: 99%%", "什么也没有要求：请写例如 latency: {p99: 500ms} 与 availability: 99%%"},
		{"0%% asks for nothing: remove it", "0%% 等于没有要求：请删去"},
		{"100%% can fail and never pass by inference: any sample leaves room for a rarer failure", "100%% 可以不通过，却永远不能由推断通过：任何样本都容许更罕见的失败"},
		{"must be from 50%% to below 100%%, 95%% is usual", "须从 50%% 到 100%% 以下，通常为 95%%"},
		{"write bad, exclude or {contract: 500/s}", "请写 bad、exclude 或 {contract: 500/s}"},
		{"asks for nothing: give latency or quality", "什么也没有要求：请写 latency 或 quality"},
		{"recovery is when sla.latency holds again: give that too", "恢复即 sla.latency 重新成立之时：请也写出它"},
		{"has more than %d objectives", "目标超过 %d 个"},
		{"%d objectives count turns, with those of the short form and the checks, and %d can be counted: remove %d, or judge them in a second scenario", "连同简写与检查在内，有 %d 个目标按轮次计数，而至多可计 %d 个：请删去 %d 个，或放到另一个场景中判定"},
		{"%s is tighter than %s (%s), which therefore decides nothing", "%s 比 %s（%s）更严，后者因此不起作用"},
		{"%s is below the P99 limit of %s: what is not answered by then is bad anyway", "%s 小于 P99 的限值 %s：届时没有应答的总归不合格"},
		{"there is no fault %q in llm.faults%s", "llm.faults 中没有故障 %q%s"},
		{"means nothing to kind %s: remove it", "对 kind %s 没有意义：请删去"},
		{"is missing (or zero): kind %s needs it", "缺少（或为零）：kind %s 需要它"},
		{"a conversation is complete, or complete with degraded answers: write %s, or remove it", "会话要么完整，要么以降级应答完整：请写 %s，或删去"},
		{"%s is for target.mode: stream", "%s 用于 target.mode: stream"},
		{"%s is the name of a check of kind %s: choose another", "%s 是一项 %s 检查的名称：请换一个"},
		{"first_reasoning is for api openai and custom: no other has a place for the model's reasoning", "first_reasoning 用于 api openai 与 custom：其他 api 没有模型推理的位置"},
		{"first_reasoning needs target.response.stream.reasoning: where the model's reasoning is", "first_reasoning 需要 target.response.stream.reasoning：模型推理在哪里"},
		{"there is no stage %q%s", "没有阶段 %q%s"},
		{"the stage %s is not judged", "阶段 %s 不计入判定"},
		{"is an empty list: name stages, or remove it for every judged one", "是空列表：请写出阶段，或删去以表示所有计入判定的阶段"},
	}
}
