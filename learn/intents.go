package learn

import (
	"cmp"
	"maps"
	"slices"
	"unicode"
)

// Intent is a group of dialogs that began alike.
type Intent struct {
	Leader  string // the first message most often seen in it, as it stands in the scenario
	Dialogs []*Dialog
}

const (
	alike      = 0.35 // least share of pairs of characters in common
	maxLeaders = 2000
	maxIntents = 20 // the rest is the last one
)

// intents groups dialogs by their first message: messages are taken from the most
// frequent down; each joins the leader with which it shares most pairs of
// characters (Jaccard), if that is enough, else it leads a group of its own.
// Digits, letters of ids and punctuation do not count. The same log gives the
// same groups.
func intents(dialogs []*Dialog) []Intent {
	byText := map[string][]*Dialog{}
	for _, d := range dialogs {
		key := essence(d.messages[0].text)
		byText[key] = append(byText[key], d)
	}
	texts := slices.SortedFunc(maps.Keys(byText), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(byText[b]), len(byText[a])), cmp.Compare(a, b))
	})
	var g grouping
	for _, text := range texts {
		i := g.place(text)
		g.groups[i].Dialogs = append(g.groups[i].Dialogs, byText[text]...)
	}
	slices.SortStableFunc(g.groups, func(a, b Intent) int { return cmp.Compare(len(b.Dialogs), len(a.Dialogs)) })
	if len(g.groups) > maxIntents {
		rest := &g.groups[maxIntents-1]
		for _, other := range g.groups[maxIntents:] {
			rest.Dialogs = append(rest.Dialogs, other.Dialogs...)
		}
		g.groups = g.groups[:maxIntents]
	}
	for i := range g.groups {
		g.groups[i].Leader = g.groups[i].Dialogs[0].messages[0].text
	}
	return g.groups
}

// grouping finds leaders by an index of their pairs.
type grouping struct {
	groups []Intent
	sizes  []int             // pairs of each leader
	index  map[[2]rune][]int // leaders that have a pair
	shared []int             // scratch: pairs shared with each leader
}

func (g *grouping) place(text string) int {
	pairs := pairsOf(text)
	if g.index == nil {
		g.index = map[[2]rune][]int{}
	}
	clear(g.shared)
	best, most := -1, 0.0
	for p := range pairs {
		for _, leader := range g.index[p] {
			g.shared[leader]++
		}
	}
	for leader, n := range g.shared {
		if n == 0 {
			continue
		}
		if score := float64(n) / float64(len(pairs)+g.sizes[leader]-n); score > most {
			best, most = leader, score
		}
	}
	if best >= 0 && (most >= alike || len(g.groups) >= maxLeaders) {
		return best
	}
	if len(g.groups) >= maxLeaders {
		return len(g.groups) - 1
	}
	g.groups = append(g.groups, Intent{})
	g.sizes = append(g.sizes, len(pairs))
	g.shared = append(g.shared, 0)
	for p := range pairs {
		g.index[p] = append(g.index[p], len(g.groups)-1)
	}
	return len(g.groups) - 1
}

// essence is a text without what makes two questions of the same kind differ.
func essence(text string) string {
	var out []rune
	for _, r := range text {
		switch {
		case unicode.IsDigit(r) || unicode.IsPunct(r) || unicode.IsSpace(r) || unicode.IsSymbol(r) || r == '*':
		default:
			out = append(out, unicode.ToLower(r))
		}
		if len(out) == 60 {
			break
		}
	}
	return string(out)
}

func pairsOf(text string) map[[2]rune]bool {
	runes := []rune(text)
	pairs := map[[2]rune]bool{}
	if len(runes) == 1 {
		pairs[[2]rune{runes[0]}] = true
	}
	for i := 1; i < len(runes); i++ {
		pairs[[2]rune{runes[i-1], runes[i]}] = true
	}
	return pairs
}
