package pii

import (
	"slices"
	"strings"
)

// trust is how sure a cue makes that a name follows.
type trust uint8

const (
	weak   trust = iota // 我是, 改成: the characters themselves must be those of names
	strong              // 收件人, 我叫: anything but a common word
)

// nameCue is a word that announces a name.
type nameCue struct {
	word  []rune
	trust trust
}

// nameFinder finds names beside cues, titles and mobile numbers. Safe for
// concurrent use.
type nameFinder struct {
	cues    map[rune][]nameCue // by last character, longest first
	titles  map[rune][][]rune  // by first character
	given   map[rune]bool
	surname map[rune]bool
	risky   map[rune]bool // surnames that are ordinary words as well
	double  map[string]bool
	peoples map[string]bool
	common  map[string]bool // words that begin like a name
	follows map[string]bool // words that begin right behind a name
	gap     map[rune]bool   // may stand between cue and name
	hints   [(hanLast - hanFirst + 64) / 64]uint64
}

func newNameFinder() nameFinder {
	f := nameFinder{
		cues: map[rune][]nameCue{}, titles: map[rune][][]rune{}, given: runeSet(givenCharacters), surname: runeSet(surnames), risky: runeSet(riskySurnames),
		double: wordSet(doubleSurnames), peoples: wordSet(peoplesNames), common: wordSet(commonWords), follows: wordSet(afterNames), gap: runeSet(` :=是为叫写填"'“”「」【】()<>`),
	}
	for t, words := range map[trust]string{strong: strongCues, weak: weakCues} {
		for w := range strings.FieldsSeq(words) {
			word := []rune(w)
			last := word[len(word)-1]
			f.cues[last] = append(f.cues[last], nameCue{word, t})
		}
	}
	for _, list := range f.cues {
		slices.SortFunc(list, func(a, b nameCue) int { return len(b.word) - len(a.word) })
	}
	for w := range strings.FieldsSeq(titles) {
		word := []rune(w)
		f.titles[word[0]] = append(f.titles[word[0]], word)
	}
	for r := rune(hanFirst); r <= hanLast; r++ {
		if f.cues[r] != nil || f.titles[r] != nil {
			f.hints[(r-hanFirst)/64] |= 1 << (uint(r) % 64)
		}
	}
	return f
}

func runeSet(s string) map[rune]bool {
	m := map[rune]bool{}
	for _, r := range s {
		m[r] = true
	}
	return m
}

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// hint says whether a character may belong to a cue or title.
func (f *nameFinder) hint(r rune) bool {
	return isHan(r) && f.hints[(r-hanFirst)/64]&(1<<(uint(r)%64)) != 0
}

// find returns names; the values found before are blanked in runes.
func (f *nameFinder) find(runes []rune) []span {
	var spans []span
	add := func(s span, ok bool) {
		if ok && (len(spans) == 0 || s.from >= spans[len(spans)-1].to) {
			spans = append(spans, s)
		}
	}
	for i, r := range runes {
		if !f.hint(r) && r != blank+rune(Mobile) {
			continue
		}
		for _, c := range f.cues[r] {
			if i+1 >= len(c.word) && slices.Equal(runes[i+1-len(c.word):i+1], c.word) {
				add(f.afterCue(runes, i+1, c.trust))
				break
			}
		}
		for _, title := range f.titles[r] {
			if i+len(title) <= len(runes) && slices.Equal(runes[i:i+len(title)], title) {
				add(f.beforeTitle(runes, i))
			}
		}
		if r == blank+rune(Mobile) {
			if runeAt(runes, i-1) != r {
				add(f.alone(runes, i, -1))
			}
			if runeAt(runes, i+1) != r {
				add(f.alone(runes, i, 1))
			}
		}
	}
	if end := len(runes) - 1; len(spans) == 0 && runeAt(runes, end) == ',' && f.lone(runes[:end]) {
		add(span{from: 0, to: end}, true)
	}
	return spans
}

const maxGap = 4

// afterCue reads the name behind a cue that ends at i.
func (f *nameFinder) afterCue(runes []rune, i int, t trust) (span, bool) {
	for n := 0; n < maxGap && f.gap[runeAt(runes, i)]; n++ {
		i++
	}
	if next := runes[min(i, len(runes)):]; len(next) >= 2 && (next[0] == '名' && next[1] == '字' || next[0] == '姓' && next[1] == '名') {
		return span{}, false // that is a longer cue
	}
	if s, ok := transliterated(runes, i); ok {
		return s, true
	}
	if to := f.ofPeoples(runes, i); to > i {
		return span{from: i, to: to}, true
	}
	return f.at(runes, i, t)
}

// ofPeoples is where a name without surname that begins at i ends, i for none:
// one word of them, or two.
func (f *nameFinder) ofPeoples(runes []rune, i int) int {
	for range 2 {
		for _, n := range [...]int{4, 3, 2} {
			if i+n <= len(runes) && f.peoples[string(runes[i:i+n])] {
				i += n
				break
			}
		}
	}
	return i
}

// transliterated reads names like 阿依古丽·买买提.
func transliterated(runes []rune, i int) (span, bool) {
	first := hanRun(runes, i)
	if first < 2 || first > 6 || runeAt(runes, i+first) != '·' {
		return span{}, false
	}
	second := hanRun(runes, i+first+1)
	if second < 2 || second > 6 {
		return span{}, false
	}
	return span{from: i, to: i + first + 1 + second}, true
}

// transliteratedBefore reads such a name that ends at i.
func transliteratedBefore(runes []rune, i int) (span, bool) {
	dot := i - hanRunBefore(runes, i)
	if runeAt(runes, dot-1) != '·' {
		return span{}, false
	}
	from := dot - 1 - hanRunBefore(runes, dot-1)
	s, ok := transliterated(runes[:i], from)
	return s, ok && s.to == i
}

// longRun is longer than any name: runs of Chinese characters are measured no
// further, so that the whole stays linear.
const longRun = 8

// hanRun is how many Chinese characters stand from i on.
func hanRun(runes []rune, i int) int {
	n := 0
	for n < longRun && isHan(runeAt(runes, i+n)) {
		n++
	}
	return n
}

// hanRunBefore is how many Chinese characters stand before i.
func hanRunBefore(runes []rune, i int) int {
	n := 0
	for n < longRun && isHan(runeAt(runes, i-n-1)) {
		n++
	}
	return n
}

// at reads a name that begins at i: a surname and one or two characters.
func (f *nameFinder) at(runes []rune, i int, t trust) (span, bool) {
	run := hanRun(runes, i)
	if run < 2 {
		return f.spaced(runes, i, t)
	}
	long := 1
	if run >= 3 && f.double[string(runes[i:i+2])] {
		long = 2
	} else if !f.surname[runes[i]] || f.isCommon(runes[i:i+run]) {
		return span{}, false
	}
	if f.risky[runes[i]] {
		t = weak
	}
	if !f.mayBeGiven(runes, i+long, t) {
		return span{}, false
	}
	to := i + long + 1
	rest := run - long - 1
	switch {
	case rest == 0:
	case rest == 1 && !f.follows[string(runes[to])] && (t == strong || f.given[runes[to]]):
		to++ // 我叫王小明。
	case rest > 1 && f.given[runes[to]] && !f.goesOn(runes[to:i+run]):
		to++
	case rest > 0 && t == weak && !f.goesOn(runes[to:i+run]):
		return span{}, false // 我是方脸戴哪款
	}
	return span{from: i, to: to}, true
}

// spaced reads a short name with a space in it, as forms have them: 张 伟.
func (f *nameFinder) spaced(runes []rune, i int, t trust) (span, bool) {
	if t == weak || hanRun(runes, i) != 1 || !f.surname[runes[i]] || runeAt(runes, i+1) != ' ' {
		return span{}, false
	}
	n := hanRun(runes, i+2)
	if n < 1 || n > 2 {
		return span{}, false
	}
	for _, r := range runes[i+2 : i+2+n] {
		if !f.given[r] {
			return span{}, false
		}
	}
	return span{from: i, to: i + 2 + n}, true
}

// mayBeGiven judges the first character behind the surname.
func (f *nameFinder) mayBeGiven(runes []rune, i int, t trust) bool {
	if f.given[runes[i]] {
		return true
	}
	return t == strong && !functionWords[runes[i]] && !f.goesOn(runes[i:i+hanRun(runes, i)])
}

// isCommon says whether characters begin with a common word of two.
func (f *nameFinder) isCommon(han []rune) bool { return f.common[string(han[:2])] }

// goesOn says whether what stands here is what one says after a name.
func (f *nameFinder) goesOn(han []rune) bool {
	return f.follows[string(han[:1])] || len(han) >= 2 && f.follows[string(han[:2])]
}

// beforeTitle reads the name in front of 先生 or 女士, which begins at i.
func (f *nameFinder) beforeTitle(runes []rune, i int) (span, bool) {
	if s, ok := transliteratedBefore(runes, i); ok {
		return s, true
	}
	for _, n := range [...]int{4, 3, 2} {
		from := i - n
		if from < 0 || hanRun(runes, from) < n {
			continue
		}
		if f.isName(runes[from:i]) {
			return span{from: from, to: i}, true
		}
	}
	return span{}, false
}

// isName judges two to four characters as a whole.
func (f *nameFinder) isName(han []rune) bool {
	long := 1
	if len(han) > 2 && f.double[string(han[:2])] {
		long = 2
	} else if !f.surname[han[0]] || f.isCommon(han) {
		return false
	}
	if n := len(han) - long; n < 1 || n > 2 {
		return false
	}
	for _, r := range han[long:] {
		if !f.given[r] {
			return false
		}
	}
	return true
}

// lone says whether a text is a name and nothing else, as people write one before
// a comma: 徐峰,181….
func (f *nameFinder) lone(text []rune) bool {
	n := len(text)
	return n >= 2 && n <= 4 && hanRun(text, 0) == n && !f.risky[text[0]] && f.isName(text)
}

// alone reads a name that stands by itself beside a mobile number at i, on the
// left (step -1) or right (1): 张伟 138….
func (f *nameFinder) alone(runes []rune, i, step int) (span, bool) {
	i += step
	for n := 0; n < maxGap && (runeAt(runes, i) == ' ' || runeAt(runes, i) == ':'); n++ {
		i += step
	}
	if step > 0 {
		return f.at(runes, i, weak)
	}
	n := hanRunBefore(runes, i+1)
	from := i + 1 - n
	if n < 2 || n > 4 || !f.isName(runes[from:i+1]) {
		return span{}, false
	}
	return span{from: from, to: i + 1}, true
}
