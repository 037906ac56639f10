package measure

// Outcome is what a turn was. The order is the order of result.json, not of
// severity; the rules that choose one are in load/classify.go.
type Outcome uint8

// The outcomes of turns that were sent.
const (
	OK Outcome = iota
	Degraded
	Unexpected
	ContextLost
	RateLimited
	Shed
	ClientError
	ServerError
	Truncated
	Timeout
	TransportError
	Integrity
	// Refused and LetIn are turns that had to be refused: a stranger's, one with a bad
	// token. They are no answers, nor the lack of one.
	Refused
	LetIn
	Censored // sent, and still unanswered when the drain ended
	// DroppedTarget and DroppedGenerator are starts that never became a
	// conversation: no turn of theirs was sent.
	DroppedTarget
	DroppedGenerator

	// Outcomes is how many there are.
	Outcomes = int(DroppedGenerator) + 1
)

var outcomeNames = [Outcomes]string{
	"ok", "degraded", "unexpected", "context_lost", "rate_limited", "shed", "client_error", "server_error",
	"truncated", "timeout", "transport_error", "integrity", "refused", "let_in", "censored", "dropped_target", "dropped_generator",
}

// String is the outcome's name in result.json.
func (o Outcome) String() string {
	if int(o) < Outcomes {
		return outcomeNames[o]
	}
	return "unknown"
}

// OutcomeSet is a set of outcomes, one bit each.
type OutcomeSet uint32

// SetOf gives the set of the outcomes named.
func SetOf(outcomes ...Outcome) OutcomeSet {
	var s OutcomeSet
	for _, o := range outcomes {
		s |= 1 << o
	}
	return s
}

// renumbered is a set as it was written before there were turns that had to be refused.
func (s OutcomeSet) renumbered() OutcomeSet {
	const before = 1<<Refused - 1
	return s&before | s&^before<<2
}

// Has tells whether o is in the set.
func (s OutcomeSet) Has(o Outcome) bool { return s&(1<<o) != 0 }

// Answered are the outcomes that are good for *answered*.
const Answered = OutcomeSet(1<<OK | 1<<Degraded | 1<<Unexpected)

// ToRefuse are the outcomes of turns that had to be refused.
const ToRefuse = OutcomeSet(1<<Refused | 1<<LetIn)

// Tier is the quality an answer was served at, best first. TierUnknown is an
// answer that does not say.
type Tier uint8

// The tiers of the reference server; other servers' words are mapped to them.
const (
	TierUnknown Tier = iota
	TierLLM
	TierFAQ
	TierHandoff
	TierStatic

	// Tiers is how many there are, TierUnknown among them.
	Tiers = int(TierStatic) + 1
)

var tierNames = [Tiers]string{"unknown", "llm", "faq", "handoff", "static"}

// String is the tier's name in scenarios and result.json.
func (t Tier) String() string {
	if int(t) < Tiers {
		return tierNames[t]
	}
	return "unknown"
}

// ParseTier gives the tier of a name, and whether there is one.
func ParseTier(name string) (Tier, bool) {
	for i, n := range tierNames {
		if n == name {
			return Tier(i), true
		}
	}
	return TierUnknown, false
}
