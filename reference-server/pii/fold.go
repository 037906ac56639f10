package pii

import "sync"

// span is a value in folded text, by index of its characters.
type span struct {
	from, to int
	kind     Kind
}

// folded is a text as the finders see it: full-width forms are ASCII, invisible
// characters are left out, and each character knows its bytes in the original.
type folded struct {
	runes    []rune
	from, to []int
	spans    []span
}

const (
	hanFirst = 0x4e00
	hanLast  = 0x9fff
	blank    = 0xe000 // + kind: stands where a value was found
)

// foldings are kept for the next text: masking is on the way of every turn.
var foldings = sync.Pool{New: func() any { return new(folded) }}

// fold takes a folding, which goes back to foldings.
func fold(text string) *folded {
	f := foldings.Get().(*folded) //nolint:forcetypeassert // this package alone puts it there
	f.runes, f.from, f.to, f.spans = f.runes[:0], f.from[:0], f.to[:0], f.spans[:0]
	for i, r := range text {
		if n := len(f.to); n > 0 && f.to[n-1] == 0 {
			f.to[n-1] = i
		}
		if invisible(r) {
			continue
		}
		if r >= blank && r < blank+rune(NumKinds) {
			r = ' '
		}
		f.runes, f.from, f.to = append(f.runes, foldRune(r)), append(f.from, i), append(f.to, 0)
	}
	if n := len(f.to); n > 0 && f.to[n-1] == 0 {
		f.to[n-1] = len(text)
	}
	return f
}

// foldRune gives the ASCII form of a full-width character.
func foldRune(r rune) rune {
	switch {
	case r >= 0xff01 && r <= 0xff5e:
		return r - 0xfee0
	case r == 0x3000, r == 0xa0, r == '\t':
		return ' '
	case r == '•', r == '・', r == '‧', r == '．':
		return '·'
	case r >= '①' && r <= '⑨':
		return r - '①' + '1'
	case r == '⓪':
		return '0'
	case r >= 0x1d7ce && r <= 0x1d7ff: // digits of mathematics
		return '0' + (r-0x1d7ce)%10
	case r == 'Ⅹ', r == 'ⅹ', r == 'Χ', r == 'Х': // of Rome, Greece and Russia
		return 'X'
	case r == '–', r == '—', r == '−', r == '‐', r == '‑':
		return '-'
	}
	return r
}

// isNumeral says whether a character is a digit in any form.
func isNumeral(r rune) bool {
	switch {
	case r < 0x80:
		return isDigit(r)
	case isHan(r), r == '〇':
		_, ok := spelled(r)
		return ok
	}
	return isDigit(foldRune(r))
}

// spelled is the digit that a Chinese numeral spells: 幺三八.
func spelled(r rune) (rune, bool) {
	switch r {
	case '零', '〇':
		return '0', true
	case '幺', '一':
		return '1', true
	case '二', '两':
		return '2', true
	case '三':
		return '3', true
	case '四':
		return '4', true
	case '五':
		return '5', true
	case '六':
		return '6', true
	case '七':
		return '7', true
	case '八':
		return '8', true
	case '九':
		return '9', true
	}
	return r, isDigit(r)
}

// invisible characters could be strewn into a number to hide it.
func invisible(r rune) bool {
	return r == 0xad || r >= 0x200b && r <= 0x200f || r >= 0x2060 && r <= 0x2064 || r == 0xfeff
}

// take keeps spans of a kind and blanks them.
func (f *folded) take(kind Kind, spans []span) {
	for _, s := range spans {
		s.kind = kind
		f.spans = append(f.spans, s)
		for i := s.from; i < s.to; i++ {
			f.runes[i] = blank + rune(kind)
		}
	}
}

func isDigit(r rune) bool  { return r >= '0' && r <= '9' }
func isLetter(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }
func isAlnum(r rune) bool  { return isDigit(r) || isLetter(r) }
func isHan(r rune) bool    { return r >= hanFirst && r <= hanLast }

// runeAt is the character at i, 0 outside.
func runeAt(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return 0
	}
	return runes[i]
}

// wordBefore is the run of letters that ends at i, in lower case, at most eight.
func wordBefore(runes []rune, i int) string {
	from := i
	for from > 0 && i-from <= 8 && isLetter(runes[from-1]) {
		from--
	}
	return lower(runes[from:i])
}

// wordAfter is the run of letters that begins at i, in lower case, at most eight.
func wordAfter(runes []rune, i int) string {
	to := i
	for to < len(runes) && to-i <= 8 && isLetter(runes[to]) {
		to++
	}
	return lower(runes[i:to])
}

func lower(letters []rune) string {
	b := make([]byte, len(letters))
	for i, r := range letters {
		b[i] = byte(r | 0x20)
	}
	return string(b)
}
