package reason

// Why cstest does not begin, and what it says before it does.
const (
	Warning            Code = "warning"
	MockListens        Code = "mock_listens"
	TargetSilent       Code = "target_silent"
	TargetFails        Code = "target_fails"
	TargetBusy         Code = "target_busy"
	TargetUnusable     Code = "target_unusable"
	TargetNotFound     Code = "target_not_found"
	TargetPublic       Code = "target_public"
	TurnsNotAnswered   Code = "turns_not_answered"
	MockUnreachable    Code = "mock_unreachable"
	MockOwned          Code = "mock_owned"
	MockNotArmed       Code = "mock_not_armed"
	MockCannotListen   Code = "mock_cannot_listen"
	OpenLoad           Code = "open_load"
	ClosedLoad         Code = "closed_load"
	CountedLoad        Code = "counted_load"
	Overrides          Code = "overrides"
	NoOverrides        Code = "no_overrides"
	ScaledLoad         Code = "scaled_load"
	DifferentScenarios Code = "different_scenarios"
	TargetIs           Code = "target_is"
	TurnOf             Code = "turn_of"
	ScenarioWritten    Code = "scenario_written"
	FileIsThere        Code = "file_is_there"
)

func refusalRows() []row {
	return []row{
		{Warning, "warning: {what:reasons}", "警告：{what}"},
		{MockListens, "mock LLM listens on {url:text}", "模拟 LLM 监听于 {url}"},
		{TargetSilent, "target {target:text}: no answer to one turn within {within:duration}", "被测系统 {target}：一轮发出后 {within} 内没有应答"},
		{TargetFails, "target {target:text}: the one real turn before the load failed: {why:text}\n{exchange:text}", "被测系统 {target}：压测前的一个真实轮次失败：{why}\n{exchange}"},
		{TargetBusy, "target {target:text}: {why:text}: trying again in {pause:duration} (turn {number:count} of {most:count} before the load)", "被测系统 {target}：{why}：{pause} 后再试（压测前第 {number} 个轮次，共 {most} 个）"},
		{TargetUnusable, "target: {why:text}", "被测系统：{why}"},
		{TargetNotFound, "target {target:text}: {why:text}", "被测系统 {target}：{why}"},
		{TargetPublic, "target {host:text} is the public address {address:text}: load goes to loopback and private addresses only; if you are entitled to load it, add --allow-target {allow:text}", "被测系统 {host} 是公网地址 {address}：压测只发往回环与私有地址；若您有权对它施压，请加 --allow-target {allow}"},
		{TurnsNotAnswered, "{bad:count} turns were not answered as they should be; see above", "{bad} 轮没有得到应有的应答，见上文"},
		{MockUnreachable, "mock LLM at {address:text} (llm.admin): {why:text}", "模拟 LLM {address}（llm.admin）：{why}"},
		{MockOwned, "mock LLM at {address:text} (llm.admin): {why:text}", "模拟 LLM {address}（llm.admin）：{why}"},
		{MockNotArmed, "mock LLM at {address:text} cannot be armed: {why:text}", "模拟 LLM {address} 无法布置故障：{why}"},
		{MockCannotListen, "llm.listen {address:text}: {why:text}; choose another address in llm.listen", "llm.listen {address}：{why}；请在 llm.listen 中另选地址"},
		{OpenLoad, "target {target:text} · peak ≈ {peak:figure} turns/s · {length:duration} · {overrides:reasons}", "被测系统 {target} · 峰值 ≈ {peak} 轮次/秒 · {length} · {overrides}"},
		{ClosedLoad, "target {target:text} · {users:count} users, closed loop · {length:duration} · {overrides:reasons}", "被测系统 {target} · {users} 个用户，闭环 · {length} · {overrides}"},
		{CountedLoad, "ends when {conversations:count} conversations have begun and ended", "{conversations} 个会话开始并结束后即停止"},
		{Overrides, "overrides: {list:text}", "覆盖项：{list}"},
		{NoOverrides, "overrides: none", "覆盖项：无"},
		{ScaledLoad, "scaled to {scale:share}: what this run shows says nothing about 100 %", "按 {scale} 缩放：本次结果不能说明 100 % 负载下的表现"},
		{TargetIs, "target {target:text}", "被测系统 {target}"},
		{TurnOf, "{conversation:text}, turn {number:count} of {of:count}", "会话 {conversation}，第 {number} 轮，共 {of} 轮"},
		{ScenarioWritten, "wrote {path:text}; next: cstest validate {check:text}, then cstest try {try:text}\nbeside it {schema:text}, by which editors know its fields", "已写入 {path}；接下来：cstest validate {check}，再 cstest try {try}\n旁边是 {schema}，编辑器据此认识各字段"},
		{FileIsThere, "{path:text} is there already: choose another name, or add --force", "{path} 已存在：请换一个名字，或加 --force"},
		{DifferentScenarios, "the results are of different scenarios: {baseline:text} and {candidate:text} differ in {what:word}: add --any-scenario to compare them all the same", "两个结果来自不同的场景：{baseline} 与 {candidate} 的{what}不同：若仍要对比，请加 --any-scenario"},
	}
}

// Why shards cannot be added up.
const (
	MergeWithoutDir    Code = "merge_without_dir"
	MergeNoJournal     Code = "merge_no_journal"
	MergeHoldsResult   Code = "merge_holds_result"
	MergeHoldsJournal  Code = "merge_holds_journal"
	MergeWholeRun      Code = "merge_whole_run"
	MergeOtherNumber   Code = "merge_other_number"
	MergeTwice         Code = "merge_twice"
	MergeDroveTwice    Code = "merge_drove_twice"
	MergeNoPieces      Code = "merge_no_pieces"
	MergeOtherSeed     Code = "merge_other_seed"
	MergeOtherScenario Code = "merge_other_scenario"
)

func mergeRows() []row {
	return []row{
		{MergeWithoutDir, "merge needs --results-dir: where shall the sum go?", "merge 需要 --results-dir：合并结果放到哪里？"},
		{MergeNoJournal, "{dir:text}: no {file:text} in it: is it the result directory of a shard?", "{dir}：其中没有 {file}：它是分片的结果目录吗？"},
		{MergeHoldsResult, "{dir:text} already holds a finished result: choose another --results-dir", "{dir} 中已有完整的结果：请另选 --results-dir"},
		{MergeHoldsJournal, "{dir:text} already holds the journal of a run: choose another --results-dir", "{dir} 中已有一次运行的运行记录：请另选 --results-dir"},
		{MergeWholeRun, "{dir:text} is a whole run and no shard: leave it out (cstest report shows it)", "{dir} 是完整的运行而不是分片：请去掉它（cstest report 可以显示它）"},
		{MergeOtherNumber, "{dir:text} is shard {shard:text} and {other:text} is {other_shard:text}: merge shards of one N only, and run the others again with it", "{dir} 是分片 {shard}，而 {other} 是 {other_shard}：只能合并同一 N 的分片，其余请按该 N 重新运行"},
		{MergeTwice, "{dir:text} and {other:text} are both shard {shard:text}: a shard counts once, leave one of them out", "{dir} 与 {other} 都是分片 {shard}：一个分片只计一次，请去掉其中一个"},
		{MergeDroveTwice, "the logs hold two processes of shard {shard:text} that both drove its load: what was sent twice is no run, run all of it again with restarts off", "日志中分片 {shard} 有两个进程都施加了它的负载：重复发送的负载不成其为一次运行，请关闭重启后全部重新运行"},
		{MergeNoPieces, "{path:text}: no journal and no log of a shard with --journal -: is it the right file?", "{path}：既不是运行记录，也不是带 --journal - 的分片日志：文件对吗？"},
		{MergeOtherSeed, "{dir:text} was run with --seed {seed:text} and {other:text} with {other_seed:text}: they are parts of different loads, run one of them again", "{dir} 以 --seed {seed} 运行，而 {other} 以 {other_seed} 运行：它们属于不同的压测，请重新运行其中一个"},
		{MergeOtherScenario, "{dir:text} and {other:text} were run with different scenarios (compare their scenario.yaml): run one of them again with the flags of the other", "{dir} 与 {other} 的场景不同（请比较各自的 scenario.yaml）：请用另一个的参数重新运行其中一个"},
	}
}
