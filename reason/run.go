package reason

// What is to be known of a run as a whole.
const (
	AsSaid              Code = "said" // somebody else's text
	EndedEarly          Code = "ended_early"
	NothingSent         Code = "nothing_sent"
	TooFewConversations Code = "too_few_conversations"
	JournalGaps         Code = "journal_gaps"
	Unexpected4xx       Code = "unexpected_4xx"
	BeyondContract      Code = "beyond_contract"
	RateLimitedExcluded Code = "rate_limited_excluded"
	TurnsCut            Code = "turns_cut"
	TierUnmapped        Code = "tier_unmapped"
	TierMissing         Code = "tier_missing"
	AnswerRepeated      Code = "answer_repeated"
	DegradedMissing     Code = "degraded_missing"
	DurationsClamped    Code = "durations_clamped"
	ManySources         Code = "many_sources"
	SharedHost          Code = "shared_host"
	LittlesLawOff       Code = "littles_law_off"
	SignalEnded         Code = "signal_ended"
	ToEndNow            Code = "to_end_now"
	ToStartNoMore       Code = "to_start_no_more"
	GuardAbort          Code = "guard_abort"
	LoadFailed          Code = "load_failed"
	RecordingFailed     Code = "recording_failed"
	ViewPanicked        Code = "view_panicked"
	MockUnheard         Code = "mock_unheard"
	ServerUnheard       Code = "server_unheard"
	ProcessEnded        Code = "process_ended"
	ShardPanicked       Code = "shard_panicked"
	ClaimPossible       Code = "claim_possible"
	ClaimImpossible     Code = "claim_impossible"
	LoadPanicked        Code = "load_panicked"
	FuseAbove           Code = "fuse_above"
	FuseBelow           Code = "fuse_below"
	FuseBlind           Code = "fuse_blind"
	ObserveFailed       Code = "observe_failed"
	FaultsPutBack       Code = "faults_put_back"
	FaultsLeft          Code = "faults_left"
	OutputSlow          Code = "output_slow"
	OutputFailed        Code = "output_failed"
)

func runRows() []row {
	return []row{
		{AsSaid, "{text:text}", "{text}"},
		{EndedEarly, "the load ended before its plan: {why:reasons}", "压测未按计划走完：{why}"},
		{NothingSent, "no turn was sent", "没有发出任何轮次"},
		{TooFewConversations, "{begun:count} of the {asked:count} conversations of load.conversations began in {time:duration}: the target was too slow for more; give the stages more time, or more users", "load.conversations 要求 {asked} 个会话，{time} 内只开始了 {begun} 个：被测系统太慢，跑不完；请加长阶段，或增加用户"},
		{JournalGaps, "{stretches:count} stretches of the journal could not be read: what they held is missing", "运行记录有 {stretches} 段无法读取：其中的内容缺失"},
		{Unexpected4xx, "{turns:count} turns got an unexpected 4xx: the scenario may be wrong", "{turns} 轮得到意外的 4xx：场景可能写错了"},
		{BeyondContract, "{turns:count} turns were refused beyond the contract and are judged by no objective", "{turns} 轮因超出约定而被拒绝，不计入任何目标"},
		{RateLimitedExcluded, "{turns:count} turns were answered 429, which sla.rate_limited: exclude leaves out: they are judged by no objective", "{turns} 轮得到 429，按 sla.rate_limited: exclude 排除：不计入任何目标"},
		{TurnsCut, "{turns:count} turns were under way when cstest ended the load: they are unknown, and spend no budget; a longer load.drain waits for them", "{turns} 轮在 cstest 结束压测时尚未完成：结果未知，不消耗预算；加长 load.drain 可等到它们"},
		{TierUnmapped, "tier {word:quoted}, which target.response.tier.map does not have, in {share:share} of the answers: not full quality", "档位 {word} 不在 target.response.tier.map 中，占应答的 {share}：不算完整质量"},
		{AnswerRepeated, "{questions:count} different questions got one and the same answer (numbers and ids aside), {share:share} of all answers: {answer:quoted}; where it stands in for an answer, add it to checks.canned; where it is one, write checks.canned with the lines that are not", "{questions} 个不同的问题得到同一句应答（不计数字与编号），占全部应答的 {share}：{answer}；若为套话，请加入 checks.canned；若确为应答，请在 checks.canned 中写明哪些才是套话"},
		{TierMissing, "{share:share} of the answers do not say their tier: target.response.tier.from found nothing in them", "{share} 的应答没有说明档位：target.response.tier.from 未找到"},
		{DegradedMissing, "{share:share} of the answers do not say whether they are degraded: target.response.degraded found nothing in them", "{share} 的应答没有说明是否降级：target.response.degraded 未找到"},
		{DurationsClamped, "{n:count} turns took longer than 1 h and are shown as 1 h", "{n} 轮耗时超过 1 小时，按 1 小时显示"},
		{ManySources, "beyond {own:count} connections the load comes from {sources:count} more loopback addresses (127.x.y.z), for one address would run out of ports; target.sources: off keeps all to one", "超过 {own} 个连接后，负载另从 {sources} 个回环地址（127.x.y.z）发出，因为单个地址的端口会用尽；target.sources: off 可只用一个地址"},
		{SharedHost, "the target runs on the generator's machine: they share its {cores:count} cores", "被测系统与压测机在同一台机器上：共用 {cores} 个核"},
		{LittlesLawOff, "Little's law is off by {off:share}: {in_flight:figure} turns in flight against rate x mean response time {expected:figure}", "利特尔法则偏差 {off}：在途 {in_flight} 轮，而速率 × 平均响应时间为 {expected}"},
		{SignalEnded, "a signal ended the load", "压测被信号终止"},
		{ToEndNow, "it was to end at once", "被要求立即结束"},
		{ToStartNoMore, "no more conversations were to start", "被要求不再发起会话"},
		{GuardAbort, "guard.abort: at least {bad:share} of turns bad for {for:duration}, at {at:duration}", "guard.abort：在 {at} 时，至少 {bad} 的轮次已连续 {for} 不合格"},
		{LoadFailed, "load: {why:reasons}", "压测：{why}"},
		{RecordingFailed, "recording: {why:text}", "记录：{why}"},
		{ViewPanicked, "what shows the run panicked and was switched off; the measurements are not affected", "显示部分崩溃并已关闭；测量不受影响"},
		{MockUnheard, "mock LLM: {why:text}; storm edges are the planned ones and LLM calls are not known", "模拟 LLM：{why}；风暴的起止按计划计，LLM 调用次数未知"},
		{ServerUnheard, "reference-server: {why:text}; its own counters are not known", "reference-server：{why}；它自己的计数未知"},
		{ProcessEnded, "{process:text} ended during the run after {after:duration}: {how:text}", "{process} 在运行 {after} 后意外退出：{how}"},
		{ClaimPossible, "possible: {in_flight:figure} in flight of {users:count} users leaves {think:duration} of think time each", "可能：{users} 个用户在途 {in_flight}，每人还有 {think} 的思考时间"},
		{ClaimImpossible, "impossible: {rate:rate} x {mean:duration} needs {in_flight:figure} in flight, {users:count} users have one each at most: at most {most:rate}", "不可能：{rate} × {mean} 需要在途 {in_flight}，而 {users} 个用户每人最多一个：最多 {most}"},
		{ShardPanicked, "cstest itself failed: a shard could not tell what it measured", "cstest 自身出错：有分片未能说出它测到了什么"},
		{FuseAbove, "guard.abort: {name:text} above {limit:figure} for {for:duration}, at {at:duration}: {value:figure}", "guard.abort：在 {at} 时，{name} 已连续 {for} 高于 {limit}：{value}"},
		{FuseBelow, "guard.abort: {name:text} below {limit:figure} for {for:duration}, at {at:duration}: {value:figure}", "guard.abort：在 {at} 时，{name} 已连续 {for} 低于 {limit}：{value}"},
		{FuseBlind, "guard.abort: {name:text} was not seen for {for:duration}, at {at:duration}: a fuse that does not see does not protect", "guard.abort：在 {at} 时，{name} 已 {for} 未观测到：看不见的保险丝起不到保护作用"},
		{ObserveFailed, "observe: {name:text}: {why:text}", "观测项 {name}：{why}"},
		{FaultsPutBack, "the mock LLM has what it had before the load: it was asked, and no fault of this run is armed", "模拟 LLM 已恢复到压测前的配置：经查询确认，本次运行的故障均已解除"},
		{FaultsLeft, "the mock LLM may still have the faults of this run: {why:text}; it forgets them by itself {ttl:duration} after they were armed", "模拟 LLM 可能仍带有本次运行的故障：{why}；自注入起 {ttl} 后会自动解除"},
		{OutputSlow, "--out {output:text} did not keep up: {seconds:count} seconds and {turns:count} turns were not told; the measurements are not affected", "--out {output} 跟不上：有 {seconds} 秒、{turns} 轮未送达；测量不受影响"},
		{OutputFailed, "--out {output:text} failed: {seconds:count} seconds and {turns:count} turns were not told; first error: {why:text}; the measurements are not affected", "--out {output} 出错：有 {seconds} 秒、{turns} 轮未送达；第一个错误：{why}；测量不受影响"},
		{LoadPanicked, "cstest itself failed: a goroutine of the load panicked", "cstest 自身出错：压测中的一个 goroutine 崩溃"},
	}
}

// What happened to the run as a whole, and its turns do not show.
const (
	MachineSlept Code = "machine_slept"
	ClockSet     Code = "clock_set"
	OtherTarget  Code = "other_target"
	MixedTargets Code = "mixed_targets"

	DialogNeverNamed Code = "dialog_never_named"
	DialogChangesID  Code = "dialog_changes_id"
	CookieIgnored    Code = "cookie_ignored"
	LoginsMade       Code = "logins_made"
	TierNotFound     Code = "tier_not_found"
	TierWordUnmapped Code = "tier_word_unmapped"
)

// What `try` finds wrong with a mapping.
const (
	MappingWrong Code = "mapping_wrong"
)

func incidentRows() []row {
	return []row{
		{DialogNeverNamed, "target.response.dialog_id found nothing in any answer: every turn opened a new dialog", "target.response.dialog_id 在任何应答中都未找到：每一轮都开启了新的对话"},
		{DialogChangesID, "the target names the same dialog differently from turn to turn: the last id is sent back", "被测系统对同一对话每轮给出的标识不同：发送的是最近一个"},
		{CookieIgnored, "the target sets cookies, which are not sent back: a session kept in a cookie is lost unless target.cookies is per-user", "被测系统设置了 Cookie，而 cstest 不会回传：保存在 Cookie 中的会话会丢失，除非 target.cookies 为 per-user"},
		{LoginsMade, "{n:count} logins, {again:count} of them because one had run out; mean {mean:duration}, slowest {max:duration}: not part of the turns' times", "登录 {n} 次，其中 {again} 次因登录过期而重新登录；平均 {mean}，最慢 {max}：不计入各轮耗时"},
		{TierNotFound, "target.response.tier.from found nothing in the answer", "target.response.tier.from 在应答中未找到"},
		{TierWordUnmapped, "tier {word:quoted} is not in target.response.tier.map", "档位 {word} 不在 target.response.tier.map 中"},
		{MappingWrong, "{turns:count} turns were answered, but not as the scenario says: see `not as mapped` above", "{turns} 轮得到应答，但与场景的描述不符：见上文 `not as mapped`"},
		{MachineSlept, "this machine slept for {slept:duration} in second {second:count} of the load: what was in flight then is not the target's doing", "压测第 {second} 秒本机休眠了 {slept}：当时在途的轮次与被测系统无关"},
		{ClockSet, "the wall clock was set by {by:shift} in second {second:count} of the load: durations are measured with another and are not affected, times of day in logs are", "压测第 {second} 秒系统时钟被调整了 {by}：时长用另一时钟测量，不受影响；日志中的时刻会受影响"},
		{OtherTarget, "a different SUT answered from second {second:count}: it says {now:quoted}, before the load it was {before:quoted}", "自第 {second} 秒起由另一个系统应答：它自称 {now}，压测前为 {before}"},
		{MixedTargets, "{strays:count} of {asked:count} times the target was asked who it is, it said {now:quoted} and not {before:quoted}: several kinds of servers answer", "询问被测系统身份 {asked} 次，其中 {strays} 次自称 {now} 而非 {before}：有多种服务器在应答"},
	}
}
