package knobs

import (
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

// Hardened is the default profile.
const Hardened = "hardened"

// Profiles lists the names of the profiles, the default first.
func Profiles() []string {
	return []string{Hardened, "article-0", "article-1", "article-2", "article-3"}
}

// Profile returns the knobs of a named profile.
func Profile(name string) (Settings, error) {
	if name == Hardened {
		return hardened(), nil
	}
	if stage, ok := strings.CutPrefix(name, "article-"); ok && len(stage) == 1 && stage[0] >= '0' && stage[0] <= '3' {
		return article(int(stage[0] - '0')), nil
	}
	return Settings{}, fmt.Errorf("profile %q is not known: want one of %s", name, strings.Join(Profiles(), ", "))
}

func ms(n int) unit.Duration  { return unit.Duration(time.Duration(n) * time.Millisecond) }
func sec(n int) unit.Duration { return unit.Duration(time.Duration(n) * time.Second) }

func hardened() Settings {
	return Settings{
		ChatDeadline: ms(450), ChatDegradeAt: ms(380), ChatMaxInFlight: 4096, ChatMaxBodies: 4096, ChatMaxBodiesUser: 16, ChatConcurrentTurns: "refuse",
		LimitGlobal: 500, LimitGlobalBurst: 500, LimitUser: 50, LimitUserBurst: 100, LimitReads: 200, LimitDialogs: 20, LimitTokens: 5000, LimitTickets: 10.0 / 3600, LimitRefused: 50, LimitPolls: 10_000, LimitPollsUser: 64,
		AdmissionTarget: ms(40), AdmissionWait: ms(100), AdmissionHold: sec(1), AdmissionFloor: 64,
		LLMAPI: "chat", LLMModel: "chat", LLMPrompt: "standard", LLMKeepalive: true, LLMMaxIdle: 1024, LLMMaxConns: 1024, LLMTimeout: ms(350), LLMAttempts: 2,
		LLMBackoff: "jitter", LLMBackoffBase: ms(20), LLMRetryBudget: 0.1, LLMBulkhead: 1024,
		LLMBreaker: "ratio", LLMBreakerOpen: sec(10), LLMBreakerFailures: 0.5, LLMBreakerSlow: 0.6, LLMBreakerConsecutive: 3, LLMSlow: ms(340),
		RedisPool: 50, RedisRoundtrips: 2, RedisGather: ms(1), RedisTimeout: ms(60),
		CacheHot: sec(60), CacheReach: "reviewed",
		Tiers: true, TierProbeRate: 5, TierDwell: sec(5), TierDwellMax: sec(300), TierStep: sec(2),
		HistoryMessages: 40, HistoryBytes: 32 << 10, HistoryTTL: sec(1800), HistoryHard: sec(24 * 3600),
		PIIMask: true, HTTPGzip: true, LogMode: "sampled", LogSample: 0.01,
		GrayShare: 0.05, GrayMode: "hash", GraySalt: "cstest",
		GrayBudget: 0.02, GraySamples: 50, GrayLate: ms(500), GrayRollback: true,
		DrainLameDuck:   sec(5),
		AgentMaxSockets: 2000, AgentQueue: 256, AgentPing: sec(20), AgentPong: sec(10), AgentHold: sec(600),
		CustomerMaxSockets: 18_000, CustomerMaxSocketsUser: 16, CustomerIdle: sec(600), CustomerPing: sec(30), CustomerPong: sec(10),
		DeskPerHour: 2000, DeskMaxWait: sec(600),
		BackflowMax: 10_000, BackflowRate: 5, BackflowPerHour: 5000, BackflowAtOnce: 4, BackflowHold: sec(60), BackflowLiveMax: 250, BackflowLife: sec(2 * 3600),
		BackflowDraftAfter: 3,
	}
}

// article is the published tuning story after stage n: 0 blocking and short
// connections, 1 pooling, 2 asynchronous model calls, 3 pipelines and a cache.
func article(n int) Settings {
	s := hardened()
	s.ChatDeadline, s.ChatDegradeAt, s.ChatMaxInFlight, s.ChatConcurrentTurns = 0, 0, 0, "allow"
	s.LimitGlobal, s.LimitUser, s.LimitReads, s.LimitRefused = 0, 0, 0, 0
	s.LimitPolls, s.LimitPollsUser = 0, 0
	s.LimitDialogs, s.LimitTokens, s.LimitTickets = 0, 0, 0
	s.ChatMaxBodies, s.ChatMaxBodiesUser, s.AdmissionTarget, s.AdmissionWait, s.AdmissionHold = 0, 0, 0, 0, 0
	s.LLMAPI, s.LLMTimeout, s.LLMAttempts, s.LLMRetryBudget, s.LLMBulkhead = "completions", sec(5), 3, 1, 0
	s.LLMBackoff, s.LLMBackoffBase = "linear", ms(500)
	s.LLMBreaker = "consecutive"
	s.RedisRoundtrips, s.RedisGather, s.RedisTimeout = 4, 0, sec(5)
	s.CacheHot, s.Tiers, s.DrainLameDuck, s.BackflowMax = 0, false, 0, 0
	switch n {
	case 0:
		s.ChatBlockingWorkers, s.RedisPool = 128, 0
		s.LLMKeepalive, s.LLMMaxIdle, s.LLMMaxConns = false, 0, 0
	case 1:
		s.ChatBlockingWorkers = 128
		s.LLMMaxIdle, s.LLMMaxConns = 20, 160
	case 2, 3:
		s.LLMMaxIdle, s.LLMMaxConns = 80, 400
	}
	if n == 3 {
		s.RedisRoundtrips, s.CacheHot, s.CacheReach = 2, sec(60), "text"
	}
	return s
}
