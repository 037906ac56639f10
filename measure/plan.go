package measure

import "time"

// Plan is what a recorder must know before the first turn: everything that
// decides into which counter a turn goes. Two snapshots add up only if their
// plans are equal.
type Plan struct {
	Stages  []Stage  `json:"stages"`
	Slots   []Slot   `json:"slots"`
	Budgets []Budget `json:"budgets"`
	// Drain is how long after the last stage turns may still be recorded.
	Drain time.Duration `json:"drain_ns"`
}

// Stage is a stretch of the load, [Start, End) in intended time.
type Stage struct {
	Name   string        `json:"name"`
	Start  time.Duration `json:"start_ns"`
	End    time.Duration `json:"end_ns"`
	Judged bool          `json:"judged"`
}

// Slot is one turn of one conversation of the scenario, with histograms of its own.
type Slot struct {
	Conversation string `json:"conversation"`
	Index        int    `json:"index"` // from 0
	Say          string `json:"say"`   // the template, shortened
}

// Budget is an exact counter of turns judged and turns bad, kept per second of
// intended time. A turn counts when its stage is among Stages, its outcome among
// Valid and it is not Excluded; it is bad unless its outcome is among Good, its
// time (Of) within Limit, and its tier TierAtMost or better.
type Budget struct {
	Name       string        `json:"name"`
	Stages     uint64        `json:"stages"` // one bit a stage
	Valid      OutcomeSet    `json:"valid"`
	Good       OutcomeSet    `json:"good"`
	Limit      time.Duration `json:"limit_ns,omitempty"` // 0: no limit
	Of         Timing        `json:"of"`
	TierAtMost Tier          `json:"tier_at_most,omitempty"` // TierUnknown: any
}

// Timing names a duration of a turn.
type Timing uint8

// The timings with a histogram each.
const (
	Response   Timing = iota // answered turns, from intended
	Service                  // answered turns, from sent
	FirstToken               // streams, from intended
	ChunkGap                 // streams, between two contents
	Connect                  // DNS, connect, TLS
	Lag                      // every turn

	Timings = int(Lag) + 1
)
