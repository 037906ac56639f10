package refserver

import (
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

const profileHardened = "hardened"

// Profiles lists the names of the profiles, the default first.
func Profiles() []string {
	return []string{profileHardened, "article-0", "article-1", "article-2", "article-3"}
}

// profile returns the knobs of a named profile.
func profile(name string) (settings, error) {
	if name == profileHardened {
		return hardened(), nil
	}
	if stage, ok := strings.CutPrefix(name, "article-"); ok && len(stage) == 1 && stage[0] >= '0' && stage[0] <= '3' {
		return article(int(stage[0] - '0')), nil
	}
	return settings{}, fmt.Errorf("profile %q is not known: want one of %s", name, strings.Join(Profiles(), ", "))
}

func ms(n int) unit.Duration  { return unit.Duration(time.Duration(n) * time.Millisecond) }
func sec(n int) unit.Duration { return unit.Duration(time.Duration(n) * time.Second) }

func hardened() settings {
	return settings{
		chatDeadline: ms(450), chatDegradeAt: ms(380), chatMaxInFlight: 4096, chatMaxBodies: 4096, chatMaxBodiesUser: 16, chatConcurrentTurns: "refuse",
		limitGlobal: 500, limitGlobalBurst: 500, limitUser: 50, limitUserBurst: 100, limitReads: 200, limitRefused: 50,
		admissionTarget: ms(40), admissionWait: ms(100), admissionHold: sec(1), admissionFloor: 64,
		llmAPI: "chat", llmKeepalive: true, llmMaxIdle: 1024, llmMaxConns: 1024, llmTimeout: ms(350), llmAttempts: 2,
		llmBackoff: "jitter", llmBackoffBase: ms(20), llmRetryBudget: 0.1, llmBulkhead: 1024,
		llmBreaker: "ratio", llmBreakerOpen: sec(10), llmBreakerFailures: 0.5, llmBreakerSlow: 0.6, llmBreakerConsecutive: 3, llmSlow: ms(340),
		redisPool: 50, redisRoundtrips: 2, redisTimeout: ms(60),
		cacheHot: sec(60),
		tiers:    true, tierProbeRate: 5, tierDwell: sec(5), tierDwellMax: sec(300), tierStep: sec(2),
		historyMessages: 40, historyBytes: 32 << 10, historyTTL: sec(1800), historyHard: sec(24 * 3600),
		piiMask: true, httpGzip: true, logMode: "sampled", logSample: 0.01,
		grayShare: 0.05, grayMode: "hash", graySalt: "cstest",
		agentMaxSockets: 2000, agentQueue: 256, agentPing: sec(20), agentPong: sec(10), agentHold: sec(600),
		deskPerHour: 2000, deskMaxWait: sec(600),
	}
}

// article is the published tuning story after stage n: 0 blocking and short
// connections, 1 pooling, 2 asynchronous model calls, 3 pipelines and a cache.
func article(n int) settings {
	s := hardened()
	s.chatDeadline, s.chatDegradeAt, s.chatMaxInFlight, s.chatConcurrentTurns = 0, 0, 0, "allow"
	s.limitGlobal, s.limitUser, s.limitReads, s.limitRefused = 0, 0, 0, 0
	s.chatMaxBodies, s.chatMaxBodiesUser, s.admissionTarget, s.admissionWait, s.admissionHold = 0, 0, 0, 0, 0
	s.llmAPI, s.llmTimeout, s.llmAttempts, s.llmRetryBudget, s.llmBulkhead = "completions", sec(5), 3, 1, 0
	s.llmBackoff, s.llmBackoffBase = "linear", ms(500)
	s.llmBreaker = "consecutive"
	s.redisRoundtrips, s.redisTimeout = 4, sec(5)
	s.cacheHot, s.tiers = 0, false
	switch n {
	case 0:
		s.chatBlockingWorkers, s.redisPool = 128, 0
		s.llmKeepalive, s.llmMaxIdle, s.llmMaxConns = false, 0, 0
	case 1:
		s.chatBlockingWorkers = 128
		s.llmMaxIdle, s.llmMaxConns = 20, 160
	case 2, 3:
		s.llmMaxIdle, s.llmMaxConns = 80, 400
	}
	if n == 3 {
		s.redisRoundtrips, s.cacheHot = 2, sec(60)
	}
	return s
}
