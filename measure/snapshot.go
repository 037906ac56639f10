package measure

import "time"

// Snapshot is everything recorded so far. It adds up: snapshots of intervals,
// of shards and of a journal read back give, in any order, the same snapshot.
// A Snapshot is not safe for concurrent use; a Recorder hands out copies.
type Snapshot struct {
	Plan *Plan
	// Elapsed is how far the load's clock had come at the last interval.
	Elapsed time.Duration
	// Seconds by intended time: Seconds[i] is second First+i. First is 0 but in the
	// interval that Cut gives, which holds only the seconds it touched. The second
	// Plan.Seconds() takes what was intended later than the plan's end.
	First   int
	Seconds []Second
	// Timings of answered turns (Response, Service), of streams, of new connections,
	// of every turn (Lag). None is nil in snapshots of this package.
	Timings [Timings]*Histogram
	// ByOutcome is the response time of the turns of each outcome; nil where there were none.
	ByOutcome [Outcomes]*Histogram
	// Slots is parallel to Plan.Slots.
	Slots []SlotTally
	// Counts of turns and of dropped starts, by outcome; Excluded is how many of them no budget judges.
	Counts   [Outcomes]int64
	Excluded int64
	// Tiers of answered turns.
	Tiers [Tiers]int64
	// TierTimes are their response times.
	TierTimes [Tiers]Sketch
	// Groups is parallel to Plan.Groups: what became of the turns that named one.
	Groups [MaxGroups]GroupTally
	// Conversations by how they ended; Planned is the starts that fell due, Started those issued.
	Conversations [ConversationEnds]int64
	Planned       int64
	Started       int64
	// Clusters are of the conversations that have ended; Together finds a budget's.
	Clusters clusters
	// Planted is how many answers held a planted value. Verified and NotVerified
	// split the model's answers by whether canaries told their context.
	Planted     int64
	Verified    int64
	NotVerified int64
	// Failures by frequency, most frequent first; Unlisted is the number of turns of
	// kinds beyond the FailuresPerOutcome that are kept.
	Failures []FailureCount
	Unlisted int64
	// AnsweredBands and FailedBands split response times into phases, of answered turns and
	// of those that were not; censored ones are in neither. Server is what the answers
	// said of their own time, by name.
	AnsweredBands, FailedBands Bands
	Server                     []ServerTimes
	// Usage is what all turns cost a model, as its answers tell.
	Usage Usage
}

// Second is what was intended in one second, but for its Flow, which is what
// happened in it.
type Second struct {
	Starts   uint32 // conversations issued
	Flow     Flow
	Outcomes [Outcomes]uint32
	Tiers    [Tiers]uint32
	Budgets  []BudgetCount // parallel to Plan.Budgets
	Response Sketch        // of answered turns
	Lag      Sketch
	// Positions are answered turns by their place in the conversation.
	Positions [Positions]TurnTime
}

// Flow is what happened in a second, whenever it was intended. Waits that begin
// and end in the same second are not among these.
type Flow struct {
	Answers uint32 // that came
	Lost    uint32 // turns begun that were not answered
	LostEnd uint32 // and such turns that ended
	Late    uint32 // turns whose Plan.Patience ended, and which were answered later
	LateEnd uint32 // and such answers that came
}

// BudgetCount is how many turns a budget judged and how many of them were bad.
type BudgetCount struct{ N, Bad uint32 }

// GroupTally is what became of the turns of a group of users.
type GroupTally struct {
	Outcomes [Outcomes]int64
	Response Sketch // answered turns, from intended
}

// SlotTally is one turn of one conversation.
type SlotTally struct {
	Turns    int64
	Answered int64      // or refused, where they had to be
	Response *Histogram // answered turns, from intended
}

// FailureCount is a kind of failure, how often it was seen, and the first of it.
type FailureCount struct {
	Outcome Outcome
	Message string
	Count   int64
	First   Failure
}
