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

// Intents classifies by rules and by what examples taught. Neither is sure alone:
// a rule is a weight on the scales. Safe for concurrent use.
type Intents struct {
	rules   *rules
	learned *learned
}

const (
	ruleWeight = 1.5 // of a rule, in the logarithm of the odds
	sure       = 0.5 // chance of a person's matter at which it goes to one
)

// NewIntents makes the classifier.
func NewIntents() *Intents { return &Intents{rules: compiled(), learned: taught()} }

// compiled are the rules, read once in a process.
var compiled = sync.OnceValue(func() *rules {
	rules, err := newRules(rulesText)
	if err != nil {
		panic(err) // they are part of the program
	}
	return rules
})

// taught is what the examples teach, learned once in a process. What has a
// reviewed answer is information.
var taught = sync.OnceValue(func() *learned {
	examples, err := parseExamples(examplesText)
	if err != nil {
		panic(err) // they are part of the program
	}
	entries, err := parseFAQ(faqJSON)
	if err != nil {
		panic(err) // so are they
	}
	for _, e := range entries {
		for _, q := range e.Q {
			examples = append(examples, example{Info, q})
		}
	}
	return learn(examples)
})

// Of classifies a text without marks.
func (in *Intents) Of(text string) Intent {
	text = plain(text)
	rule := in.rules.first(text, func(Intent) bool { return true })
	best, most := Info, 0.0
	for part := range parts(text) {
		var buffer [256]uint32
		p := in.learned.chances(pieces(buffer[:0], part), rule, ruleWeight)
		if i, chance := matter(p); chance > most {
			best, most = i, chance
		}
	}
	switch {
	case most >= sure:
		return best
	case rule.Human():
		return in.rules.first(text, func(i Intent) bool { return !i.Human() })
	}
	return rule
}

// matter is the most likely of the intents that go to a person, and how likely it
// is that one of them is meant.
func matter(p [NumIntents]float64) (best Intent, chance float64) {
	for i := ChangeOrder; i < NumIntents; i++ {
		if chance += p[i]; best == Info || p[i] > p[best] {
			best = i
		}
	}
	return best, chance
}
