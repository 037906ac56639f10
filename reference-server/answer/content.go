package answer

import (
	"sync"
	"unicode"
)

// Says tells whether a text says anything that somebody could answer, by how much of what
// it is made of is known from what customers write. What is said over and over counts
// once. Chinese is made of pairs of characters: there are so many that a fifth of a real
// question is known, but less of characters thrown together, and the more there are the
// surer that is. All other writing is made of words, those in pinyin known by their
// syllables: most of a text has to be, or nobody here speaks the language.
func Says(text string) bool {
	c := contentOf(plain(text))
	known, share := c.wordsKnown(wordOften)
	return !c.mumbled() && (c.pairsSay() || known >= wordsLeast && share >= wordsShare)
}

// noise says that a plain text has nothing that what learning makes of it could rest on.
// It is said less easily than Says denies: a cry for help in a language that is hardly
// spoken here is none, and neither is a word alone.
func noise(plain string) bool {
	letters, digits := 0, 0
	for _, r := range plain {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	if letters <= noiseShort {
		return letters == 0 && digits > noiseShort
	}
	c := contentOf(plain)
	_, share := c.wordsKnown(1)
	return share < noiseWords && (len(c.pairs) < 2 || !c.pairsSay())
}

const (
	pairsShare  = 0.18 // of the first pairs that have to be known
	pairsFirst  = 12
	pairsBeyond = 0.44 // of all others
	wordsShare  = 0.6  // of the letters of all words
	wordsLeast  = 2
	wordOften   = 2 // sentences that have a word before it is one
	overAndOver = 4 // times that each part comes, on average

	noiseShort = 6   // letters, or digits without any, that are not judged
	noiseWords = 0.3 // share of known words, in letters, below which it may be noise
)

// content is what a text is made of, each part with how often it comes.
type content struct {
	pairs map[pair]int
	words map[string]int
}

type pair [2]rune

func contentOf(plain string) content {
	c := content{map[pair]int{}, map[string]int{}}
	before, word := rune(0), -1 // the character before; where a word began
	end := func(at int) {
		if word >= 0 {
			c.words[plain[word:at]]++
		}
		word = -1
	}
	for i, r := range plain {
		switch {
		case isHan(r):
			end(i)
			if before != 0 {
				c.pairs[pair{before, r}]++
			}
			before = r
			continue
		case unicode.IsLetter(r) && word < 0:
			word = i
		case !unicode.IsLetter(r):
			end(i)
		}
		before = 0
	}
	end(len(plain))
	return c
}

// pairsSay tells whether enough of the pairs are known.
func (c content) pairsSay() bool {
	known, all := 0, len(c.pairs)
	for p := range c.pairs {
		if familiar().pairs[p] > 0 {
			known++
		}
	}
	need := pairsShare*float64(min(all, pairsFirst)) + pairsBeyond*float64(max(0, all-pairsFirst))
	return known > 0 && float64(known) >= need
}

// wordsKnown counts the words that so many sentences have, and tells their share of the
// letters of all.
func (c content) wordsKnown(sentences int) (known int, share float64) {
	letters, knownLetters := 0, 0
	for w := range c.words {
		letters += len(w)
		if familiar().words[w] >= sentences || spelled(w) {
			known++
			knownLetters += len(w)
		}
	}
	return known, float64(knownLetters) / float64(max(1, letters))
}

// mumbled says that a text is the same over and over.
func (c content) mumbled() bool {
	said := 0
	for _, n := range c.pairs {
		said += n
	}
	for _, n := range c.words {
		said += n
	}
	return said > overAndOver*(len(c.pairs)+len(c.words))
}

// spelled says whether a word is pinyin. A single letter is anything.
func spelled(word string) bool {
	if len(word) < 2 || latin(word) != len(word) {
		return false
	}
	good := true
	spell(word, func(s uint16) { good = good && s != 0 })
	return good
}

// familiar counts the sentences, of all that teach, which have a pair or a word.
var familiar = sync.OnceValue(func() content {
	seen := content{map[pair]int{}, map[string]int{}}
	for _, e := range lessons() {
		c := contentOf(plain(e.text))
		for p := range c.pairs {
			seen.pairs[p]++
		}
		for w := range c.words {
			seen.words[w]++
		}
	}
	return seen
})
