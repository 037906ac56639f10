package refserver

// Tier is a level of service, best first.
type Tier uint8

// The tiers.
const (
	TierLLM     Tier = iota // the model, full context, hot-answer cache
	TierFAQ                 // retrieval and templates
	TierHandoff             // a ticket for a human
	TierStatic              // a fixed text and a ticket kept locally: nothing is read
)

var tierNames = [...]string{"llm", "faq", "handoff", "static"}

// String is the tier's name on the wire: llm, faq, handoff or static.
func (t Tier) String() string {
	if int(t) < len(tierNames) {
		return tierNames[t]
	}
	return "unknown"
}
