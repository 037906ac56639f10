package driver

import (
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
)

// Usage is what a turn cost a model, as its answers tell. A turn has several where
// tools were called.
type Usage struct {
	// Answers are those of the model that began well, Told those among them that tell
	// their tokens.
	Answers, Told int
	// Calls is how many functions the model called and was answered.
	Calls int
	// Input and Output are tokens; Cached are those of Input that the model knew already,
	// and Reasoning those of Output that it only thought, where CachedTold and
	// ReasoningTold answers tell so.
	Input, Cached, Output, Reasoning int64
	CachedTold, ReasoningTold        int
	// Spell is how long the streams among the answers took from their first piece to
	// their last, and Spelled how many tokens came in it, the first left out: those of
	// streams that tell their tokens.
	Spell   time.Duration
	Spelled int64
}

// tokenCounts are what one answer tells, by slot from slotInput; -1 is not told.
type tokenCounts [slotUsageEnd - slotInput]int64

// answered is what is known of the model's answer under way, besides its text.
type answered struct {
	tokens      tokenCounts
	first, last time.Duration // pieces of a stream
	thought     bool          // one of them was reasoning
	calls       []toolCall
	items       []byte // of form responses: its output as it stands, with commas between
	id          []byte // of form responses
}

func (a *answered) begin() {
	*a = answered{tokens: tokenCounts{-1, -1, -1, -1}, calls: a.calls[:0], items: a.items[:0], id: a.id[:0]}
}

// piece notes that a piece of a stream came.
func (a *answered) piece(at time.Duration) {
	if a.first == 0 {
		a.first = at
	}
	a.last = at
}

// tell notes the tokens that what was scanned last tells. Streams may do so in each
// event: what comes later goes before. Null is not told.
func (a *answered) tell(values []jsonscan.Value) {
	for i := range a.tokens {
		switch v := &values[slotInput+i]; v.Kind {
		case jsonscan.Nothing, jsonscan.Null:
		default:
			a.tokens[i] = wholeNumber(v)
		}
	}
}

// wholeNumber is a number of at most twelve digits and nothing else; -1 where it is none.
func wholeNumber(v *jsonscan.Value) int64 {
	if v.Kind != jsonscan.Number || len(v.Raw) > 12 {
		return -1
	}
	n := int64(0)
	for _, c := range v.Raw {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

// spend adds the answer under way to the turn's usage.
func (x *exchange) spend(u *Usage) {
	if x.Head.Status == 0 || x.Head.Status >= 300 || x.First == 0 {
		return
	}
	a := &x.model
	t := &a.tokens
	input, cached, output, reasoning := t[0], t[slotCached-slotInput], t[slotOutput-slotInput], t[slotThought-slotInput]
	u.Answers++
	if input < 0 || output < 0 {
		return
	}
	u.Told++
	u.Input += input
	u.Output += output
	if cached >= 0 && cached <= input {
		u.Cached += cached
		u.CachedTold++
	}
	if reasoning >= 0 && reasoning <= output {
		u.Reasoning += reasoning
		u.ReasoningTold++
		if !a.thought { // it came before the first piece
			output -= reasoning
		}
	}
	if a.first > 0 && output > 1 {
		u.Spell += a.last - a.first
		u.Spelled += output - 1
	}
}
