package reason

// What a target did to the model, as the mock LLM saw it.
const (
	ClientUnheard       Code = "client_unheard"
	ClientUnknown       Code = "client_unknown"
	ClientJudged        Code = "client_judged"
	ClientCalls         Code = "client_calls"
	ClientCallsCalm     Code = "client_calls_calm"
	ClientCallsStorm    Code = "client_calls_storm"
	ClientMost          Code = "client_most"
	ClientEarly         Code = "client_early"
	ClientEarlyUnclear  Code = "client_early_unclear"
	ClientNotTold       Code = "client_not_told"
	ClientAgain4xx      Code = "client_again_4xx"
	ClientNo4xx         Code = "client_no_4xx"
	ClientAfterLeft     Code = "client_after_left"
	ClientNobodyLeft    Code = "client_nobody_left"
	ClientLeftUncalled  Code = "client_left_uncalled"
	ClientUntold        Code = "client_untold"
	ClientBroken        Code = "client_broken"
	ClientBrokenUnclear Code = "client_broken_unclear"
	ClientNothingBroken Code = "client_nothing_broken"
	ClientNothingFailed Code = "client_nothing_failed"
	ClientNoRetries     Code = "client_no_retries"
	ClientFewRetries    Code = "client_few_retries"
	ClientFewSecond     Code = "client_few_second"
	ClientAtOnce        Code = "client_at_once"
	ClientOnce          Code = "client_once"
	ClientConstant      Code = "client_constant"
	ClientGrows         Code = "client_grows"
	ClientFlightGrew    Code = "client_flight_grew"
	ClientFlightHeld    Code = "client_flight_held"
	ClientFlightUnseen  Code = "client_flight_unseen"
	ClientCapUntried    Code = "client_cap_untried"
	ClientUntied        Code = "client_untied"
	ClientPartly        Code = "client_partly"
	ClientTooFew        Code = "client_too_few"
)

func clientRows() []row {
	return []row{
		{ClientUnheard, "mock LLM: {why:text}; how the target treated the model is not known", "模拟 LLM：{why}；被测系统如何对待模型未知"},
		{ClientUnknown, "not verified: no mock LLM told how the target treated the model", "未验证：没有模拟 LLM 说明被测系统如何对待模型"},
		{ClientJudged, "{verdict:word} by count: {what:reasons}", "{verdict}（按清点）：{what}"},
		{ClientCalls, "{calm:figure} calls per turn in calm, {storm:figure} in the worst storm", "平时每轮 {calm} 次调用，最严重的风暴中 {storm} 次"},
		{ClientCallsCalm, "{calm:figure} calls per turn", "每轮 {calm} 次调用"},
		{ClientCallsStorm, "{storm:figure} calls per turn in the worst storm", "最严重的风暴中每轮 {storm} 次调用"},
		{ClientMost, "{most:count} for one turn at most", "单轮最多 {most} 次"},
		{ClientEarly, "{n:count} of {of:count} answers that asked to wait (Retry-After) were followed by the same request before that time", "{of} 个要求等待（Retry-After）的应答中，{n} 个在到时之前就收到了同一请求"},
		{ClientEarlyUnclear, "{n:count} more were followed by another request of the same turn before it: whether that is the same one cannot be told", "另有 {n} 个在到时之前收到了同一轮的其他请求：是否为同一请求无法判断"},
		{ClientNotTold, "not seen: no answer asked to wait (Retry-After)", "未观测到：没有应答要求等待（Retry-After）"},
		{ClientAgain4xx, "{n:count} of {of:count} refusals that no retry can mend (4xx but for 408, 409, 425 and 429) were followed by the same request", "{of} 个重试也无济于事的拒绝（408、409、425、429 以外的 4xx）中，{n} 个之后又来了同一请求"},
		{ClientNo4xx, "not seen: nothing was refused for good (4xx but for 408, 409, 425 and 429)", "未观测到：没有请求被彻底拒绝（408、409、425、429 以外的 4xx）"},
		{ClientAfterLeft, "for {n:count} of {of:count} turns that users had left, calls began or went on for more than 1 s afterwards", "用户已离开的 {of} 轮中，{n} 轮此后仍有调用发起或持续超过 1 秒"},
		{ClientNobodyLeft, "not seen: no user left without an answer", "未观测到：没有用户未得到应答就离开"},
		{ClientLeftUncalled, "not seen: none of the {left:count} turns that users left led to a call", "未观测到：用户离开的 {left} 轮都没有引发调用"},
		{ClientUntold, "not seen: in this mode nothing tells the target that a user left", "未观测到：在此模式下，被测系统无从得知用户已离开"},
		{ClientBroken, "{n:count} good answers carried what the model had broken off; it broke off, emptied or garbled {of:count} answers", "{n} 个被视为成功的应答带着模型中断的内容；模型共有 {of} 个应答被截断、为空或损坏"},
		{ClientBrokenUnclear, "of {n:count} good answers it cannot be told whether they carry it", "有 {n} 个被视为成功的应答无法判断是否带着这些内容"},
		{ClientNothingBroken, "not seen: the model broke no answer off", "未观测到：模型没有中断任何应答"},
		{ClientNothingFailed, "not seen: no call failed", "未观测到：没有调用失败"},
		{ClientNoRetries, "none of {failed:count} failed calls was retried", "{failed} 次失败的调用均未重试"},
		{ClientFewRetries, "not seen: {retries:count} retries at the target's own time are too few to tell", "未观测到：由被测系统自定时间的重试只有 {retries} 次，不足以判断"},
		{ClientFewSecond, "not seen: {retries:count} second retries are too few to tell whether waits grow", "未观测到：第二次重试只有 {retries} 次，不足以判断等待是否变长"},
		{ClientAtOnce, "retries come at once: half of {retries:count} first ones within {wait:duration}", "重试立即发生：{retries} 次首次重试中有一半在 {wait} 之内"},
		{ClientOnce, "requests are retried once only: half of {retries:count} within {wait:duration}", "请求只重试一次：{retries} 次中有一半在 {wait} 之内"},
		{ClientConstant, "retries do not back off: {first:duration} before the first, {second:duration} before the second (medians, within a fifth); {n:count} of {of:count} requests waited no longer the second time", "重试没有退避：第一次之前等待 {first}，第二次之前 {second}（中位数，误差五分之一）；{of} 个请求中 {n} 个第二次等待没有变长"},
		{ClientGrows, "retries back off: {first:duration} before the first, {second:duration} before the second (medians, within a fifth)", "重试逐次退避：第一次之前等待 {first}，第二次之前 {second}（中位数，误差五分之一）"},
		{ClientFlightGrew, "calls grew with the load: {peak:count} open at a time while {turns:count} turns were in flight; no cap held them", "调用随负载增长：{turns} 轮在途时同时有 {peak} 个调用；没有上限约束"},
		{ClientFlightHeld, "at most {peak:count} calls were open at a time while up to {turns:count} turns were in flight: something holds them", "在途轮次最多 {turns} 时，同时最多 {peak} 个调用：有上限约束"},
		{ClientFlightUnseen, "not seen: at most {peak:count} calls were open at a time, and no hang or slowness with enough load tried a cap", "未观测到：同时最多 {peak} 个调用，没有足够负载下的挂起或变慢来检验上限"},
		{ClientCapUntried, "no more than {turns:count} turns were in flight while calls were long, so a cap at {cap:figure} was not tried", "调用变长期间在途轮次不超过 {turns}，上限 {cap} 未受检验"},
		{ClientUntied, "not seen: {n:count} of {of:count} calls carry no trace id of the run; have the target pass its traceparent header on", "未观测到：{of} 次调用中 {n} 次没有带本次压测的 trace id；请让被测系统透传 traceparent 请求头"},
		{ClientPartly, "not all turns could be looked up", "并非所有轮次都能查对"},
		{ClientTooFew, "{of:count} are too few to tell, {least:count} would do", "{of} 个不足以判断，需要 {least} 个"},
	}
}

// clientPhrases are of what is wrong with asking for it.
func clientPhrases() []phraseRow {
	return []phraseRow{
		{"needs llm: what the target does to the model is what the mock LLM sees", "需要 llm：被测系统对模型做了什么，由模拟 LLM 得知"},
		{"client needs llm: what the target does to the model is what the mock LLM sees", "client 需要 llm：被测系统对模型做了什么，由模拟 LLM 得知"},
		{"says nothing: name a finding, such as retry_after: 95%%, or remove it", "没有内容：请写明一项，例如 retry_after: 95%%，或删除它"},
	}
}
