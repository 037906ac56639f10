// Package answer is what the server can say without a model: it tells what a
// message is about, finds reviewed answers and has the fixed texts.
package answer

import "sync"

// Intent is what a message is about, as far as the choice of a tier needs it.
type Intent uint8

// The intents, in the order of their risk.
const (
	Info        Intent = iota // rules and facts that are the same for everybody
	ReadOrder                 // where is my order
	ChangeOrder               // change, cancel: a human
	Complaint                 // a human
	Payment                   // money went wrong: a human
	Safety                    // a human, first of all
	Human                     // asked for one

	NumIntents // how many there are
)

var intentNames = [NumIntents]string{"info", "read_order", "change_order", "complaint", "payment", "safety", "human"}

// String is the intent's name in metrics and tickets.
func (i Intent) String() string { return intentNames[i] }

// Human says whether the intent goes to a person in every tier.
func (i Intent) Human() bool { return i >= ChangeOrder }

// Queue is where tickets of this intent wait.
func (i Intent) Queue() string {
	switch i {
	case Safety:
		return "safety"
	case Payment:
		return "payment"
	case Complaint:
		return "complaint"
	case ChangeOrder, ReadOrder:
		return "order"
	case Info, Human, NumIntents:
	}
	return "general"
}

// Intents classifies by rules. Safe for concurrent use.
type Intents struct {
	rules []rule
}

// NewIntents makes the classifier.
func NewIntents() *Intents { return &Intents{rules: compiled()} }

// compiled are the rules, read once in a process.
var compiled = sync.OnceValue(func() []rule {
	rules, err := parseRules(rulesText)
	if err != nil {
		panic(err) // they are part of the program
	}
	return rules
})

// Of classifies a text without marks: by the first rule that matches.
func (in *Intents) Of(text string) Intent {
	text = plain(text)
	l := lettersOf(text)
	for i := range in.rules {
		if r := &in.rules[i]; r.matches(text, l) {
			return r.intent
		}
	}
	return Info
}
