package answer

import (
	_ "embed"
	"strings"
	"unicode"
)

//go:embed words.txt
var wordsText string

// vocabulary maps words to the one that stands for all that mean the same, "" for
// words that say nothing.
type vocabulary struct {
	words   map[string]string
	longest int // characters of a word
}

func newVocabulary() *vocabulary {
	v := &vocabulary{words: map[string]string{}}
	for line := range strings.SplitSeq(wordsText, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		stands := words[0]
		if stands == "-" {
			stands, words = "", words[1:]
		}
		for _, w := range words {
			if w = particles.Replace(plain(w)); v.words[w] == "" && w != "" {
				v.words[w] = stands
			}
			v.longest = max(v.longest, len([]rune(w)))
		}
	}
	return v
}

// particles stand inside of words and change nothing: 付了款.
var particles = newReplacer("的", "", "了", "", "呢", "", "啊", "", "呀", "", "哦", "", "吗", "", "么", "", "呗", "", "吧", "", "哈", "", "捏", "", "亲", "")

// tokens are what a text speaks of: words of the vocabulary, the longest first,
// and of what it does not know, each pair of characters, or a single one that
// stands alone. No token comes twice.
func (v *vocabulary) tokens(text string) []string { return v.tokensOf(spoken(text)) }

// spoken are the characters of a text that say something.
func spoken(text string) []rune { return []rune(particles.Replace(plain(text))) }

func (v *vocabulary) tokensOf(runes []rune) []string {
	var list []string
	seen := map[string]bool{}
	add := func(t string) {
		if t != "" && !seen[t] {
			seen[t] = true
			list = append(list, t)
		}
	}
	unknown := 0 // characters before i that no word covers
	flush := func(end int) {
		for j := end - unknown; j+1 < end; j++ {
			add(string(runes[j : j+2]))
		}
		if unknown == 1 {
			add(string(runes[end-1]))
		}
		unknown = 0
	}
	for i := 0; i < len(runes); {
		if !unicode.IsLetter(runes[i]) && !unicode.IsDigit(runes[i]) {
			flush(i)
			i++
			continue
		}
		n, stands := v.longestAt(runes[i:])
		if long := latinRun(runes[i:]); long > n { // a word, of which no part is one
			n, stands = long, string(runes[i:i+long])
		}
		if n == 0 {
			i++
			unknown++
			continue
		}
		flush(i)
		add(stands)
		i += n
	}
	flush(len(runes))
	return list
}

// longestAt is the longest word that runes begin with, and what it stands for.
func (v *vocabulary) longestAt(runes []rune) (n int, stands string) {
	for n := min(v.longest, len(runes)); n > 0; n-- {
		if s, ok := v.words[string(runes[:n])]; ok {
			return n, s
		}
	}
	return 0, ""
}

// latinRun is how many Latin letters runes begin with.
func latinRun(runes []rune) int {
	n := 0
	for n < len(runes) && isLatin(runes[n]) {
		n++
	}
	return n
}
