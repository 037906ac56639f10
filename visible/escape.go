package visible

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON spells in a JSON text what Append would change, but for its own white
// space, as \uXXXX: the value stays the same.
func JSON(text []byte) []byte {
	return escape(text, func(b []byte, r rune) []byte {
		if r > 0xffff {
			high, low := utf16.EncodeRune(r)
			return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		}
		return fmt.Appendf(b, `\u%04x`, r)
	})
}

// YAML does for YAML what JSON does, where all such texts stand in double quotes.
func YAML(text []byte) []byte {
	return escape(text, func(b []byte, r rune) []byte { return fmt.Appendf(b, `\U%08X`, r) })
}

// escape is text with what a terminal would obey or not show spelled by spell.
func escape(text []byte, spell func([]byte, rune) []byte) []byte {
	var b []byte // nil until something differs
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch harmless := r == '\n' || r == '\t' || r == '\r' || !control(r) && !Hidden(r) && !noCharacter(r); {
		case !harmless:
			if b == nil {
				b = append(make([]byte, 0, len(text)+64), text[:i]...)
			}
			b = spell(b, r)
		case b != nil:
			b = append(b, text[i:i+n]...)
		}
		i += n
	}
	if b == nil {
		return text
	}
	return b
}
