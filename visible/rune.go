// Package visible turns characters that a terminal or an editor would obey, and
// not show, into characters that one sees.
package visible

import (
	"fmt"
	"unicode/utf8"
)

// Append adds r to b: controls, C1 among them, in caret notation (^[ for ESC and
// for U+009B alike), what Hidden names as <U+202E>, all else as it is.
func Append(b []byte, r rune) []byte {
	switch {
	case r == 0x7f:
		return append(b, "^?"...)
	case control(r):
		return append(b, '^', byte(r&0x1f+'@'))
	case noCharacter(r):
		return utf8.AppendRune(b, utf8.RuneError)
	case Hidden(r):
		return fmt.Appendf(b, "<U+%04X>", r)
	}
	return utf8.AppendRune(b, r)
}

// Hidden tells what changes the direction of a text or cannot be seen: not
// U+200C and U+200D, which scripts and emoji need.
func Hidden(r rune) bool {
	switch {
	case r == 0x061c, r == 0x00ad, r == 0x180e, r == 0xfeff, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return true
	case r == 0x200b, r == 0x200e, r == 0x200f:
		return true
	case r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}

func control(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }

// noCharacter tells the last two code points of every plane; XML refuses two of
// them.
func noCharacter(r rune) bool { return r&0xfffe == 0xfffe }
