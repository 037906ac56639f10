package reason

// Where the time of the slowest turns went.
const (
	SlowestSpent        Code = "slowest_spent"
	SlowestUnanswered   Code = "slowest_unanswered"
	SlowestServer       Code = "slowest_server"
	SlowestTurn         Code = "slowest_turn"
	SlowestConversation Code = "slowest_conversation"
	SlowestSlot         Code = "slowest_slot"
	SlowestTier         Code = "slowest_tier"
	SlowestSeconds      Code = "slowest_seconds"
	SlowestStorm        Code = "slowest_storm"
)

func slowestRows() []row {
	return []row{
		{SlowestSpent, "turns of {from:duration} and more ({turns:count}, {of_all:share} of all) spent {part:share} of their time {phase:word}: {mean:duration} each, all others {others:duration}", "耗时 {from} 及以上的轮次（{turns} 轮，占全部的 {of_all}）有 {part} 的时间用于{phase}：每轮 {mean}，其余轮次 {others}"},
		{SlowestUnanswered, "{turns:count} of them were never answered", "其中 {turns} 轮始终没有应答"},
		{SlowestServer, "the server itself books {part:share} of their time to {metric:quoted}: {mean:duration} each, all others {others:duration}", "服务端自报其中 {part} 的时间用于 {metric}：每轮 {mean}，其余轮次 {others}"},
		{SlowestTurn, "{part:share} of them are turn {turn:text} of a conversation, as {of_all:share} of all are", "其中 {part} 是会话的第 {turn} 轮（占全部轮次的 {of_all}）"},
		{SlowestConversation, "{part:share} of them are of conversation {conversation:quoted}, as {of_all:share} of all are", "其中 {part} 属于会话 {conversation}（占全部轮次的 {of_all}）"},
		{SlowestSlot, "{part:share} of them are turn {turn:text} of conversation {conversation:quoted}, as {of_all:share} of all are", "其中 {part} 是会话 {conversation} 的第 {turn} 轮（占全部轮次的 {of_all}）"},
		{SlowestTier, "{part:share} of them were answered by {tier:word}, as {of_all:share} of all were", "其中 {part} 由{tier}应答（占全部轮次的 {of_all}）"},
		{SlowestSeconds, "{part:share} of them were to begin between {from:duration} and {to:duration}, as {of_all:share} of all were", "其中 {part} 应在 {from} 至 {to} 之间发出（占全部轮次的 {of_all}）"},
		{SlowestStorm, "{part:share} of them were to begin between {from:duration} and {to:duration}, in storm {storm:quoted}, as {of_all:share} of all were", "其中 {part} 应在 {from} 至 {to} 之间、即风暴 {storm} 期间发出（占全部轮次的 {of_all}）"},
	}
}

func phaseWords() []wordRow {
	return []wordRow{
		{"phase_lag", "behind schedule in the generator", "压测机的发送滞后"},
		{"phase_wait", "waiting for a connection or a place in flight", "等待连接或在途名额"},
		{"phase_connect", "connecting (DNS, TCP, TLS)", "建立连接（DNS、TCP、TLS）"},
		{"phase_first_byte", "waiting for the first byte", "等待首字节"},
		{"phase_body", "between the first byte and the last", "从首字节到末字节"},
	}
}
