package reason

// What a search for capacity says.
const (
	CPUFull             Code = "cpu_full"
	TurnsWere           Code = "turns_were"
	HeldAbove           Code = "held_above"
	ProbesDisagree      Code = "probes_disagree"
	GeneratorIsTheLimit Code = "generator_is_the_limit"
	Extrapolated        Code = "extrapolated"
	CapacityPlan        Code = "capacity_plan"
	FaultsLeftOut       Code = "faults_left_out"
	LoadIsSearched      Code = "load_is_searched"
	UntilNothing        Code = "until_nothing"
)

func capacityRows() []row {
	return []row{
		{CPUFull, "CPU: {used:figure} of {cores:count} cores were busy, most of it {process:text} with {most:figure}", "CPU：{cores} 核中有 {used} 核繁忙，其中 {process} 占 {most}"},
		{TurnsWere, "{share:share} of the turns were {outcome:word}", "{share} 的轮次为{outcome}"},
		{HeldAbove, "{above:figure} starts/s held though {below:figure} did not: counted as chance", "会话到达 {above}/s 通过，而 {below}/s 未通过：视为偶然"},
		{ProbesDisagree, "at {rate:figure} starts/s {held:count} probes held and {broke:count} did not: the machine or the target is uneven", "会话到达 {rate}/s 时，{held} 次探测通过，{broke} 次未通过：这台机器或被测系统不稳定"},
		{GeneratorIsTheLimit, "the generator could not measure {rate:figure} starts/s: the target may hold more; try --target with the server on another machine", "压测机无法测量会话到达 {rate}/s：被测系统或许能承受更多；请把服务器放到另一台机器并用 --target 指定"},
		{Extrapolated, "{replicas:count} replicas are an extrapolation: one was measured, and what they share (Redis, the model, the network) was not", "{replicas} 个副本是外推：只测量了一个，它们共用的部分（Redis、模型、网络）没有测量"},
		{CapacityPlan, "from {from:figure} starts/s, {turns:figure} turns each · probes of {each:duration} at least · {most:count} of them at most", "自会话到达 {from}/s 起，每个会话 {turns} 轮次 · 每次探测至少 {each} · 最多 {most} 次"},
		{FaultsLeftOut, "faults, recovery and the guard of the scenario are left out: capacity is without them", "场景中的故障、恢复目标与保护开关不参与：容量不计入它们"},
		{LoadIsSearched, "capacity sets the load itself: {flag:text} has no place here", "capacity 自行设定负载：此处不能使用 {flag}"},
		{UntilNothing, "--until {kind:text}: the scenario does not judge that: see {field:text}", "--until {kind}：该场景不判定这一项：见 {field}"},
	}
}
