package measure

import (
	"fmt"
	"slices"
	"time"
)

// Plan is what a recorder must know before the first turn: everything that
// decides into which counter a turn goes. Two snapshots add up only if their
// plans are equal.
type Plan struct {
	Stages  []Stage  `json:"stages"`
	Slots   []Slot   `json:"slots"`
	Budgets []Budget `json:"budgets"`
	// Groups are the names of the groups of users that are told apart; Turn.Group is an
	// index into them, plus one.
	Groups []string `json:"groups,omitempty"`
	// Patience is after how long an answer is late; 0 is never.
	Patience time.Duration `json:"patience_ns,omitempty"`
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
	// Checked: the scenario expects something of the answer.
	Checked bool `json:"checked,omitempty"`
	// ToRefuse: the turn must be refused.
	ToRefuse bool `json:"to_refuse,omitempty"`
}

// Budget is an exact counter of turns judged and turns bad, kept per second of
// intended time. A turn counts when its stage is among Stages, its outcome among
// Valid and it is neither Excluded nor sent Again; it is bad unless its outcome is among Good, its
// time (Of) within Limit, and its tier TierAtMost or better.
//
// A censored turn counts only where it is bad already: where it had exceeded the
// limit when it was cut.
//
// Of ChunkGap it judges only turns with gaps, one each whatever their number, for
// the gaps of a stream hang together: bad when one is longer than Limit. Of
// FirstReasoning it leaves out answers without reasoning, which not every question needs. With Checked it judges only turns of slots that
// are checked, with Verified only turns whose canaries came back or were wrong. With
// Told an answer is bad that is Untold.
type Budget struct {
	Name       string        `json:"name"`
	Stages     uint64        `json:"stages"` // one bit a stage
	Valid      OutcomeSet    `json:"valid"`
	Good       OutcomeSet    `json:"good"`
	Limit      time.Duration `json:"limit_ns,omitempty"` // 0: no limit
	Of         Timing        `json:"of"`
	TierAtMost Tier          `json:"tier_at_most,omitempty"` // TierUnknown: any
	Checked    bool          `json:"checked,omitempty"`
	Verified   bool          `json:"verified,omitempty"`
	Told       bool          `json:"told,omitempty"`
	// Group is the index in Plan.Groups, plus one, of the only group that is judged;
	// 0: all are. A turn that nobody answered did not say its group, and counts for each.
	Group int `json:"group,omitempty"`
	// Together: it is counted how its bad turns fall together in conversations.
	Together bool `json:"together,omitempty"`
}

// Timing names a duration of a turn.
type Timing uint8

// The timings with a histogram each.
const (
	Response       Timing = iota // answered turns, from intended
	Service                      // answered turns, from sent
	FirstToken                   // streams, from intended
	ChunkGap                     // streams, between two contents
	Connect                      // DNS, connect, TLS
	Lag                          // every turn
	FirstReasoning               // streams whose model thinks aloud first, from intended
	TokenTime                    // streams that tell their tokens: a turn's time for an output token

	Timings = int(TokenTime) + 1
)

// The bounds of a plan: stages and budgets are bits of a word, and the seconds
// of a day are kept.
const (
	MaxStages  = 64
	MaxBudgets = 64
	MaxSlots   = 10_000
	MaxGroups  = 8
	MaxLength  = 25 * time.Hour
)

// Check tells what makes a plan unusable: stages that overlap or run backwards,
// or more of something than fits.
func (p *Plan) Check() error {
	switch {
	case len(p.Stages) > MaxStages:
		return fmt.Errorf("plan has %d stages: at most %d", len(p.Stages), MaxStages)
	case len(p.Budgets) > MaxBudgets:
		return fmt.Errorf("plan has %d budgets: at most %d; judge fewer objectives", len(p.Budgets), MaxBudgets)
	case len(p.Slots) > MaxSlots:
		return fmt.Errorf("plan has %d turns in its conversations: at most %d", len(p.Slots), MaxSlots)
	case len(p.Groups) > MaxGroups:
		return fmt.Errorf("plan has %d groups: at most %d", len(p.Groups), MaxGroups)
	case p.End() > MaxLength:
		return fmt.Errorf("plan lasts %v: at most %v", p.End(), MaxLength)
	}
	if p.Patience < 0 {
		return fmt.Errorf("plan has the patience of %v: want 0 or more", p.Patience)
	}
	at := time.Duration(0)
	for _, s := range p.Stages {
		if s.Start < at || s.End < s.Start {
			return fmt.Errorf("stage %q runs from %v to %v: stages follow one another", s.Name, s.Start, s.End)
		}
		at = s.End
	}
	for _, b := range p.Budgets {
		if b.Of >= Timing(Timings) || b.TierAtMost >= Tier(Tiers) || b.Limit < 0 {
			return fmt.Errorf("budget %q has a timing, tier or limit that does not exist", b.Name)
		}
		if b.Group < 0 || b.Group > len(p.Groups) {
			return fmt.Errorf("budget %q is of group %d: there are %d", b.Name, b.Group, len(p.Groups))
		}
	}
	return nil
}

// Equal tells whether snapshots of both plans may be added.
func (p *Plan) Equal(o *Plan) bool {
	if p == o {
		return true
	}
	return p != nil && o != nil && p.Drain == o.Drain && p.Patience == o.Patience && slices.Equal(p.Stages, o.Stages) &&
		slices.Equal(p.Slots, o.Slots) && slices.Equal(p.Budgets, o.Budgets) && slices.Equal(p.Groups, o.Groups)
}

// End is when the last stage ends.
func (p *Plan) End() time.Duration {
	if p == nil || len(p.Stages) == 0 {
		return 0
	}
	return p.Stages[len(p.Stages)-1].End
}

// Seconds is how many whole or begun seconds the stages take; the second with
// this index takes what was intended later.
func (p *Plan) Seconds() int {
	return int((max(p.End(), 0) + time.Second - 1) / time.Second)
}

// SecondAt is the index of the second of an intended time.
func (p *Plan) SecondAt(intended time.Duration) int {
	if intended >= p.End() {
		return p.Seconds()
	}
	return int(max(intended, 0) / time.Second)
}

// StageAt is the index of the stage of an intended time. Turns intended after
// the last stage belong to it: conversations begun in it may end. It is -1
// without stages.
func (p *Plan) StageAt(intended time.Duration) int {
	for i := range p.Stages {
		if intended < p.Stages[i].End {
			return i
		}
	}
	return len(p.Stages) - 1
}
