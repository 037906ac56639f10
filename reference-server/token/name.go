package token

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// PlainName accepts 1 to n characters that can be seen, with spaces only between
// them: two names that look the same are the same.
func PlainName(s string, n int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > n || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || unseen(r) {
			return false
		}
	}
	return true
}

// unseen are characters that count as letters, marks or symbols and show nothing.
func unseen(r rune) bool {
	switch r {
	case 0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180f, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}
