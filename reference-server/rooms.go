package refserver

import (
	"sync"
	"time"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/backflow"
	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/customer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/jobs"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
)

// What the rooms need to know of the knobs, in their own terms.

func modelOptions(s *knobs.Settings) model.Options {
	return model.Options{
		API: model.API(s.LLMAPI), Keepalive: s.LLMKeepalive, MaxIdle: int(s.LLMMaxIdle), MaxConns: int(s.LLMMaxConns), DialLimit: s.LLMTimeout.D(),
		Attempts: int(s.LLMAttempts), LinearBackoff: s.LLMBackoff == "linear", BackoffBase: s.LLMBackoffBase.D(), RetryBudget: float64(s.LLMRetryBudget),
		Bulkhead: int(s.LLMBulkhead), BlockingWorkers: int(s.ChatBlockingWorkers), Breaker: s.LLMBreaker, BreakerOpen: s.LLMBreakerOpen.D(),
		BreakerFailures: float64(s.LLMBreakerFailures), BreakerSlow: float64(s.LLMBreakerSlow), BreakerConsecutive: int(s.LLMBreakerConsecutive),
	}
}

func admissionLive(s *knobs.Settings) admission.Live {
	return admission.Live{Target: s.AdmissionTarget.D(), Wait: s.AdmissionWait.D(), Hold: s.AdmissionHold.D(), Floor: int(s.AdmissionFloor), Cap: int(s.ChatMaxInFlight)}
}

func modelLive(s *knobs.Settings, w *degrade.Watch) model.Live {
	return model.Live{Timeout: s.LLMTimeout.D(), Slow: s.LLMSlow.D(), Starved: w.Starved()}
}

func tierLive(s *knobs.Settings) degrade.Live {
	return degrade.Live{
		Dwell: s.TierDwell.D(), DwellMax: s.TierDwellMax.D(), Step: s.TierStep.D(), ProbeRate: float64(s.TierProbeRate),
		ModelTimeout: s.LLMTimeout.D(), ModelSlow: s.LLMSlow.D(),
	}
}

func deskLive(s *knobs.Settings) desk.Live {
	return desk.Live{
		Hold: s.AgentHold.D(), Ping: s.AgentPing.D(), Pong: s.AgentPong.D(), Queue: int(s.AgentQueue), Log: s.LogMode != "off",
		PerHour: int(s.DeskPerHour), MaxWait: s.DeskMaxWait.D(),
	}
}

func customerLive(s *knobs.Settings) customer.Live {
	return customer.Live{
		Most: int(s.CustomerMaxSockets), MostUser: int(s.CustomerMaxSocketsUser), Idle: s.CustomerIdle.D(), Ping: s.CustomerPing.D(), Pong: s.CustomerPong.D(),
	}
}

func backflowLive(s *knobs.Settings) backflow.Live {
	return backflow.Live{
		Max: int(s.BackflowMax), Rate: float64(s.BackflowRate), PerHour: int(s.BackflowPerHour), AtOnce: int(s.BackflowAtOnce), Hold: s.BackflowHold.D(),
		LiveMax: float64(s.BackflowLiveMax), Life: s.BackflowLife.D(), DraftAfter: int(s.BackflowDraftAfter),
	}
}

// markLife is how long an erased dialog leaves its mark: a little longer than what was
// under way when it was erased may still be written. A job may have waited all its time
// in the queue.
func markLife(groups ...*knobs.Settings) time.Duration {
	var longest time.Duration
	for _, s := range groups {
		longest = max(longest, chat.Longest(s))
	}
	return jobs.LongestQueued + longest + dialog.LateLife
}

func storeOptions(s *knobs.Settings, background *sync.WaitGroup, observe func(string, time.Duration, error)) dialog.StoreOptions {
	o := dialog.StoreOptions{Timeout: s.RedisTimeout.D(), Pool: int(s.RedisPool), Attempts: 1, RoundTrips: int(s.RedisRoundtrips), Gather: s.RedisGather.D(), Background: background, Observe: observe}
	if s.Tiers {
		o.Attempts = 2
	}
	return o
}
