package reason

// Why the generator could not measure what it was asked to.
const (
	TooFewStarts     Code = "too_few_starts"
	StartsDropped    Code = "starts_dropped"
	StartsDroppedBy  Code = "starts_dropped_by"
	DropCause        Code = "drop_cause"
	FailsOnlyTainted Code = "fails_only_tainted"
	FailsOnlyStarved Code = "fails_only_starved"
	HostStarved      Code = "host_starved"
	HostStarvedBy    Code = "host_starved_by"
	HostStolen       Code = "host_stolen"
	NotConserved     Code = "not_conserved"
)

func generatorRows() []row {
	return []row{
		{TooFewStarts, "only {issued:count} of {planned:count} planned starts were issued, through the generator's own fault", "计划的 {planned} 次会话到达只发起了 {issued} 次，原因在压测机自身"},
		{StartsDropped, "{dropped:count} of {planned:count} starts were dropped by the generator, more than {allowed:share}", "{planned} 次会话到达中有 {dropped} 次被压测机丢弃，超过 {allowed}"},
		{StartsDroppedBy, "{dropped:count} of {planned:count} starts were dropped by the generator, more than {allowed:share}; {causes:reasons}", "{planned} 次会话到达中有 {dropped} 次被压测机丢弃，超过 {allowed}；{causes}"},
		{DropCause, "{n:count} x {cause:word}", "{n} 次因{cause}"},
		{FailsOnlyTainted, "{objective:text} cannot be seen to fail without the {tainted:count} of {seconds:count} seconds in which the generator was late", "除去压测机受扰的 {tainted} 秒（共 {seconds} 秒）后，看不出 {objective} 不通过"},
		{FailsOnlyStarved, "{objective:text} cannot be seen to fail without the {late:count} of {seconds:count} seconds in which the generator was late or others took this machine's processors", "除去压测机受扰或本机处理器被他人占用的 {late} 秒（共 {seconds} 秒）后，看不出 {objective} 不通过"},
		{HostStarved, "in {starved:count} of {seconds:count} seconds this machine's {cores:count} processors did not suffice: processes without a part in the run used {others:figure} of them, and for {pressure:share} of the time something waited for one; lag P99 of the run {lag:duration}", "{seconds} 秒中有 {starved} 秒本机的 {cores} 个处理器不够用：与本次运行无关的进程占用了其中 {others} 个，{pressure} 的时间里有进程在等待处理器；全程发送滞后 P99 为 {lag}"},
		{HostStarvedBy, "in {starved:count} of {seconds:count} seconds this machine's {cores:count} processors did not suffice: processes without a part in the run ({names:text}) used {others:figure} of them, and for {pressure:share} of the time something waited for one; lag P99 of the run {lag:duration}", "{seconds} 秒中有 {starved} 秒本机的 {cores} 个处理器不够用：与本次运行无关的进程（{names}）占用了其中 {others} 个，{pressure} 的时间里有进程在等待处理器；全程发送滞后 P99 为 {lag}"},
		{HostStolen, "in {starved:count} of {seconds:count} seconds the hypervisor took processors from this machine, {steal:share} of their time; lag P99 of the run {lag:duration}", "{seconds} 秒中有 {starved} 秒虚拟化平台占用了本机处理器 {steal} 的时间；全程发送滞后 P99 为 {lag}"},
		{NotConserved, "counts are not conserved: {law:reasons} does not hold: {left:count} against {right:count}", "计数不守恒：{law} 不成立：{left} 对 {right}"},
	}
}

// The sums that counts obey.
const (
	PlannedAreIssuedOrDropped Code = "planned_are_issued_or_dropped"
	ScheduleIsIssuedOrDropped Code = "schedule_is_issued_or_dropped"
	IssuedHaveEnded           Code = "issued_have_ended"
	StartsBySecond            Code = "starts_by_second"
	DroppedBySecond           Code = "dropped_by_second"
	TurnsBySecond             Code = "turns_by_second"
	TurnsBySlot               Code = "turns_by_slot"
	TurnsHaveResponseTimes    Code = "turns_have_response_times"
	TurnsHaveLags             Code = "turns_have_lags"
	AnswersHaveTiers          Code = "answers_have_tiers"
	AnswersHaveResponseTimes  Code = "answers_have_response_times"
	AnswersHaveServiceTimes   Code = "answers_have_service_times"
)

func countRows() []row {
	return []row{
		{PlannedAreIssuedOrDropped, "planned starts = issued + dropped", "计划的会话到达 = 已发起 + 已丢弃"},
		{ScheduleIsIssuedOrDropped, "starts of the schedule = issued + dropped", "时间表上的会话到达 = 已发起 + 已丢弃"},
		{IssuedHaveEnded, "conversations issued = conversations ended", "已发起会话 = 已结束会话"},
		{StartsBySecond, "starts = starts by second", "会话到达 = 逐秒会话到达之和"},
		{DroppedBySecond, "dropped starts = dropped starts by second", "丢弃的会话到达 = 逐秒丢弃的会话到达之和"},
		{TurnsBySecond, "turns = turns by second", "轮次 = 逐秒轮次之和"},
		{TurnsBySlot, "turns = turns by turn of the conversation", "轮次 = 会话各轮之和"},
		{TurnsHaveResponseTimes, "turns = response times", "轮次 = 响应时间个数"},
		{TurnsHaveLags, "turns = lags", "轮次 = 发送滞后个数"},
		{AnswersHaveTiers, "answered turns = tiers", "已应答轮次 = 各档之和"},
		{AnswersHaveResponseTimes, "answered turns = response times of answers", "已应答轮次 = 应答的响应时间个数"},
		{AnswersHaveServiceTimes, "answered turns = service times", "已应答轮次 = 服务时间个数"},
	}
}
