package knobs

import (
	"math/rand/v2"

	"github.com/cstest/cstest/unit"
)

// Settings are the values of all knobs. A Settings value is never changed once
// published; live changes publish a copy.
type Settings struct {
	ChatBlockingWorkers unit.Count
	ChatDeadline        unit.Duration
	ChatDegradeAt       unit.Duration
	ChatMaxInFlight     unit.Count
	ChatMaxBodies       unit.Count
	ChatMaxBodiesUser   unit.Count
	ChatConcurrentTurns string

	LimitGlobal      unit.Rate
	LimitGlobalBurst unit.Count
	LimitTenant      unit.Rate
	LimitUser        unit.Rate
	LimitUserBurst   unit.Count
	LimitReads       unit.Rate
	LimitDialogs     unit.Rate
	LimitTokens      unit.Rate
	LimitTickets     unit.Rate
	LimitRefused     unit.Rate
	LimitPolls       unit.Count
	LimitPollsUser   unit.Count

	AdmissionTarget unit.Duration
	AdmissionWait   unit.Duration
	AdmissionHold   unit.Duration
	AdmissionFloor  unit.Count

	LLMAPI                string
	LLMModel              string
	LLMPrompt             string
	LLMKeepalive          bool
	LLMMaxIdle            unit.Count
	LLMMaxConns           unit.Count
	LLMTimeout            unit.Duration
	LLMAttempts           unit.Count
	LLMBackoff            string
	LLMBackoffBase        unit.Duration
	LLMRetryBudget        unit.Share
	LLMBulkhead           unit.Count
	LLMBreaker            string
	LLMBreakerOpen        unit.Duration
	LLMBreakerFailures    unit.Share
	LLMBreakerSlow        unit.Share
	LLMBreakerConsecutive unit.Count
	LLMSlow               unit.Duration

	RedisPool       unit.Count
	RedisRoundtrips unit.Count
	RedisGather     unit.Duration
	RedisTimeout    unit.Duration
	RedisAwayAt     unit.Duration
	RedisAwayFor    unit.Duration

	CacheHot   unit.Duration
	CacheReach string

	Tiers         bool
	TierProbeRate unit.Rate
	TierDwell     unit.Duration
	TierDwellMax  unit.Duration
	TierStep      unit.Duration

	HistoryForget   unit.Share
	HistoryMessages unit.Count
	HistoryBytes    unit.Size
	HistoryTTL      unit.Duration
	HistoryHard     unit.Duration

	PIIMask   bool
	HTTPGzip  bool
	LogMode   string
	LogSample unit.Share
	GrayShare unit.Share
	GrayMode  string
	GraySalt  string

	GrayKnobs    string
	GrayBudget   unit.Share
	GraySamples  unit.Count
	GrayLate     unit.Duration
	GrayRollback bool

	DrainLameDuck unit.Duration

	AgentMaxSockets unit.Count
	AgentQueue      unit.Count
	AgentPing       unit.Duration
	AgentPong       unit.Duration
	AgentHold       unit.Duration

	CustomerMaxSockets     unit.Count
	CustomerMaxSocketsUser unit.Count
	CustomerIdle           unit.Duration
	CustomerPing           unit.Duration
	CustomerPong           unit.Duration

	DeskPerHour unit.Count
	DeskMaxWait unit.Duration

	BackflowMax        unit.Count
	BackflowRate       unit.Rate
	BackflowPerHour    unit.Count
	BackflowAtOnce     unit.Count
	BackflowHold       unit.Duration
	BackflowLiveMax    unit.Rate
	BackflowLife       unit.Duration
	BackflowDraftAfter unit.Count
}

// LogsOne says whether the next request gets a line in the log.
func (s *Settings) LogsOne() bool {
	return s.LogMode == "all" || s.LogMode == "sampled" && rand.Float64() < float64(s.LogSample)
}
