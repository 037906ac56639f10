package answer

import (
	"strings"
	"unicode/utf8"
)

// replacer does what a strings.Replacer does, which allocates three times whether it
// finds anything or not: where several words begin at a place the first one given
// counts.
type replacer struct {
	firsts *letters // characters with which words begin
	words  map[rune][]spelling
}

// spelling is a word and what stands in its place.
type spelling struct{ word, by string }

// newReplacer takes words and their replacements in turn.
func newReplacer(pairs ...string) *replacer {
	r := &replacer{firsts: new(letters), words: map[rune][]spelling{}}
	for ; len(pairs) > 1; pairs = pairs[2:] {
		first, _ := utf8.DecodeRuneInString(pairs[0])
		r.firsts.add(first)
		r.words[first] = append(r.words[first], spelling{pairs[0], pairs[1]})
	}
	return r
}

// Replace gives the text itself where there is nothing to replace.
func (r *replacer) Replace(text string) string {
	var b strings.Builder
	from := 0
	for i := 0; i < len(text); {
		first, n := utf8.DecodeRuneInString(text[i:])
		if s, ok := r.at(text[i:], first); ok {
			if b.Len() == 0 {
				b.Grow(len(text) + len(s.by))
			}
			b.WriteString(text[from:i])
			b.WriteString(s.by)
			n = len(s.word)
			from = i + n
		}
		i += n
	}
	if from == 0 {
		return text
	}
	b.WriteString(text[from:])
	return b.String()
}

// at is the word that a text, and its first character, begin with.
func (r *replacer) at(text string, first rune) (spelling, bool) {
	if !r.firsts.has(first) {
		return spelling{}, false
	}
	for _, s := range r.words[first] {
		if strings.HasPrefix(text, s.word) {
			return s, true
		}
	}
	return spelling{}, false
}
