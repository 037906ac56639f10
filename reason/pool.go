package reason

// What is to be known of several runs that are judged together.
const (
	PoolDifferent   Code = "pool_different"
	PoolTwice       Code = "pool_twice"
	PoolFormat      Code = "pool_format"
	PoolShare       Code = "pool_share"
	PoolInferred    Code = "pool_inferred"
	PoolNotInferred Code = "pool_not_inferred"
	PoolCounted     Code = "pool_counted"
	PoolWorst       Code = "pool_worst"
	PoolUnseen      Code = "pool_unseen"
	PoolBetween     Code = "pool_between"
	PoolNotUsed     Code = "pool_not_used"
	PoolLeftOut     Code = "pool_left_out"
	PoolPicked      Code = "pool_picked"
	PoolNothing     Code = "pool_nothing"
	PoolOne         Code = "pool_one"
	PoolUnreadable  Code = "pool_unreadable"
	PoolIntegrity   Code = "pool_integrity"
	PoolLetIn       Code = "pool_let_in"
	PoolMetastable  Code = "pool_metastable"
	PoolFixed       Code = "pool_fixed"
)

func poolRows() []row {
	return []row{
		{PoolDifferent, "{first:text} and {other:text} did not ask the same of the same target, so they cannot be judged together: {what:reasons}", "{first} 与 {other} 不是对同一被测系统的同一场景，不能合并判定：{what}"},
		{PoolTwice, "{dir:text} and {other:text} are the same run: a run counts once, leave one of them out", "{dir} 与 {other} 是同一次运行：一次运行只计一次，请去掉其中一个"},
		{PoolFormat, "--format {format:text} shows one run: several together have text, html, markdown and json", "--format {format} 只能显示一次运行：多次运行合并时可用 text、html、markdown 与 json"},
		{PoolShare, "{verdict:word}: {bad:share} bad, at most {allowed:share} allowed ({turns:count} of {n:count} turns in {runs:count} runs)", "{verdict}：{bad} 不合格，最多允许 {allowed}（{runs} 次运行，{n} 轮中 {turns} 轮）"},
		{PoolInferred, "{confidence:share} bounds {lower:share} to {upper:share}, each, with the scatter between runs", "含运行间离散的 {confidence} 置信界，各自为 {lower} 与 {upper}"},
		{PoolNotInferred, "{confidence:share} bounds {lower:share} to {upper:share} hold the budget between them: more runs would tell", "{confidence} 置信界 {lower} 至 {upper} 包含预算：需要更多运行"},
		{PoolCounted, "{verdict:word}: {bad:count} in all, {allowed:figure} allowed", "{verdict}：共 {bad}，允许 {allowed}"},
		{PoolWorst, "{verdict:word}: the worst run decides: {reason:reasons}", "{verdict}：以最差的一次运行为准：{reason}"},
		{PoolUnseen, "no pass: {run:text} could not be judged by what was seen: {reason:reasons}", "不能判为通过：{run} 有未观察到的内容：{reason}"},
		{PoolBetween, "the runs differ by more than chance: {deviation:share} standard deviation between them", "各次运行的差异超出偶然：运行间标准差 {deviation}"},
		{PoolNotUsed, "{run:text} is {verdict:word} and not counted", "{run} {verdict}，未计入"},
		{PoolLeftOut, "{run:text} ({verdict:word}) asked the same of the same target, has the same tags, lies in {dir:text} and was left out", "{run}（{verdict}）是同一场景、同一被测系统、同一标签的运行，位于 {dir}，但未包括在内"},
		{PoolPicked, "no pass, for {left:count} of {runs:count} runs are left out: runs that were picked prove nothing, give all of them (the directory) or say with --tag which belong together", "不能判为通过：{runs} 次运行中有 {left} 次未包括在内：挑选出来的运行不能证明什么，请给出全部运行（目录），或用 --tag 标明哪些属于一组"},
		{PoolNothing, "no run that was given can be judged", "给出的运行都无法判定"},
		{PoolOne, "one run alone: what differs between runs is not known", "只有一次运行：运行之间的差异未知"},
		{PoolUnreadable, "{dir:text} cannot be read, so it is not known whether it belongs here: {why:text}", "{dir} 无法读取，不知是否属于这一组：{why}"},
		{PoolLetIn, "{run:text}: {turns:count} turns that had to be refused were answered", "{run}：{turns} 轮应当被拒绝的请求得到了应答"},
		{PoolIntegrity, "{run:text}: {answers:count} answers held what belongs to another dialog", "{run}：{answers} 个应答串号"},
		{PoolMetastable, "{run:text}: goodput did not return after storm {storm:text}", "{run}：风暴 {storm} 之后有效吞吐没有恢复"},
		{PoolFixed, "the confidence holds where the number of runs was settled before the first: going on until it passes is not covered", "置信度以运行次数事先确定为前提：一直重复到通过为止不在此列"},
	}
}
