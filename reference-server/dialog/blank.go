package dialog

import (
	"strings"
	"unicode"
)

// Blank says whether a text shows nothing: it has only spaces, controls,
// zero-width and direction marks, and letters that have no shape.
func Blank(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !blank(r) }) < 0
}

func blank(r rune) bool {
	switch {
	case r <= 0x20, r >= 0x7f && r <= 0xa0, r == 0xad, r == 0x3000, r == 0xfeff, r >= 0x2000 && r <= 0x200f, r >= 0x2028 && r <= 0x202f, r >= 0x205f && r <= 0x206f:
		return true
	}
	return Unseen(r)
}

// Unseen are characters that count as letters, marks or symbols and show nothing.
func Unseen(r rune) bool {
	switch r {
	case 0x34f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x180f, 0x2800, 0x3164, 0xffa0:
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}
