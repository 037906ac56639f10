// Package measure records what happened: turns go into lanes, lanes into one
// interval a second, intervals into a snapshot. Intervals and snapshots add up,
// across seconds, across processes and from a journal read back, always to the
// same result. It imports nothing else of cstest.
package measure

import "time"

// Turn is one turn as it happened. All offsets are from the start of the load,
// on the monotonic clock; zero where the turn did not get that far. Response
// time is Done − Intended − Login, service time Done − Sent, lag Sent − Intended less
// what the target itself made us wait (see Lag).
type Turn struct {
	Slot       int           // which turn of which conversation: index into Plan.Slots
	Intended   time.Duration // when it should have begun
	Sent       time.Duration // first byte of the request written
	FirstByte  time.Duration // first byte of the response read
	FirstToken time.Duration // first non-empty content of a stream read
	// FirstReasoning is when the first of the model's reasoning was, which is no content; 0 without.
	FirstReasoning time.Duration
	Done           time.Duration // last byte read, or when it failed
	Login          time.Duration // what a login and the steps before a conversation took, behind Intended: no part of a time below
	Connect        time.Duration // DNS, connect and TLS made for this turn; 0 on a kept connection
	Lag            time.Duration // how late the generator itself was: from Intended to when it began to connect or write

	Outcome  Outcome
	Tier     Tier
	Group    int  // index in Plan.Groups, plus one; 0: the answer names none of them, or there is none
	Excluded bool // a 429 beyond the contract: counted, judged by no budget
	Again    bool // the same message as before, which was judged: counted, judged by no budget
	Planted  bool // a planted value stood unmasked in the answer
	Untold   bool // the answer does not say whether the model gave it, where the scenario says that it does
	Memory   Memory
	// What it is told apart by elsewhere: the number of its conversation in the load, the
	// trace and span that were sent, and the status answered, 0 without one.
	Number  int64
	TraceID [16]byte
	SpanID  [8]byte
	Status  int
	// Usage is what the turn cost a model; its Turns, TurnsTold, TurnInput and TurnOutput are
	// left alone. Spell is how long its streams took from their first piece to their last,
	// and Spelled how many tokens that were, the first of each left out; 0 is not known.
	Usage   Usage
	Spell   time.Duration
	Spelled int64
	// Gaps between the contents of a stream. Record only reads them.
	Gaps []time.Duration
	// Server is what the answer's Server-Timing says. Record only reads it.
	Server []ServerTime
	// Dialog is the conversation's, which Record adds to; nil is none.
	Dialog *Dialog
}

// Memory says what the canaries told of a turn's context.
type Memory uint8

// NotVerified means no canary came back: never a pass.
const (
	NotVerified Memory = iota
	Verified
)

// ConversationEnd is how a conversation ended.
type ConversationEnd uint8

// The ends. Complete: every turn ok. CompleteDegraded: every turn answered.
// Broken: a turn was not answered. Abandoned: cut by the end of the load, in a turn
// or before one, with no turn unanswered before. Left: by a customer whose patience
// ended before the answer came.
const (
	Complete ConversationEnd = iota
	CompleteDegraded
	Broken
	Abandoned
	Left

	ConversationEnds = int(Left) + 1
)

// UnmappedTier begins the message of a degraded turn whose tier is a word that
// neither cstest nor the scenario knows; the word follows, where it is a plain one.
const UnmappedTier = "tier outside target.response.tier.map"

// Failure describes a turn that was not ok, for the list of errors.
type Failure struct {
	Outcome      Outcome
	Message      string // short, bounded, without what differs from turn to turn
	At           time.Duration
	Conversation string
	Turn         int // from 1
	Status       int
	TraceID      string
}
