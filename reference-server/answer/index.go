package answer

import (
	"math/bits"
	"slices"
)

const (
	letterBits  = 1024
	maxPatterns = 2048
)

// letters is the set of characters in a text, as bits by hash: it may say yes
// wrongly, never no.
type letters [letterBits / 64]uint64

func letterBit(r rune) uint32 { return uint32(r) * 0x9e3779b1 >> 22 }

func lettersOf(text string) *letters {
	var l letters
	for _, r := range text {
		l.add(r)
	}
	return &l
}

func (l *letters) add(r rune) {
	b := letterBit(r)
	l[b/64] |= 1 << (b % 64)
}

func (l *letters) has(r rune) bool {
	b := letterBit(r)
	return l[b/64]&(1<<(b%64)) != 0
}

// index finds the patterns that a text may match by one of the characters that each
// of them needs.
type index struct {
	by     [letterBits][]*pattern
	always []*pattern // they need none
}

// candidates are the patterns that a text may match; no other one does.
type candidates [maxPatterns / 64]uint64

func (c *candidates) has(p *pattern) bool { return c[p.id/64]&(1<<(p.id%64)) != 0 }

func (c *candidates) add(p *pattern) { c[p.id/64] |= 1 << (p.id % 64) }

// newIndex lists each pattern under the characters of that set of its needs which
// the fewest patterns share, and numbers them.
func newIndex(all []*pattern) *index {
	var x index
	shared := map[rune]int{}
	for _, p := range all {
		for _, set := range p.needs {
			for _, r := range set {
				shared[r]++
			}
		}
	}
	crowd := func(set []rune) (n int) {
		for _, r := range set {
			n += shared[r]
		}
		return n
	}
	for id, p := range all {
		p.id = id
		if len(p.needs) == 0 {
			x.always = append(x.always, p)
			continue
		}
		key := slices.MinFunc(p.needs, func(a, b []rune) int { return crowd(a) - crowd(b) })
		for _, r := range key {
			if at := &x.by[letterBit(r)]; !slices.Contains(*at, p) {
				*at = append(*at, p)
			}
		}
	}
	return &x
}

// of gives the candidates of a text.
func (x *index) of(text string) *candidates {
	var c candidates
	l := lettersOf(text)
	for _, p := range x.always {
		c.add(p)
	}
	for i, word := range l {
		for ; word != 0; word &= word - 1 {
			for _, p := range x.by[i*64+bits.TrailingZeros64(word)] {
				if p.may(l) {
					c.add(p)
				}
			}
		}
	}
	return &c
}

// may says whether the text has a character of each set that the pattern needs.
func (p *pattern) may(l *letters) bool {
	for _, set := range p.needs {
		if !slices.ContainsFunc(set, l.has) {
			return false
		}
	}
	return true
}
