package reason

// What is missing from a journal that was read back.
const (
	JournalEndsEarly Code = "journal_ends_early"
	JournalCut       Code = "journal_cut"
	JournalTorn      Code = "journal_torn"
	JournalDamaged   Code = "journal_damaged"
	NoteUnreadable   Code = "note_unreadable"
	LogUnreadable    Code = "log_unreadable"
	LogTorn          Code = "log_torn"
	LogTwoAttempts   Code = "log_two_attempts"
)

func journalRows() []row {
	return []row{
		{JournalEndsEarly, "the journal ends before the run does: it lacks what happened after its last whole second", "运行记录先于运行结束：缺少最后一个整秒之后的内容"},
		{JournalCut, "{path:text} ends after {after:duration} of the load without the end of the run: up to a second before that is lost", "{path} 在压测 {after} 后中断，没有运行结束的记录：此前最多一秒的内容丢失"},
		{JournalTorn, "{path:text}: the last {length:count} bytes are a write that was never finished", "{path}：最后 {length} 字节是一次未完成的写入"},
		{JournalDamaged, "{path:text}: {length:count} bytes at offset {offset:count} cannot be read: what they held is missing", "{path}：偏移 {offset} 处的 {length} 字节无法读取：其中的内容缺失"},
		{LogUnreadable, "a journal of shard {shard:text} in the logs cannot be read: {why:text}", "日志中分片 {shard} 的一份运行记录无法读取：{why}"},
		{LogTorn, "{n:count} lines with pieces of the journal of shard {shard:text} are damaged", "日志中有 {n} 行分片 {shard} 的运行记录片段损坏"},
		{LogTwoAttempts, "shard {shard:text} was started more than once, and only once drove load: that one counts", "分片 {shard} 启动了多次，只有一次施加了负载：以那一次为准"},
		{NoteUnreadable, "the journal's note {note:quoted} cannot be read: {why:text}", "运行记录中的附注 {note} 无法读取：{why}"},
	}
}

// What several processes or machines of one run met with.
const (
	ShardMissing  Code = "shard_missing"
	ShardsMissing Code = "shards_missing"
	ShardCut      Code = "shard_cut"
	ShardsCut     Code = "shards_cut"
	ShardHoled    Code = "shard_holed"
	FailsAtBest   Code = "fails_at_best"
	PassesAtWorst Code = "passes_at_worst"
	UnsentDecides Code = "unsent_decides"
	ShardsApart   Code = "shards_apart"
	ShardSays     Code = "shard"
	ShardKilled   Code = "shard_killed"
	ShardEnded    Code = "shard_ended"
)

func shardRows() []row {
	return []row{
		{ShardMissing, "shard {shard:text} is missing", "缺少分片 {shard}"},
		{ShardsMissing, "{n:count} shards are missing, the first is {first:text}", "缺少 {n} 个分片，第一个是 {first}"},
		{ShardCut, "shard {shard:text} is cut off after {after:duration}", "分片 {shard} 在 {after} 后中断"},
		{ShardsCut, "{n:count} shards are cut off, the first is {first:text} after {after:duration}", "{n} 个分片中断，第一个是 {first}，在 {after} 后"},
		{ShardHoled, "what shard {shard:text} did from {from:duration} to {to:duration} of the load is missing from its log", "分片 {shard} 的日志缺少压测 {from} 到 {to} 之间的内容"},
		{FailsAtBest, "it fails even if all of the about {turns:count} turns that are missing had been good", "即使缺失的约 {turns} 轮全部良好，仍然不通过"},
		{PassesAtWorst, "it passes even if all of the about {turns:count} turns that are missing had been bad", "即使缺失的约 {turns} 轮全部不良，仍然通过"},
		{UnsentDecides, "{objective:text}: {best:word} if the about {turns:count} turns that are missing had been good, {worst:word} if bad", "{objective}：若缺失的约 {turns} 轮全部良好则为{best}，若全部不良则为{worst}"},
		{ShardsApart, "the shards started up to {apart:duration} apart and their seconds are added up all the same: give all of them the same --start-at", "各分片的开始时间最多相差 {apart}，但仍按各自的秒数相加：请给它们相同的 --start-at"},
		{ShardSays, "shard {shard:text}: {says:reasons}", "分片 {shard}：{says}"},
		{ShardKilled, "shard {shard:text} did not end at once and was killed: what it measured last is lost", "分片 {shard} 未能立即结束，已被终止：它最后测到的内容丢失"},
		{ShardEnded, "shard {shard:text} ended before its load did: {how:text}: its part of the plan, and what it measured last, are lost", "分片 {shard} 先于它的压测退出：{how}：它那部分计划以及最后测到的内容丢失"},
	}
}
