package refserver

import (
	"sync"
	"time"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
)

// What the rooms need to know of the knobs, in their own terms.

func modelOptions(s *settings) model.Options {
	return model.Options{
		API: model.API(s.llmAPI), Keepalive: s.llmKeepalive, MaxIdle: int(s.llmMaxIdle), MaxConns: int(s.llmMaxConns), DialLimit: s.llmTimeout.D(),
		Attempts: int(s.llmAttempts), LinearBackoff: s.llmBackoff == "linear", BackoffBase: s.llmBackoffBase.D(), RetryBudget: float64(s.llmRetryBudget),
		Bulkhead: int(s.llmBulkhead), BlockingWorkers: int(s.chatBlockingWorkers), Breaker: s.llmBreaker, BreakerOpen: s.llmBreakerOpen.D(),
		BreakerFailures: float64(s.llmBreakerFailures), BreakerSlow: float64(s.llmBreakerSlow), BreakerConsecutive: int(s.llmBreakerConsecutive),
	}
}

func admissionLive(s *settings) admission.Live {
	return admission.Live{Target: s.admissionTarget.D(), Wait: s.admissionWait.D(), Hold: s.admissionHold.D(), Floor: int(s.admissionFloor), Cap: int(s.chatMaxInFlight)}
}

func modelLive(s *settings) model.Live {
	return model.Live{Timeout: s.llmTimeout.D(), Slow: s.llmSlow.D()}
}

func tierLive(s *settings) degrade.Live {
	return degrade.Live{
		Dwell: s.tierDwell.D(), DwellMax: s.tierDwellMax.D(), Step: s.tierStep.D(), ProbeRate: float64(s.tierProbeRate),
		ModelTimeout: s.llmTimeout.D(), ModelSlow: s.llmSlow.D(),
	}
}

func deskLive(s *settings) desk.Live {
	return desk.Live{
		Hold: s.agentHold.D(), Ping: s.agentPing.D(), Pong: s.agentPong.D(), Queue: int(s.agentQueue), Log: s.logMode != "off",
		PerHour: int(s.deskPerHour), MaxWait: s.deskMaxWait.D(),
	}
}

func storeOptions(s *settings, background *sync.WaitGroup, observe func(string, time.Duration, error)) dialog.StoreOptions {
	o := dialog.StoreOptions{Timeout: s.redisTimeout.D(), Pool: int(s.redisPool), Attempts: 1, RoundTrips: int(s.redisRoundtrips), Background: background, Observe: observe}
	if s.tiers {
		o.Attempts = 2
	}
	return o
}
