package answer

// automaton is the suffix automaton of a text: it follows another text letter by
// letter and knows at each the longest end of it that stands in its own, in constant
// time on average (Blumer et al., The smallest automaton recognizing the subwords of a
// text, 1985). Safe for concurrent use once made.
type automaton struct {
	letters *letters // of the text
	states  []automatonState
	next    map[step]int32
}

type automatonState struct {
	link   int32 // the state of the longest end that has other continuations; -1 at the root
	length int32 // of the longest text that leads here
}

// step is a way from a state by a letter.
type step struct {
	state  int32
	letter rune
}

func newAutomaton(text string) *automaton {
	a := &automaton{letters: lettersOf(text), states: []automatonState{{link: -1}}, next: map[step]int32{}}
	outgoing := [][]rune{nil} // letters by state
	lead := func(from int32, r rune, to int32) {
		if _, known := a.next[step{from, r}]; !known {
			outgoing[from] = append(outgoing[from], r)
		}
		a.next[step{from, r}] = to
	}
	add := func(s automatonState) int32 {
		a.states, outgoing = append(a.states, s), append(outgoing, nil)
		return int32(len(a.states) - 1)
	}
	last := int32(0)
	for _, r := range text {
		now := add(automatonState{length: a.states[last].length + 1})
		p := last
		for ; p >= 0; p = a.states[p].link {
			if _, known := a.next[step{p, r}]; known {
				break
			}
			lead(p, r, now)
		}
		last = now
		if p < 0 {
			continue // the link is the root
		}
		q := a.next[step{p, r}]
		if a.states[q].length == a.states[p].length+1 {
			a.states[now].link = q
			continue
		}
		twin := add(automatonState{link: a.states[q].link, length: a.states[p].length + 1})
		for _, letter := range outgoing[q] {
			lead(twin, letter, a.next[step{q, letter}])
		}
		for ; p >= 0 && a.next[step{p, r}] == q; p = a.states[p].link {
			lead(p, r, twin)
		}
		a.states[q].link, a.states[now].link = twin, twin
	}
	return a
}

// follow goes on from a state and the length of what led there, by a letter. The
// length is 0 when the letter is nowhere in the text.
func (a *automaton) follow(state, length int32, r rune) (int32, int32) {
	if !a.letters.has(r) {
		return 0, 0
	}
	for {
		if to, ok := a.next[step{state, r}]; ok {
			return to, length + 1
		}
		if state = a.states[state].link; state < 0 {
			return 0, 0
		}
		length = a.states[state].length
	}
}
