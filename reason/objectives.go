package reason

// What an objective's verdict rests on.
const (
	Latency             Code = "latency"
	LatencyBad          Code = "latency_bad"
	AnswersWithin       Code = "answers_within"
	AnswersAbout        Code = "answers_about"
	AnswersTooFew       Code = "answers_too_few"
	NoAnswers           Code = "no_answers"
	NotAnswered         Code = "not_answered"
	NotFullQuality      Code = "not_full_quality"
	NotFullQualityCalm  Code = "not_full_quality_outside_storms"
	NotExpected         Code = "not_expected"
	FirstTokenLate      Code = "first_token_late"
	FirstReasoningLate  Code = "first_reasoning_late"
	ChunkGapLong        Code = "chunk_gap_long"
	ConversationsBad    Code = "conversations_bad"
	ConversationsLeft   Code = "conversations_left"
	Bad                 Code = "bad"
	BadSeconds          Code = "bad_seconds"
	BadSecondsScaled    Code = "bad_seconds_scaled"
	ForeignAnswers      Code = "foreign_answers"
	PlantedAnswers      Code = "planted_answers"
	LetInTurns          Code = "let_in_turns"
	ContextLost         Code = "context_lost"
	CallsPerTurn        Code = "calls_per_turn"
	CallsPerTurnOver    Code = "calls_per_turn_over"
	Observed            Code = "observed"
	NotObserved         Code = "not_observed"
	Recovered           Code = "recovered"
	RecoveredLate       Code = "recovered_late"
	NotRecovered        Code = "not_recovered"
	ThisRunMet          Code = "this_run_met"
	ThisRunNotMet       Code = "this_run_not_met"
	GateMet             Code = "gate_met"
	GateNotMet          Code = "gate_not_met"
	Inferred            Code = "inferred"
	NotInferred         Code = "not_inferred"
	NotInferredNeeds    Code = "not_inferred_needs"
	NotInferredUsers    Code = "not_inferred_users"
	NotInferredOnBudget Code = "not_inferred_on_budget"
)

// Why an objective is inconclusive or not verified.
const (
	NothingToJudge    Code = "nothing_to_judge"
	SecondsTooThin    Code = "seconds_too_thin"
	SecondsUnknown    Code = "seconds_unknown"
	SecondsBetween    Code = "seconds_between"
	SecondsDoubtful   Code = "seconds_doubtful"
	NoTurnSent        Code = "no_turn_sent"
	RecoveryUnseen    Code = "recovery_unseen"
	RecoveryHidden    Code = "recovery_hidden"
	NoCanaryContent   Code = "no_canary_content"
	NoCanaryContext   Code = "no_canary_context"
	NoTurnAnswered    Code = "no_turn_answered"
	NoTurnRefused     Code = "no_turn_refused"
	RefusalUnseen     Code = "refusal_unseen"
	LLMCallsUnknown   Code = "llm_calls_unknown"
	NotCounted        Code = "not_counted"
	NoStream          Code = "no_stream"
	NoReasoning       Code = "no_reasoning"
	CutUnknown        Code = "cut_unknown"
	TierUntold        Code = "tier_untold"
	TierNeverTold     Code = "tier_never_told"
	DegradedUntold    Code = "degraded_untold"
	DegradedNeverTold Code = "degraded_never_told"
	RepeatedUntold    Code = "repeated_untold"
	RecoveryUntold    Code = "recovery_untold"
	NoChunkGap        Code = "no_chunk_gap"
	NoCheckedAnswer   Code = "no_checked_answer"
	StormDidNotHappen Code = "storm_did_not_happen"
	ObjectiveSays     Code = "objective"
	ForeignContent    Code = "foreign_content"
	LetIn             Code = "let_in"
	Metastable        Code = "metastable"
)

func objectiveRows() []row {
	return append([]row{
		{Latency, "P{quantile:quantile} {limit:duration}: {verdict:word}: {not_answered:share} not answered, {late:share} answered too late", "P{quantile} {limit}：{verdict}：{not_answered} 未应答，{late} 应答过晚"},
		{LatencyBad, "P{quantile:quantile} {limit:duration}: {verdict:word}: {bad:share} bad", "P{quantile} {limit}：{verdict}：{bad} 不合格"},
		{AnswersWithin, "P{quantile:quantile} of answers {measured:duration}", "应答的 P{quantile} 为 {measured}"},
		{AnswersAbout, "P{quantile:quantile} of answers about {measured:duration}", "应答的 P{quantile} 约为 {measured}"},
		{AnswersTooFew, "P{quantile:quantile} of {n:count} answers n/a (needs {needs:count})", "{n} 个应答不足以给出 P{quantile}（需 {needs} 个）"},
		{NoAnswers, "no answers", "没有应答"},
		{NotAnswered, "{verdict:word}: {bad:count} of {n:count} turns not answered", "{verdict}：{n} 轮中 {bad} 轮未得到应答"},
		{NotFullQuality, "{verdict:word}: {bad:count} of {n:count} turns not answered in full quality", "{verdict}：{n} 轮中 {bad} 轮未得到完整质量的应答"},
		{NotFullQualityCalm, "{verdict:word}: {bad:count} of {n:count} turns not answered in full quality outside storms and recovery (whole run {whole_run:share})", "{verdict}：风暴与恢复期之外 {n} 轮中 {bad} 轮未得到完整质量的应答（全程 {whole_run}）"},
		{NotExpected, "{verdict:word}: {bad:count} of {n:count} checked answers not as expected", "{verdict}：{n} 个受检应答中 {bad} 个不符预期"},
		{FirstTokenLate, "first token of the answer {limit:duration}: {verdict:word}: {bad:count} of {n:count} turns had it later, or were not answered in whole", "应答的首个 token {limit}：{verdict}：{n} 轮中 {bad} 轮更晚，或未得到完整应答"},
		{FirstReasoningLate, "first token of the reasoning {limit:duration}: {verdict:word}: {bad:count} of {n:count} turns had it later, or were not answered in whole", "推理的首个 token {limit}：{verdict}：{n} 轮中 {bad} 轮更晚，或未得到完整应答"},
		{ChunkGapLong, "chunk gap {limit:duration}: {verdict:word}: {bad:count} of {n:count} streams had a longer one, or broke off", "分块间隔 {limit}：{verdict}：{n} 个流中 {bad} 个出现更长间隔或中断"},
		{ConversationsLeft, "{verdict:word}: {bad:count} of {n:count} conversations were abandoned by the customer, who waited in vain", "{verdict}：{n} 个会话中 {bad} 个因顾客等不到应答而离开"},
		{ConversationsBad, "{verdict:word}: {bad:count} of {n:count} conversations with a turn that was not good", "{verdict}：{n} 个会话中 {bad} 个含有不合格的轮次"},
		{Bad, "{verdict:word}: {bad:count} of {n:count} bad", "{verdict}：{n} 中 {bad} 不合格"},
		{BadSeconds, "{verdict:word}: {bad:count} of {n:count} s under 95 % answered, {allowed:count} allowed", "{verdict}：{n} 秒中 {bad} 个坏秒（应答率低于 95 %），允许 {allowed} 个"},
		{BadSecondsScaled, "{verdict:word}: {bad:count} of {n:count} s under 95 % answered, {allowed:count} allowed (scaled; {per_hour:count} per hour)", "{verdict}：{n} 秒中 {bad} 个坏秒（应答率低于 95 %），允许 {allowed} 个（折算；每小时 {per_hour} 个）"},
		{ForeignAnswers, "{verdict:word}: {bad:count} answers with foreign content in {n:count} that tell whose it is", "{verdict}：{n} 个可辨明归属的应答中 {bad} 个含有他人内容"},
		{PlantedAnswers, "{verdict:word}: {bad:count} answers with a planted value unmasked in {n:count}", "{verdict}：{n} 个应答中 {bad} 个未掩码地露出植入值"},
		{LetInTurns, "{verdict:word}: {bad:count} of {n:count} turns that had to be refused were answered", "{verdict}：{n} 轮应当被拒绝的请求中有 {bad} 轮得到了应答"},
		{ContextLost, "{verdict:word}: {bad:count} answers without the dialog so far in {n:count}", "{verdict}：{n} 个应答中 {bad} 个丢失了此前的对话"},
		{CallsPerTurn, "{verdict:word}: {measured:figure} LLM calls per turn ≤ {allowed:figure}", "{verdict}：每轮 LLM 调用 {measured} ≤ {allowed}"},
		{Observed, "{verdict:word}: {name:text} outside its limits in {bad:count} of {seconds:count} seconds", "{verdict}：{name} 在 {seconds} 秒中有 {bad} 秒超出限值"},
		{NotObserved, "not verified: {name:text} was seen in {seen:count} of {seconds:count} judged seconds only", "未验证：{name} 在 {seconds} 个被评判的秒中只观测到 {seen} 秒"},
		{CallsPerTurnOver, "{verdict:word}: {measured:figure} LLM calls per turn > {allowed:figure}", "{verdict}：每轮 LLM 调用 {measured} > {allowed}"},
		{Recovered, "{verdict:word}: recovered {took:duration} after the end of {storm:text} ≤ {allowed:duration}", "{verdict}：{storm} 结束 {took} 后恢复 ≤ {allowed}"},
		{RecoveredLate, "{verdict:word}: recovered {took:duration} after the end of {storm:text} > {allowed:duration}", "{verdict}：{storm} 结束 {took} 后恢复 > {allowed}"},
		{NotRecovered, "{verdict:word}: not recovered {took:duration} after the end of {storm:text}, {allowed:duration} allowed", "{verdict}：{storm} 结束 {took} 后仍未恢复，允许 {allowed}"},
		{ThisRunMet, "this run: {bad:share} ≤ {allowed:share}, met", "本次：{bad} ≤ {allowed}，达到"},
		{ThisRunNotMet, "this run: {bad:share} > {allowed:share}, not met", "本次：{bad} > {allowed}，未达到"},
		{GateMet, "this run: {bad:share} ≤ {allowed:share}, met (the gate)", "本次：{bad} ≤ {allowed}，达到（以此为准）"},
		{GateNotMet, "this run: {bad:share} > {allowed:share}, not met (the gate)", "本次：{bad} > {allowed}，未达到（以此为准）"},
		{Inferred, "inference: {verdict:word}, at {confidence:share} confidence if failures are independent", "推断：{verdict}，置信度 {confidence}（假定失败相互独立）"},
		{NotInferred, "inference: inconclusive at {confidence:share} confidence", "推断：置信度 {confidence} 下证据不足"},
		{NotInferredNeeds, "inference: inconclusive at {confidence:share} confidence, about {needs:count} would decide four times in five", "推断：置信度 {confidence} 下证据不足，约需 {needs} 轮才能以八成把握判定"},
		{NotInferredUsers, "inference: inconclusive at {confidence:share} confidence, by {users:count} users who each ask again and again: about {needs:count} users would decide four times in five", "推断：置信度 {confidence} 下证据不足：仅有 {users} 个反复提问的用户，约需 {needs} 个用户才能以八成把握判定"},
		{NotInferredOnBudget, "inference: inconclusive at {confidence:share} confidence, and it cannot be decided at this share: it lies on the budget", "推断：置信度 {confidence} 下证据不足，且以此占比无法判定：它正好落在预算上"},
	}, openRows()...)
}

// openRows are those of objectives that nothing, or too little, bears on.
func openRows() []row {
	return []row{
		{NothingToJudge, "inconclusive: nothing to judge; at least {needs:count} good ones pass", "证据不足：没有可判定的轮次；至少 {needs} 轮全部合格才能通过"},
		{SecondsTooThin, "inconclusive: no turn was sent in any second that is judged", "证据不足：计入判定的各秒内没有发出任何轮次"},
		{SecondsUnknown, "inconclusive: {bad:count} of {n:count} s under 95 % answered, and nothing was asked in {unknown:count} of {total:count} s", "证据不足：{n} 秒中 {bad} 个坏秒（应答率低于 95 %），且 {total} 秒中有 {unknown} 秒没有任何请求"},
		{SecondsDoubtful, "inconclusive: {bad:count} of {n:count} s under 95 % answered and {doubtful:count} with one bad turn among too few to tell, {allowed:count} allowed", "证据不足：{n} 秒中 {bad} 个坏秒（应答率低于 95 %），另有 {doubtful} 秒轮次太少、其中一轮不合格而无法判定，允许 {allowed} 个"},
		{SecondsBetween, "inconclusive: {bad:count} of {n:count} s under 95 % answered is more than {allowed:share}, but by less than a whole second (it takes {needs:count} s to allow one)", "证据不足：{n} 秒中 {bad} 个坏秒（应答率低于 95 %），超出 {allowed}，但不足一整秒（{needs} 秒才允许一个坏秒）"},
		{NoTurnSent, "inconclusive: no turn was sent", "证据不足：没有发出任何轮次"},
		{RecoveryHidden, "inconclusive: {other:text} went on when {storm:text} ended, so recovery from it alone was not seen", "证据不足：{storm} 结束时 {other} 仍在持续，看不出单独从它恢复的过程"},
		{RecoveryUnseen, "inconclusive: too few turns after {storm:text}, or too little time, to see recovery hold for {hold:duration}", "证据不足：{storm} 之后轮次太少或时间太短，看不出恢复能否保持 {hold}"},
		{NoCanaryContent, "not verified: no canary came back, so nothing tells whose content an answer holds", "未验证：没有金丝雀返回，无从得知应答里是谁的内容"},
		{NoCanaryContext, "not verified: no canary came back, so nothing tells what the model was shown", "未验证：没有金丝雀返回，无从得知模型看到了什么"},
		{NoTurnAnswered, "not verified: no turn was answered", "未验证：没有任何轮次得到应答"},
		{NoTurnRefused, "not verified: no turn that had to be refused was refused, or answered", "未验证：应当被拒绝的轮次既没有被拒绝，也没有得到应答"},
		{RefusalUnseen, "not verified: turn {turn:count} of {conversation:text} had to be refused, and not once was it seen to be", "未验证：{conversation} 的第 {turn} 轮应当被拒绝，却一次也没有看到它被拒绝"},
		{LLMCallsUnknown, "not verified: the mock LLM did not tell its calls", "未验证：模拟 LLM 没有报告调用次数"},
		{NotCounted, "not verified: the run did not count it", "未验证：本次运行没有统计它"},
		{CutUnknown, "{verdict:word}: {cut:count} more were cut off by cstest itself: good or bad, nobody knows", "{verdict}：另有 {cut} 个被 cstest 自己中断，好坏未知"},
		{TierUntold, "{verdict:word}: {share:share} of the answers judged do not say their tier (target.response.tier.from found nothing)", "{verdict}：{share} 的受判应答没有说明档位（target.response.tier.from 未找到）"},
		{TierNeverTold, "not verified: no answer says its tier (target.response.tier.from found nothing)", "未验证：没有应答说明档位（target.response.tier.from 未找到）"},
		{DegradedUntold, "{verdict:word}: {share:share} of the answers judged do not say whether they are degraded (target.response.degraded found nothing)", "{verdict}：{share} 的受判应答没有说明是否降级（target.response.degraded 未找到）"},
		{DegradedNeverTold, "not verified: no answer says whether it is degraded (target.response.degraded found nothing)", "未验证：没有应答说明是否降级（target.response.degraded 未找到）"},
		{RepeatedUntold, "{verdict:word}: {share:share} of the answers judged are one that many different questions got (see the warnings): say in checks.canned which lines stand in for an answer", "{verdict}：{share} 的受判应答是许多不同问题得到的同一句话（见警告）：请在 checks.canned 中写明哪些是顶替应答的套话"},
		{RecoveryUntold, "not verified: too many answers after {storm:text} do not say whether the model gave them", "未验证：{storm} 之后有太多应答没有说明是否由模型给出"},
		{NoReasoning, "not verified: no stream had any reasoning", "未验证：没有哪个流含有推理内容"},
		{NoStream, "not verified: no answer came as a stream", "未验证：没有流式应答"},
		{NoChunkGap, "not verified: no stream had two contents", "未验证：没有哪个流含有两段内容"},
		{NoCheckedAnswer, "not verified: no checked turn was answered by the model", "未验证：没有受检轮次由模型应答"},
		{StormDidNotHappen, "not verified: storm {storm:quoted} did not happen", "未验证：风暴 {storm} 没有发生"},
		{ObjectiveSays, "{objective:text}: {says:reasons}", "{objective}：{says}"},
		{ForeignContent, "integrity: {bad:count} answers with foreign content", "integrity：{bad} 个应答含有他人内容"},
		{LetIn, "refused: {bad:count} turns that had to be refused were answered", "refused：{bad} 轮应当被拒绝的请求得到了应答"},
		{Metastable, "storm {storm:text}: metastable: goodput did not return to 95 % after it, at the arrival rate of its start", "风暴 {storm}：亚稳态：到达率与风暴开始时相同，有效吞吐却没有恢复到 95 %"},
	}
}
