package knobs

import "slices"

// spec ties a knob's description to its place in Settings.
type spec struct {
	name  string
	live  bool
	about string
	words []string // allowed values of a word knob; empty: any
	at    func(*Settings) any
}

func specs() []spec { return slices.Concat(turnSpecs(), serverSpecs()) }

// turnSpecs are the knobs of what a turn goes through.
func turnSpecs() []spec {
	return []spec{
		{"chat.blocking_workers", false, "threads held through the model call; 0: a goroutine for each turn", nil, func(s *Settings) any { return &s.ChatBlockingWorkers }},
		{"chat.deadline", true, "end-to-end deadline of a turn; 0s: none", nil, func(s *Settings) any { return &s.ChatDeadline }},
		{"chat.degrade_at", true, "when a turn stops waiting for the model and takes the next tier; 0s: never", nil, func(s *Settings) any { return &s.ChatDegradeAt }},
		{"chat.max_in_flight", true, "turns in flight, above it 503 shed; 0: unbounded", nil, func(s *Settings) any { return &s.ChatMaxInFlight }},
		{"chat.max_bodies", true, "bodies of turns being read, above it 503 shed; 0: unbounded", nil, func(s *Settings) any { return &s.ChatMaxBodies }},
		{"chat.max_bodies_user", true, "bodies being read for one user, above it 429; 0: unbounded", nil, func(s *Settings) any { return &s.ChatMaxBodiesUser }},
		{"admission.target", true, "what a turn may cost beside the model, at the 90th percentile, before fewer are let in; 0s: all are let in", nil, func(s *Settings) any { return &s.AdmissionTarget }},
		{"admission.wait", true, "how long a turn waits for room before 503 shed", nil, func(s *Settings) any { return &s.AdmissionWait }},
		{"admission.hold", true, "how long 503 shed is held back, from the request's start, from a caller who was turned away less than this before; 0s: not", nil, func(s *Settings) any { return &s.AdmissionHold }},
		{"admission.floor", true, "turns in flight that are always let in", nil, func(s *Settings) any { return &s.AdmissionFloor }},
		{"chat.concurrent_turns", true, "a second turn while one of the same dialog is in progress", []string{"refuse", "allow"}, func(s *Settings) any { return &s.ChatConcurrentTurns }},
		{"limit.global", true, "token bucket over all users, above it 429; 0/s: off", nil, func(s *Settings) any { return &s.LimitGlobal }},
		{"limit.global_burst", true, "size of the global bucket", nil, func(s *Settings) any { return &s.LimitGlobalBurst }},
		{"limit.tenant", true, "token bucket for each tenant, one second of burst; 0/s: off", nil, func(s *Settings) any { return &s.LimitTenant }},
		{"limit.user", true, "token bucket for each user; 0/s: off", nil, func(s *Settings) any { return &s.LimitUser }},
		{"limit.user_burst", true, "size of a user's bucket", nil, func(s *Settings) any { return &s.LimitUserBurst }},
		{"limit.reads", true, "token bucket of each user for polls, histories and tickets, two seconds of burst; 0/s: off", nil, func(s *Settings) any { return &s.LimitReads }},
		{"limit.dialogs", true, "token bucket of each user for dialogs begun, a minute of burst; 0/s: off", nil, func(s *Settings) any { return &s.LimitDialogs }},
		{"limit.tokens", true, "tokens of the model that each user may cost, about, ten minutes of burst; who is in debt gets 429 until it is paid; 0/s: off", nil, func(s *Settings) any { return &s.LimitTokens }},
		{"limit.tickets", true, "tickets of a user for questions that neither model nor FAQ answered, an hour's at once, above it none is opened; 0/s: unbounded; what is people's on any day is not counted", nil, func(s *Settings) any { return &s.LimitTickets }},
		{"limit.refused", true, "token bucket of each address for requests without a valid token and for what is not there, five seconds of burst, above it 429 without a look at the request; 0/s: off", nil, func(s *Settings) any { return &s.LimitRefused }},
		{"limit.polls", true, "polls of jobs that wait, above it 429; 0: unbounded", nil, func(s *Settings) any { return &s.LimitPolls }},
		{"limit.polls_user", true, "polls of one user that wait, above it 429; 0: unbounded", nil, func(s *Settings) any { return &s.LimitPollsUser }},
		{"llm.api", false, "chat: /v1/chat/completions with messages; completions: /v1/completions with a prompt", []string{"chat", "completions"}, func(s *Settings) any { return &s.LLMAPI }},
		{"llm.model", true, "name of the model that is asked for", nil, func(s *Settings) any { return &s.LLMModel }},
		{"llm.prompt", true, "what the model is told before every dialog: standard, or brief, which wants shorter answers", []string{"standard", "brief"}, func(s *Settings) any { return &s.LLMPrompt }},
		{"llm.keepalive", false, "keep connections to the model open", nil, func(s *Settings) any { return &s.LLMKeepalive }},
		{"llm.max_idle", false, "idle connections kept to the model", nil, func(s *Settings) any { return &s.LLMMaxIdle }},
		{"llm.max_conns", false, "connections to the model; 0: unbounded", nil, func(s *Settings) any { return &s.LLMMaxConns }},
		{"llm.timeout", true, "one attempt at the model", nil, func(s *Settings) any { return &s.LLMTimeout }},
		{"llm.attempts", false, "attempts for one turn, the first included", nil, func(s *Settings) any { return &s.LLMAttempts }},
		{"llm.backoff", false, "wait before a retry: jitter 0.5–1.5 of the base, or linear: base times the attempt", []string{"jitter", "linear"}, func(s *Settings) any { return &s.LLMBackoff }},
		{"llm.backoff_base", false, "base of the wait before a retry", nil, func(s *Settings) any { return &s.LLMBackoffBase }},
		{"llm.retry_budget", false, "retries in flight as a share of model calls in flight; 100%: unbounded", nil, func(s *Settings) any { return &s.LLMRetryBudget }},
		{"llm.bulkhead", false, "model calls in flight, above it the next tier; 0: unbounded", nil, func(s *Settings) any { return &s.LLMBulkhead }},
		{"llm.breaker", false, "what opens the breaker", []string{"ratio", "consecutive", "off"}, func(s *Settings) any { return &s.LLMBreaker }},
		{"llm.breaker_open", false, "how long the breaker stays open, ±20 % with ratio", nil, func(s *Settings) any { return &s.LLMBreakerOpen }},
		{"llm.breaker_failures", false, "share of failed calls in 10 s that opens the ratio breaker (20 calls at least)", nil, func(s *Settings) any { return &s.LLMBreakerFailures }},
		{"llm.breaker_slow", false, "share of slow calls in 10 s that opens the ratio breaker (20 calls at least)", nil, func(s *Settings) any { return &s.LLMBreakerSlow }},
		{"llm.breaker_consecutive", false, "failures in a row that open the consecutive breaker", nil, func(s *Settings) any { return &s.LLMBreakerConsecutive }},
		{"llm.slow", true, "a model call longer than this is slow", nil, func(s *Settings) any { return &s.LLMSlow }},
		{"redis.pool", false, "connections to Redis; 0: dial for every operation", nil, func(s *Settings) any { return &s.RedisPool }},
		{"redis.roundtrips", false, "2: begin and commit, pipelined; 4: one command after the other", nil, func(s *Settings) any { return &s.RedisRoundtrips }},
		{"redis.gather", false, "how often begins and commits leave for Redis, those of many dialogs in one round trip; 0s: each by itself, as with four round trips", nil, func(s *Settings) any { return &s.RedisGather }},
		{"redis.timeout", false, "one Redis operation, waiting for a connection included", nil, func(s *Settings) any { return &s.RedisTimeout }},
		{"redis.away_at", false, "debugging: when the embedded Redis goes away, from the server's start", nil, func(s *Settings) any { return &s.RedisAwayAt }},
		{"redis.away_for", false, "debugging: for how long; 0s: it stays", nil, func(s *Settings) any { return &s.RedisAwayFor }},
		{"cache.hot", true, "how long a hot answer is served from memory, ±10 %; 0s: off", nil, func(s *Settings) any { return &s.CacheHot }},
		{"cache.reach", true, "whose hot answers: reviewed: of exact reviewed questions without personal data, made without a dialog; text: by the text alone, as the article has it, with whatever was said before; lossy: likewise, and the turn is lost", []string{"reviewed", "text", "lossy"}, func(s *Settings) any { return &s.CacheReach }},
		{"tiers.enabled", false, "degrade by tiers; off: the canned line", nil, func(s *Settings) any { return &s.Tiers }},
		{"tiers.probe_rate", true, "shadow probes to the model while users get a lower tier", nil, func(s *Settings) any { return &s.TierProbeRate }},
		{"tiers.dwell", true, "least time in a lower tier before the way back, doubled by a relapse", nil, func(s *Settings) any { return &s.TierDwell }},
		{"tiers.dwell_max", true, "cap of the doubled dwell", nil, func(s *Settings) any { return &s.TierDwellMax }},
		{"tiers.step", true, "time at each live share (10, 25, 50 %) on the way back", nil, func(s *Settings) any { return &s.TierStep }},
		{"history.forget", true, "debugging: share of turns for which the stored dialog is kept from the model", nil, func(s *Settings) any { return &s.HistoryForget }},
		{"history.messages", true, "messages of a dialog kept, in pairs", nil, func(s *Settings) any { return &s.HistoryMessages }},
		{"history.bytes", true, "bytes of a dialog put before the model and kept", nil, func(s *Settings) any { return &s.HistoryBytes }},
		{"history.ttl", true, "life of a dialog after its last turn", nil, func(s *Settings) any { return &s.HistoryTTL }},
		{"history.hard", true, "life of a dialog after its first turn", nil, func(s *Settings) any { return &s.HistoryHard }},
	}
}

// serverSpecs are those of what goes on around turns.
func serverSpecs() []spec {
	return []spec{
		{"pii.mask", true, "mask personal data in texts and answers", nil, func(s *Settings) any { return &s.PIIMask }},
		{"http.gzip", true, "compress JSON answers of 500 bytes and more when asked", nil, func(s *Settings) any { return &s.HTTPGzip }},
		{"log.requests", true, "a log line for each request", []string{"off", "sampled", "all"}, func(s *Settings) any { return &s.LogMode }},
		{"log.sample", true, "share of requests logged when sampled; 5xx always, but for 503 shed", nil, func(s *Settings) any { return &s.LogSample }},
		{"gray.share", true, "share of users in the gray group", nil, func(s *Settings) any { return &s.GrayShare }},
		{"gray.mode", true, "how a user's group is found: hash of salt and uid, or tail: the last two digits", []string{"hash", "tail"}, func(s *Settings) any { return &s.GrayMode }},
		{"gray.salt", true, "salt of the group hash", nil, func(s *Settings) any { return &s.GraySalt }},
		{"gray.knobs", true, "knobs that the gray group has in place of everybody's, as name=value parted by spaces; a release in Redis (/admin/gray) goes before these", nil, func(s *Settings) any { return &s.GrayKnobs }},
		{"gray.budget", true, "by how much larger the gray group's share of turns that the model did not answer, or answered late, may be than the rest's", nil, func(s *Settings) any { return &s.GrayBudget }},
		{"gray.samples", true, "turns of the gray group, and of the rest, in a minute before the group is judged", nil, func(s *Settings) any { return &s.GraySamples }},
		{"gray.late", true, "a turn longer than this counts against its group; 0s: none does", nil, func(s *Settings) any { return &s.GrayLate }},
		{"gray.rollback", true, "roll a release back by itself when its budget is burnt", nil, func(s *Settings) any { return &s.GrayRollback }},
		{"drain.lame_duck", true, "on the way down, how long turns are still taken while /readyz says 503, so that whoever asks it sends them elsewhere; none where nobody has asked for a minute", nil, func(s *Settings) any { return &s.DrainLameDuck }},
		{"agent.max_sockets", true, "agents' sockets on this server, above it 503; 0: none", nil, func(s *Settings) any { return &s.AgentMaxSockets }},
		{"agent.queue", true, "messages that wait for one agent, above it the socket is closed with 1013; for sockets opened from then on", nil, func(s *Settings) any { return &s.AgentQueue }},
		{"agent.ping", true, "time between pings to an agent; for sockets opened from then on", nil, func(s *Settings) any { return &s.AgentPing }},
		{"agent.pong", true, "how long the answer to a ping may take, then the socket is closed; for sockets opened from then on", nil, func(s *Settings) any { return &s.AgentPong }},
		{"agent.hold", true, "how long a claimed ticket stays with its agent without a reply; then it is pushed again", nil, func(s *Settings) any { return &s.AgentHold }},
		{"customer.max_sockets", true, "customers' sockets on this server, above it 503; 0: none", nil, func(s *Settings) any { return &s.CustomerMaxSockets }},
		{"customer.max_sockets_user", true, "sockets of one customer, above it 429; 0: unbounded", nil, func(s *Settings) any { return &s.CustomerMaxSocketsUser }},
		{"customer.idle", true, "without a word, then a customer's socket is closed; 0s: never", nil, func(s *Settings) any { return &s.CustomerIdle }},
		{"customer.ping", true, "silence after which a customer's side is asked whether it is there", nil, func(s *Settings) any { return &s.CustomerPing }},
		{"customer.pong", true, "how long the answer to a ping may take, then the socket is closed", nil, func(s *Settings) any { return &s.CustomerPong }},
		{"desk.per_hour", true, "tickets that the people of a tenant close in an hour, from which a ticket's eta is told", nil, func(s *Settings) any { return &s.DeskPerHour }},
		{"desk.max_wait", true, "eta above which people are kept for the questions that are theirs, and a turn that was only degraded gets no ticket; 0s: never", nil, func(s *Settings) any { return &s.DeskMaxWait }},
		{"backflow.max", true, "questions with a degraded answer that wait to be asked again, above it the oldest goes; 0: none are kept", nil, func(s *Settings) any { return &s.BackflowMax }},
		{"backflow.rate", true, "questions asked again, a second, by all servers together; 0/s: none are kept", nil, func(s *Settings) any { return &s.BackflowRate }},
		{"backflow.per_hour", true, "and in an hour by the clock; 0: without a bound", nil, func(s *Settings) any { return &s.BackflowPerHour }},
		{"backflow.at_once", true, "questions that one server asks again at the same time", nil, func(s *Settings) any { return &s.BackflowAtOnce }},
		{"backflow.hold", true, "for how long everybody must have had the model before questions are asked again", nil, func(s *Settings) any { return &s.BackflowHold }},
		{"backflow.live_max", true, "turns of users at one server above which nothing is asked again; 0/s: without a bound", nil, func(s *Settings) any { return &s.BackflowLiveMax }},
		{"backflow.life", true, "after which a question is not asked again any more", nil, func(s *Settings) any { return &s.BackflowLife }},
		{"backflow.draft_after", true, "users who asked the same before it is put up for review as an entry of the FAQ", nil, func(s *Settings) any { return &s.BackflowDraftAfter }},
	}
}
