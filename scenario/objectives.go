package scenario

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/unit"
)

// expectedTarget is the share of checked answers that must be as expected when
// a turn has `expect` and no objective says another share: one in twenty may
// phrase it otherwise.
const expectedTarget unit.Share = 0.95

// shareOf gives the share that a percentile stands for: "p99" is 99 %.
func shareOf(percentile string) (unit.Share, bool) {
	if !slices.Contains(Percentiles(), percentile) {
		return 0, false
	}
	share, err := unit.ParseShare(strings.TrimPrefix(percentile, "p") + "%")
	return share, err == nil
}

// CountsTurns tells whether objectives of the kind are judged by counting turns
// as they end; the others by whole seconds' ends, conversations, calls or facts.
func (k ObjectiveKind) CountsTurns() bool {
	switch k {
	case KindLatency, KindAvailability, KindSeconds, KindFullQuality, KindExpected, KindContext, KindFirstToken, KindFirstReasoning, KindChunkGap:
		return true
	case KindIntegrity, KindPlanted, KindRefused, KindRecoveryLatency, KindRecoveryQuality, KindCallsPerTurn, KindConversations, KindAbandoned, KindObserved, KindClient:
	}
	return false
}

// Objectives gives everything the run is judged by: the short form of the SLA
// under the names latency-p50 … latency-p99.9, availability,
// availability-seconds, full-quality, abandoned, recovery-latency and recovery-quality, client-…;
// the checks that are always on where they can be seen: integrity, context
// (checks.memory), planted (checks.planted), expected (a turn has `expect`),
// refused (one has expect.refused);
// and the long form, which replaces one of these by taking its name.
func (s *Scenario) Objectives() []Objective {
	list := s.automatic()
	for _, o := range s.SLA.Objectives {
		if i := slices.IndexFunc(list, func(x Objective) bool { return x.Name == o.Name }); i >= 0 {
			list[i] = o
			continue
		}
		list = append(list, o)
	}
	return list
}

// automatic gives the objectives of the short form and of the checks.
func (s *Scenario) automatic() []Objective {
	var list []Objective
	add := func(o Objective) { list = append(list, o) }
	for _, p := range Percentiles() {
		if limit, ok := s.SLA.Latency[p]; ok {
			target, _ := shareOf(p)
			add(Objective{Name: "latency-" + p, Kind: KindLatency, Target: target, Limit: limit})
		}
	}
	if a := s.SLA.Availability; a > 0 {
		add(Objective{Name: "availability", Kind: KindAvailability, Target: a})
		add(Objective{Name: "availability-seconds", Kind: KindSeconds, Target: a})
	}
	if q := s.SLA.FullQuality; q > 0 {
		add(Objective{Name: "full-quality", Kind: KindFullQuality, Target: q})
	}
	if a := s.SLA.Abandoned; a != nil {
		add(Objective{Name: "abandoned", Kind: KindAbandoned, Target: 1 - *a})
	}
	if r := s.SLA.Recovery; r != nil {
		if r.Latency > 0 {
			add(Objective{Name: "recovery-latency", Kind: KindRecoveryLatency, Limit: r.Latency, After: r.After})
		}
		if r.Quality > 0 {
			add(Objective{Name: "recovery-quality", Kind: KindRecoveryQuality, Limit: r.Quality, After: r.After})
		}
	}
	list = append(list, s.SLA.Client.objectives()...)
	add(Objective{Name: "integrity", Kind: KindIntegrity})
	if s.Checks.Memory == On {
		add(Objective{Name: "context", Kind: KindContext})
	}
	if len(s.Checks.Planted) > 0 {
		add(Objective{Name: "planted", Kind: KindPlanted})
	}
	if s.expects((*Expect).OfAnswer) {
		add(Objective{Name: "expected", Kind: KindExpected, Target: expectedTarget})
	}
	if s.expects((*Expect).ToRefuse) {
		add(Objective{Name: "refused", Kind: KindRefused})
	}
	return list
}

// objectives gives those of the short form, named client-retry-after and the like.
func (c *ClientSLA) objectives() (list []Objective) {
	if c == nil {
		return nil
	}
	add := func(f ClientFinding, target unit.Share, most float64) {
		name := "client-" + strings.ReplaceAll(string(f), "_", "-")
		list = append(list, Objective{Name: name, Kind: KindClient, Client: f, Target: target, Max: most})
	}
	count := func(f ClientFinding, most *unit.Count) {
		if most != nil {
			add(f, 0, float64(*most))
		}
	}
	if c.CallsPerTurn > 0 {
		add(ClientCallsPerTurn, 0, c.CallsPerTurn)
	}
	if c.RetryAfter > 0 {
		add(ClientRetryAfter, c.RetryAfter, 0)
	}
	count(ClientRetries4xx, c.RetriesAfter4xx)
	count(ClientAfterLeft, c.AfterUserLeft)
	count(ClientBroken, c.BrokenPassedOn)
	if c.Backoff {
		add(ClientBackoff, 0, 0)
	}
	if c.InFlight > 0 {
		add(ClientInFlight, 0, float64(c.InFlight))
	}
	return list
}

// expects tells whether any turn expects something.
func (s *Scenario) expects(something func(*Expect) bool) bool {
	for _, c := range s.Conversations {
		for _, t := range c.Turns {
			if something(t.Expect) {
				return true
			}
		}
	}
	return false
}
