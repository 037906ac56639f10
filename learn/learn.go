package learn

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Model is what a log says of its customers.
type Model struct {
	Log      *Log
	Turns    []int // dialogs with so many messages of the customer, by that number
	Think    *Think
	Arrivals *Arrivals
	Intents  []Intent
	Chosen   []Chosen
	Replaced int // personal data for which a look-alike stands in the scenario
	LeftOut  int // dialogs that would have been chosen, had their data been replaced for certain
	Leaders  []string
}

// Chosen is a dialog of the log that stands for all of its intent and length.
type Chosen struct {
	Intent int
	Weight int
	Says   []string
}

// What a scenario holds, with room to spare.
const (
	maxChosen = 400
	maxSlots  = 1800
	maxBytes  = 400 << 10
	maxTurns  = 200
)

// Learn makes a model of a log.
func Learn(log *Log) *Model {
	m := &Model{Log: log, Think: thinking(log.Dialogs), Arrivals: arrivals(log.Dialogs), Intents: intents(log.Dialogs)}
	for _, d := range log.Dialogs {
		n := min(d.turns(), maxTurns)
		for len(m.Turns) <= n {
			m.Turns = append(m.Turns, 0)
		}
		m.Turns[n]++
	}
	m.choose()
	return m
}

// kind is an intent and a number of turns.
type kind struct{ intent, turns int }

// choose takes a dialog for every kind, the most frequent kinds first, until a
// scenario is full. The weight of what found no place goes to a dialog of the
// same length, else of the nearest, so that lengths stay what they were.
func (m *Model) choose() {
	hide := newDisguise()
	byKind := map[kind][]*Dialog{}
	for i, intent := range m.Intents {
		for _, d := range intent.Dialogs {
			k := kind{i, min(d.turns(), maxTurns)}
			byKind[k] = append(byKind[k], d)
			for _, message := range d.messages {
				hide.look(message.text)
			}
		}
	}
	kinds := slices.SortedFunc(maps.Keys(byKind), func(a, b kind) int {
		return cmp.Or(cmp.Compare(len(byKind[b]), len(byKind[a])), cmp.Compare(a.intent, b.intent), cmp.Compare(a.turns, b.turns))
	})
	slots, bytes := 0, 0
	var without []kind
	for _, k := range kinds {
		if len(m.Chosen) >= maxChosen || slots+k.turns > maxSlots || bytes >= maxBytes {
			without = append(without, k)
			continue
		}
		says, ok := m.first(byKind[k], hide)
		if !ok {
			without = append(without, k)
			continue
		}
		m.Chosen = append(m.Chosen, Chosen{Intent: k.intent, Weight: len(byKind[k]), Says: says})
		slots += k.turns
		for _, s := range says {
			bytes += len(s)
		}
	}
	for _, k := range without {
		if i := m.nearest(k); i >= 0 {
			m.Chosen[i].Weight += len(byKind[k])
		}
	}
	for i := range m.Intents {
		leader, ok := hide.text(m.Intents[i].Leader)
		if !ok || hide.leaked(leader) > 0 {
			leader = "(not shown: personal data)"
		}
		m.Leaders = append(m.Leaders, leader)
	}
	m.Replaced = len(hide.made)
}

// first is the first of the dialogs, of five at most, in which no personal datum
// is left once look-alikes stand for them.
func (m *Model) first(dialogs []*Dialog, hide *disguise) ([]string, bool) {
	for _, d := range dialogs[:min(5, len(dialogs))] {
		says, clean := d.Says(), true
		says = says[:min(len(says), maxTurns)]
		for i := range says {
			out, ok := hide.text(says[i])
			clean = clean && ok && hide.leaked(out) == 0
			says[i] = out
		}
		if clean {
			return says, true
		}
		m.LeftOut++
	}
	return nil, false
}

// nearest is the heaviest of the chosen whose length is nearest to a kind's.
func (m *Model) nearest(k kind) int {
	best := -1
	far := func(i int) int { return max(len(m.Chosen[i].Says)-k.turns, k.turns-len(m.Chosen[i].Says)) }
	for i := range m.Chosen {
		if best < 0 || far(i) < far(best) || far(i) == far(best) && m.Chosen[i].Weight > m.Chosen[best].Weight {
			best = i
		}
	}
	return best
}

// MeanTurns is how many messages a customer sends in a dialog on average.
func (m *Model) MeanTurns() float64 {
	sum, n := 0, 0
	for turns, dialogs := range m.Turns {
		sum += turns * dialogs
		n += dialogs
	}
	return float64(sum) / float64(n)
}

// Options say how the learned day is played.
type Options struct {
	Name   string
	Scale  float64       // factor on the rates; 1 is the log's
	Length time.Duration // in which the day is played
	Source string        // what the log is called
}
