package dialog

import "strings"

// Blank says whether a text shows nothing: it has only spaces, controls,
// zero-width and direction marks.
func Blank(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return !blank(r) }) < 0
}

func blank(r rune) bool {
	switch {
	case r <= 0x20, r >= 0x7f && r <= 0xa0, r == 0xad, r == 0x3000, r == 0xfeff, r >= 0x2000 && r <= 0x200f, r >= 0x2028 && r <= 0x202f, r >= 0x205f && r <= 0x206f:
		return true
	}
	return false
}
