package journal

import (
	"github.com/cstest/cstest/mockllm/config"
)

// Outcome is what the server did with a call: an HTTP status it injected, or
// one of the words below.
type Outcome uint16

// The outcomes that are no status.
const (
	OutcomeOK Outcome = 600 + iota
	OutcomeInvalid
	OutcomeOverloaded
	OutcomeGone
	OutcomeKind  // + kind: struck by that fault
	outcomeLimit = OutcomeKind + Outcome(config.KindCount)
)

// String is the word of contracts, labels and journal: "ok", "invalid",
// "overloaded", "client_gone", "status_503", or the fault's kind.
func (o Outcome) String() string {
	switch {
	case o == OutcomeOK:
		return "ok"
	case o == OutcomeInvalid:
		return "invalid"
	case o == OutcomeOverloaded:
		return "overloaded"
	case o == OutcomeGone:
		return "client_gone"
	case o > OutcomeKind && o < outcomeLimit:
		return config.Kind(o - OutcomeKind).String()
	}
	return "status_" + string([]byte{'0' + byte(o/100%10), '0' + byte(o/10%10), '0' + byte(o%10)})
}

// parseOutcome reads what String wrote.
func parseOutcome(text string, status int) Outcome {
	for o := OutcomeOK; o < outcomeLimit; o++ {
		if o != OutcomeKind && o.String() == text {
			return o
		}
	}
	return Outcome(min(max(status, 0), 599)) // an injected one
}

// Purpose tells a user's turn from the server's own calls.
type Purpose uint8

// The purposes.
const (
	PurposeTurn Purpose = iota
	PurposeProbe
	PurposeBackflow
)

// String is the word of the journal; a user's turn has none.
func (p Purpose) String() string {
	return [...]string{"", "probe", "backflow"}[p]
}
