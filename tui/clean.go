package tui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxMarks is how many combining marks one character may carry; more are left out.
const maxMarks = 3

// clean makes a text from outside fit for a terminal, at most width cells wide,
// cut with "…". Control characters, C1 among them, become caret notation, also
// where they stand escaped as in JSON; what changes the direction of text or
// cannot be seen is named: <U+202E>. It works on runes: the bytes of 客服 hold
// 0x9C, which is no control character there. Its cost is bounded by width, not
// by the text.
func clean(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if plain(s, width) {
		return s
	}
	var b strings.Builder
	i, marks, limit := 0, 0, 16*width+256
	for i < len(s) && i < limit && b.Len() < limit {
		if r, n, ok := escaped(s[i:]); ok {
			caret(&b, r)
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		show(&b, r)
	}
	out := b.String()
	if i < len(s) {
		out += "…"
	}
	if ansi.StringWidth(out) <= width {
		return out
	}
	return ansi.Truncate(out, width, "…")
}

// plain tells whether s is printable ASCII without escapes and short enough.
func plain(s string, width int) bool {
	if len(s) > width {
		return false
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f || s[i] == '\\' {
			return false
		}
	}
	return true
}

func show(b *strings.Builder, r rune) {
	switch {
	case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0:
		caret(b, r)
	case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r == '\u034f' || r == '\u115f' || r == '\u3164':
		fmt.Fprintf(b, "<U+%04X>", r)
	case r >= 0xfe00 && r <= 0xfe0f || r >= 0xe0100 && r <= 0xe01ef:
		// Variation selectors change the width of what is before them, and
		// terminals do not agree how.
	default:
		b.WriteRune(r)
	}
}

// caret writes ^[ for ESC and, as in ISO 2022, for CSI (0x9b): a C1 control
// is named like the C0 control with the same low bits.
func caret(b *strings.Builder, r rune) {
	b.WriteByte('^')
	if r == 0x7f {
		b.WriteByte('?')
		return
	}
	b.WriteByte(byte(r&0x1f) + '@')
}

// escaped recognises a control character written as in JSON: \u001b.
func escaped(s string) (r rune, n int, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' || s[2] != '0' || s[3] != '0' {
		return 0, 0, false
	}
	for _, c := range []byte(s[4:6]) {
		d := strings.IndexByte("0123456789abcdef", c|0x20)
		if d < 0 {
			return 0, 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, 6, r < 0x20 || r >= 0x7f && r < 0xa0
}
