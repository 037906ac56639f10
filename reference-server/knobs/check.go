package knobs

import (
	"errors"
	"fmt"
	"time"

	"github.com/cstest/cstest/unit"
)

// longestLameDuck leaves turns in flight time within the 25 s of a drain.
const longestLameDuck = 15 * time.Second

// longestGather is little beside what a model takes.
const longestGather = 100 * time.Millisecond

// check refuses combinations that cannot work.
func (s Settings) check() error { //nolint:cyclop // a case for each kind; in parts it would be read no better
	var errs []error
	if s.LLMTimeout <= 0 {
		errs = append(errs, errors.New("knob llm.timeout: must be above 0s"))
	}
	if s.ChatDeadline > 0 && s.ChatDegradeAt > s.ChatDeadline {
		errs = append(errs, errors.New("knob chat.degrade_at: must be at most chat.deadline"))
	}
	if s.AdmissionTarget < 0 || s.AdmissionWait < 0 || s.AdmissionHold < 0 {
		errs = append(errs, errors.New("knob admission.target: must be 0s or more, as must admission.wait and admission.hold"))
	}
	if s.LLMAttempts < 1 || s.LLMAttempts > 10 {
		errs = append(errs, errors.New("knob llm.attempts: must be 1 to 10"))
	}
	if s.HistoryTTL <= 0 || s.HistoryHard < s.HistoryTTL {
		errs = append(errs, errors.New("knob history.ttl: must be above 0s and at most history.hard"))
	}
	if s.HistoryMessages < 2 || s.HistoryMessages > 200 {
		errs = append(errs, errors.New("knob history.messages: must be 2 to 200"))
	}
	if s.TierStep <= 0 || s.TierDwell <= 0 || s.TierDwellMax < s.TierDwell {
		errs = append(errs, errors.New("knob tiers.dwell: must be above 0s and at most tiers.dwell_max, tiers.step above 0s"))
	}
	if s.DrainLameDuck < 0 || s.DrainLameDuck.D() > longestLameDuck {
		errs = append(errs, fmt.Errorf("knob drain.lame_duck: must be 0s to %s", unit.Duration(longestLameDuck)))
	}
	if s.AgentQueue < 1 || s.AgentQueue > 65_536 {
		errs = append(errs, errors.New("knob agent.queue: must be 1 to 65536"))
	}
	if s.DeskPerHour <= 0 {
		errs = append(errs, errors.New("knob desk.per_hour: must be above 0"))
	}
	if s.AgentPing <= 0 || s.AgentPong <= 0 || s.AgentHold <= 0 {
		errs = append(errs, errors.New("knob agent.ping: must be above 0s, as must agent.pong and agent.hold"))
	}
	if s.CustomerIdle < 0 || s.CustomerPing <= 0 || s.CustomerPong <= 0 {
		errs = append(errs, errors.New("knob customer.ping: must be above 0s, as must customer.pong, and customer.idle 0s or more"))
	}
	errs = append(errs, s.checkRedis(), s.checkBackflow(), s.checkGroup())
	for _, c := range []struct {
		name  string
		value unit.Count
	}{
		{"chat.blocking_workers", s.ChatBlockingWorkers},
		{"chat.max_in_flight", s.ChatMaxInFlight},
		{"chat.max_bodies", s.ChatMaxBodies},
		{"chat.max_bodies_user", s.ChatMaxBodiesUser},
		{"admission.floor", s.AdmissionFloor},
		{"limit.global_burst", s.LimitGlobalBurst},
		{"limit.user_burst", s.LimitUserBurst},
		{"limit.polls", s.LimitPolls},
		{"limit.polls_user", s.LimitPollsUser},
		{"llm.max_idle", s.LLMMaxIdle},
		{"llm.max_conns", s.LLMMaxConns},
		{"llm.bulkhead", s.LLMBulkhead},
		{"llm.breaker_consecutive", s.LLMBreakerConsecutive},
		{"redis.pool", s.RedisPool},
		{"agent.max_sockets", s.AgentMaxSockets},
		{"customer.max_sockets", s.CustomerMaxSockets},
		{"customer.max_sockets_user", s.CustomerMaxSocketsUser},
		{"backflow.max", s.BackflowMax},
		{"backflow.per_hour", s.BackflowPerHour},
		{"backflow.draft_after", s.BackflowDraftAfter},
		{"gray.samples", s.GraySamples},
	} {
		if c.value < 0 || c.value > 10_000_000 {
			errs = append(errs, fmt.Errorf("knob %s: must be 0 to 10000k", c.name))
		}
	}
	return errors.Join(errs...)
}

func (s Settings) checkRedis() error {
	var errs []error
	if s.RedisTimeout <= 0 {
		errs = append(errs, errors.New("knob redis.timeout: must be above 0s"))
	}
	if s.RedisGather < 0 || s.RedisGather.D() > longestGather {
		errs = append(errs, fmt.Errorf("knob redis.gather: must be 0s to %s", unit.Duration(longestGather)))
	}
	if s.RedisAwayAt < 0 || s.RedisAwayFor < 0 {
		errs = append(errs, errors.New("knob redis.away_at: must be 0s or more, as must redis.away_for"))
	}
	if s.RedisRoundtrips != 2 && s.RedisRoundtrips != 4 {
		errs = append(errs, errors.New("knob redis.roundtrips: must be 2 or 4"))
	}
	return errors.Join(errs...)
}

func (s Settings) checkBackflow() error {
	var errs []error
	if s.BackflowHold < 0 || s.BackflowLife <= 0 {
		errs = append(errs, errors.New("knob backflow.life: must be above 0s, backflow.hold 0s or more"))
	}
	if s.BackflowAtOnce < 1 || s.BackflowAtOnce > 256 {
		errs = append(errs, errors.New("knob backflow.at_once: must be 1 to 256"))
	}
	return errors.Join(errs...)
}
