package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// special gives how many of the eight bytes at the start of b a string may hold
// as they are before the first that needs a look: a quote, a backslash or a
// control character. Per byte, x-n borrows into the high bit where x < n; what
// that marks wrongly stands behind the first right one.
func special(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	w := binary.LittleEndian.Uint64(b)
	quote, back := w^('"'*ones), w^('\\'*ones)
	marks := ((w - ' '*ones) &^ w) | ((quote - ones) &^ quote) | ((back - ones) &^ back)
	return bits.TrailingZeros64(marks&highs) / 8
}

// text reads the string whose inside begins at i and gives where it ends,
// behind the quote, and whether it has escapes.
func (s *Scanner) text(i int) (end int, escaped, ok bool) {
	doc := s.doc
	for i < len(doc) {
		for len(doc)-i >= 8 {
			n := special(doc[i:])
			i += n
			if n < 8 {
				break
			}
		}
		if i >= len(doc) {
			break
		}
		c := doc[i]
		switch c {
		case '"':
			return i + 1, escaped, true
		case '\\':
			escaped = true
			if i+1 >= len(doc) {
				return i, escaped, false
			}
			switch doc[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if _, ok := hex4(doc[i+2:]); !ok {
					return i, escaped, false
				}
				i += 6
			default:
				return i, escaped, false
			}
		default:
			if c < ' ' {
				return i, escaped, false
			}
			i++
		}
	}
	return i, escaped, false
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number reads a number as RFC 8259 spells it.
func (s *Scanner) number(i int) (int, bool) {
	doc := s.doc
	if i < len(doc) && doc[i] == '-' {
		i++
	}
	start := i
	i = digits(doc, i)
	if i == start || doc[start] == '0' && i > start+1 {
		return i, false
	}
	if i < len(doc) && doc[i] == '.' {
		start = i + 1
		if i = digits(doc, start); i == start {
			return i, false
		}
	}
	if i < len(doc) && doc[i]|0x20 == 'e' {
		i++
		if i < len(doc) && (doc[i] == '+' || doc[i] == '-') {
			i++
		}
		start = i
		if i = digits(doc, start); i == start {
			return i, false
		}
	}
	return i, true
}

func digits(doc []byte, i int) int {
	for i < len(doc) && doc[i] >= '0' && doc[i] <= '9' {
		i++
	}
	return i
}

func (s *Scanner) word(i int, word string) (int, bool) {
	if len(s.doc)-i < len(word) || string(s.doc[i:i+len(word)]) != word {
		return i, false
	}
	return i + len(word), true
}

// Unescape appends the text that raw, the inside of a JSON string, stands for.
// A lone surrogate becomes U+FFFD.
func Unescape(b, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		switch c = raw[i+1]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r, _ := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if len(raw)-i >= 6 && raw[i] == '\\' && raw[i+1] == 'u' {
					low, _ = hex4(raw[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			b = utf8.AppendRune(b, r)
			continue
		}
		b = append(b, c)
		i += 2
	}
	return b
}
