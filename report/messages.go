package report

// message is what the judge, or the run, says: in English as it is written in
// result.json, with %s for what differs and %v for a verdict, and in Chinese
// with %1 to %9 for the same in order.
type message struct{ en, zh string }

// messages is the catalogue, the special before the general.
func messages() []message {
	return append(append(append(verdictMessages(), reasonMessages()...), warningMessages()...), runMessages()...)
}

func verdictMessages() []message {
	return []message{
		{"pass", "通过"}, {"fail", "不通过"}, {"inconclusive", "证据不足"}, {"not_verified", "未验证"},
		{"this run: %s ≤ %s, met", "本次:%1 ≤ %2,达到"},
		{"this run: %s > %s, not met", "本次:%1 > %2,未达到"},
		{"this run: %s ≤ %s, met (the gate)", "本次:%1 ≤ %2,达到(以此为准)"},
		{"this run: %s > %s, not met (the gate)", "本次:%1 > %2,未达到(以此为准)"},
		{"inference: %v, at %s confidence", "推断:%1,置信度 %2"},
		{"inference: inconclusive at %s confidence, about %s would decide", "推断:置信度 %1 下证据不足,约需 %2 轮才能判定"},
		{"inference: inconclusive at %s confidence", "推断:置信度 %1 下证据不足"},
		{"inconclusive: nothing to judge; at least %s good ones pass", "证据不足:没有可判定的轮次;至少 %1 轮全部合格才能通过"},
	}
}

// reasonMessages are those of objectives.
func reasonMessages() []message {
	return []message{
		{"P%s %s: %v: %s failed", "P%1 %2:%3:%4 失败"},
		{"P%s %s: %v: %s bad", "P%1 %2:%3:%4 不合格"},
		{"P%s of answers %s", "已回答的 P%1 为 %2"},
		{"no answers", "没有回答"},
		{"%v: %s of %s turns not answered in full quality outside storms and recovery (whole run %s)", "%1:风暴与恢复期之外 %3 轮中 %2 轮未得到完整质量的回答(全程 %4)"},
		{"%v: %s of %s turns not answered in full quality", "%1:%3 轮中 %2 轮未得到完整质量的回答"},
		{"%v: %s of %s turns not answered", "%1:%3 轮中 %2 轮未得到回答"},
		{"%v: %s of %s checked answers not as expected", "%1:%3 个受检回答中 %2 个不符预期"},
		{"first token %s: %v: %s of %s turns without or later", "首个 token %1:%2:%4 轮中 %3 轮没有或更晚"},
		{"chunk gap %s: %v: %s of %s longer", "分片间隔 %1:%2:%4 个中 %3 个更长"},
		{"%v: %s of %s conversations with a turn that was not good", "%1:%3 个会话中 %2 个含有不合格的轮次"},
		{"%v: %s of %s s under 95 % answered, %s allowed (scaled; %s per hour)", "%1:%3 秒中 %2 秒应答率低于 95 %,允许 %4 秒(折算;每小时 %5 秒)"},
		{"%v: %s of %s s under 95 % answered, %s allowed", "%1:%3 秒中 %2 秒应答率低于 95 %,允许 %4 秒"},
		{"inconclusive: no second had enough turns to be called good or bad", "证据不足:没有哪一秒的轮次足以判定好坏"},
		{"%v: %s of %s bad", "%1:%3 中坏 %2"},
		{"%v: %s answers with foreign content in %s", "%1:%3 个回答中 %2 个含有他人内容"},
		{"%v: %s answers with a planted value unmasked in %s", "%1:%3 个回答中 %2 个未掩码地露出植入值"},
		{"%v: %s answers without the dialog so far in %s", "%1:%3 个回答中 %2 个丢失了此前的对话"},
		{"%v: %s LLM calls per turn %s %s", "%1:每轮 LLM 调用 %2 %3 %4"},
		{"inconclusive: no turn was sent", "证据不足:没有发出任何轮次"},
		{"inconclusive: too few turns after %s, or too little time, to see recovery hold for %s s", "证据不足:%1 之后轮次太少或时间太短,看不出恢复能否保持 %2 秒"},
		{"fail: not recovered %s after the end of %s, %s allowed", "不通过:%2 结束 %1 后仍未恢复,允许 %3"},
		{"%v: recovered %s after the end of %s %s %s", "%1:%3 结束 %2 后恢复 %4 %5"},
		{"not verified: no canary came back, so nothing tells whose content an answer holds", "未验证:没有金丝雀返回,无从得知回答里是谁的内容"},
		{"not verified: no canary came back, so nothing tells what the model was shown", "未验证:没有金丝雀返回,无从得知模型看到了什么"},
		{"not verified: no turn was answered", "未验证:没有任何轮次得到回答"},
		{"not verified: the mock LLM did not tell its calls", "未验证:模拟 LLM 没有报告调用次数"},
		{"not verified: the run did not count it", "未验证:本次运行没有统计它"},
		{"not verified: no answer came as a stream", "未验证:没有流式回答"},
		{"not verified: no stream had two contents", "未验证:没有哪个流含有两段内容"},
		{"not verified: no checked turn was answered by the model", "未验证:没有受检轮次由模型回答"},
		{"not verified: storm %s did not happen", "未验证:风暴 %1 没有发生"},
	}
}

// warningMessages are those of the run as a whole, and of the generator.
func warningMessages() []message {
	return []message{
		{"storm %s: metastable: goodput did not return to 95 % after it, at the arrival rate of its start", "风暴 %1:亚稳态:到达率与风暴开始时相同,有效吞吐却没有恢复到 95 %"},
		{"no turn was sent", "没有发出任何轮次"},
		{"%s stretches of the journal could not be read: what they held is missing", "日志有 %1 段无法读取:其中的内容缺失"},
		{"the load ended before its plan: %s", "压测未按计划走完:%1"},
		{"integrity: %s answers with foreign content", "integrity:%1 个回答含有他人内容"},
		{"%s turns got an unexpected 4xx: the scenario may be wrong", "%1 轮得到意外的 4xx:场景可能写错了"},
		{"%s turns were refused beyond the contract and are judged by no objective", "%1 轮因超出约定而被拒绝,不计入任何目标"},
		{"%s durations were longer than 1 h and are shown as 1 h", "%1 个时长超过 1 小时,按 1 小时显示"},
		{"the target runs on the generator's machine: they share its %s cores", "被测系统与压测机在同一台机器上:共用 %1 个核"},
		{"Little's law is off by %s %: %s turns in flight against rate x mean response time %s", "利特尔法则偏差 %1 %:在途 %2 轮,而速率 × 平均响应时间为 %3"},
		{"counts are not conserved: %s", "计数不守恒:%1"},
		{"%s does not hold: %s against %s", "%1 不成立:%2 对 %3"},
		{"only %s of %s planned starts were issued, through the generator's own fault", "计划的 %2 次会话到达只发起了 %1 次,原因在压测机自身"},
		{"%s of %s starts were dropped by the generator, more than %s", "%2 次会话到达中有 %1 次被压测机丢弃,超过 %3"},
		{"%s x start beyond guard.max_turns", "%1 次超出 guard.max_turns"},
		{"%s x out of descriptors or ports", "%1 次因描述符或端口用尽"},
		{"%s x no more connections can be opened here: %s", "%1 次因本机无法再建立连接:%2"},
		{"%s fails only with the %s of %s seconds in which the generator was late", "%1 只有计入压测机自身滞后的那 %2 秒(共 %3 秒)才不通过"},
		{"planned starts = issued + dropped", "计划到达 = 已发起 + 已丢弃"},
		{"starts of the schedule = issued + dropped", "时间表上的到达 = 已发起 + 已丢弃"},
		{"conversations issued = conversations ended", "已发起会话 = 已结束会话"},
		{"starts = starts by second", "到达 = 逐秒到达之和"},
		{"dropped starts = dropped starts by second", "丢弃 = 逐秒丢弃之和"},
		{"turns = turns by second", "轮次 = 逐秒轮次之和"},
		{"turns = turns by turn of the conversation", "轮次 = 会话各轮之和"},
		{"turns = response times", "轮次 = 响应时间个数"},
		{"turns = lags", "轮次 = 滞后个数"},
		{"answered turns = tiers", "已回答轮次 = 各档之和"},
		{"answered turns = response times of answers", "已回答轮次 = 回答的响应时间个数"},
		{"answered turns = service times", "已回答轮次 = 服务时间个数"},
	}
}

// runMessages are what befell the run, and what is missing from its journal.
func runMessages() []message {
	return []message{
		{"this machine slept for %s in second %s of the load: what was in flight then is not the target's doing", "压测第 %2 秒本机休眠了 %1:当时在途的轮次与被测系统无关"},
		{"the wall clock was set by %s in second %s of the load: durations are measured with another and are not affected, times of day in logs are", "压测第 %2 秒系统时钟被调整了 %1:时长用另一时钟测量,不受影响;日志中的时刻会受影响"},
		{"a different SUT answered from second %s: it says %s, before the load it was %s", "自第 %1 秒起由另一个系统应答:它自称 %2,压测前为 %3"},
		{"%s of %s times the target was asked who it is, it said %s and not %s: several kinds of servers answer", "询问被测系统身份 %2 次,其中 %1 次自称 %3 而非 %4:有多种服务器在应答"},
		{"recording: %s", "记录:%1"},
		{"what shows the run panicked and was switched off; the measurements are not affected", "显示部分崩溃并已关闭;测量不受影响"},
		{"guard.abort: at least %s of turns bad for %s, at %s", "guard.abort:在 %3 时,至少 %1 的轮次已连续 %2 不合格"},
		{"load: %s", "压测:%1"},
		{"shard %s is missing", "缺少分片 %1"},
		{"%s shards are missing, the first is %s", "缺少 %1 个分片,第一个是 %2"},
		{"the shards started up to %s s apart and their seconds are added up all the same: give all of them the same --start-at", "各分片的开始时间最多相差 %1 s,但仍按各自的秒数相加:请给它们相同的 --start-at"},
		{"a signal ended the load", "压测被信号终止"},
		{"it was to end at once", "被要求立即结束"},
		{"no more conversations were to start", "被要求不再发起会话"},
		{"mock LLM: %s; storm edges are the planned ones and LLM calls are not known", "模拟 LLM:%1;风暴的起止按计划计,LLM 调用次数未知"},
		{"reference-server: %s; its own counters are not known", "reference-server:%1;它自己的计数未知"},
		{"%s ended during the run after %s s: %s", "%1 在运行 %2 s 后意外退出:%3"},
		{"the journal ends before the run does: it lacks what happened after its last whole second", "日志先于运行结束:缺少最后一个整秒之后的内容"},
		{"the journal's note %s cannot be read: %s", "日志中的附注 %1 无法读取:%2"},
		{"%s ends after %s s of the load without the end of the run: up to a second before that is lost", "%1 在压测 %2 s 后中断,没有运行结束的记录:此前最多一秒的内容丢失"},
		{"%s: the last %s bytes are a write that was never finished", "%1:最后 %2 字节是一次未完成的写入"},
		{"%s: %s bytes at offset %s cannot be read: what they held is missing", "%1:偏移 %3 处的 %2 字节无法读取:其中的内容缺失"},
	}
}
