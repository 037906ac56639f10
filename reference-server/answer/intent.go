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
// a rule is a weight on the scales, but for what is said outright. Safe for concurrent
// use.
type Intents struct {
	outright *rules // that take nobody's word against them
	rules    *rules
	others   *rules // for what does not go to a person
	learned  *learned
}

const (
	ruleOdds = 2   // by which a rule multiplies the odds of its intent
	sure     = 0.5 // chance of a person's matter at which it goes to one
)

// NewIntents makes the classifier.
func NewIntents() *Intents {
	familiar() // no turn has to wait for it
	return &Intents{outright: outrightRules(), rules: allRules(), others: otherRules(), learned: taught()}
}

// The rules are read once in a process.
var (
	allRules      = sync.OnceValue(func() *rules { return mustRules(func(r rule) (rule, bool) { return r, true }) })
	otherRules    = sync.OnceValue(func() *rules { return mustRules(func(r rule) (rule, bool) { return r, !r.intent.Human() }) })
	outrightRules = sync.OnceValue(func() *rules {
		return mustRules(func(r rule) (rule, bool) {
			r.words = r.outright
			return r, len(r.words) > 0
		})
	})
)

func mustRules(asked func(rule) (rule, bool)) *rules {
	rules, err := newRules(rulesText, asked)
	if err != nil {
		panic(err) // they are part of the program
	}
	return rules
}

// taught is what the lessons teach, learned once in a process.
var taught = sync.OnceValue(func() *learned { return learn(lessons()) })

// lessons are the examples, and the ways to ask of the FAQ: what has a reviewed answer is
// information.
var lessons = sync.OnceValue(func() []example {
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
	return examples
})

// Of classifies a text without marks.
func (in *Intents) Of(text string) Intent {
	text = plain(text)
	if i := in.person(text); i.Human() {
		return i
	}
	return in.others.first(text)
}

// Human says whether Of gives an intent that goes to a person, for less.
func (in *Intents) Human(text string) bool { return in.person(plain(text)).Human() }

// person is what a plain text is about where that goes to a person, else Info.
func (in *Intents) person(text string) Intent {
	return in.orOutright(text, in.weighed(text))
}

// orOutright is what a plain text is taken for, or what it says outright: danger before
// all, the rest where it would not reach a person.
func (in *Intents) orOutright(text string, taken Intent) Intent {
	if said := in.outright.first(text); said == Safety || said != Info && !taken.Human() {
		return said
	}
	return taken
}

// weighed is what rules and learning together make of a plain text. Rules cost most of
// it, so they are asked only where what they say can make a difference. What learning
// alone makes of noise is chance.
func (in *Intents) weighed(text string) Intent {
	ends := in.ends(text)
	for _, other := range ends {
		if other != ends[Info] {
			rule := in.rules.first(text)
			return heard(text, rule, ends[rule])
		}
	}
	if !ends[Info].Human() || !noise(text) {
		return ends[Info]
	}
	return heard(text, in.rules.first(text), ends[Info])
}

// heard is what a plain text is about, or Info where that is noise to all but a rule that
// speaks for a person.
func heard(text string, rule, end Intent) Intent {
	if end.Human() && !rule.Human() && noise(text) {
		return Info
	}
	return end
}

// ends are what a plain text is taken for, by what the rules say of it: an intent that
// goes to a person, or Info where none is likely enough.
func (in *Intents) ends(text string) (ends [NumIntents]Intent) {
	var most [NumIntents]float64
	for part := range parts(text) {
		var buffer [384]uint32
		odds := in.learned.odds(pieces(buffer[:0], part))
		for rule := range NumIntents {
			if i, chance := matter(odds.with(rule)); chance > most[rule] {
				ends[rule], most[rule] = i, chance
			}
		}
	}
	for rule, chance := range most {
		if chance < sure {
			ends[rule] = Info
		}
	}
	return ends
}

// matter is the most likely of the intents that go to a person, and how likely it
// is that one of them is meant.
func matter(o odds) (best Intent, chance float64) {
	sum := 0.0
	for i, x := range o {
		sum += x
		if !Intent(i).Human() {
			continue
		}
		if chance += x; best == Info || x > o[best] {
			best = Intent(i)
		}
	}
	return best, chance / sum
}
