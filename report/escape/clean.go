// Package escape makes text that comes from a server, a file or a user safe where it is
// shown: in a line, in so many cells of a terminal, in a file's name, in JSON.
package escape

import (
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cstest/cstest/visible"
)

// maxText bounds what one hostile text may cost a rendering, in bytes.
const maxText = 4096

// maxMarks bounds combining marks in a row: a stack of hundreds overdraws the lines above.
const maxMarks = 6

// Clean makes hostile text safe to show: C0 and C1 controls in caret notation,
// also where they are spelt as JSON escapes; bidirectional controls and
// invisible characters as <U+202E>; invalid UTF-8 as U+FFFD; piles of combining
// marks and anything past 4 KiB cut. It works on runes, so 客服本来有, whose
// bytes contain 0x9C, stays as it is. What a CI system would take for a command
// (:: first, ##[ and ##vso[ anywhere) is broken by a space. The result is one line.
func Clean(s string) string {
	cut := false
	if len(s) > maxText {
		s, cut = s[:maxText], true
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		s = s[:max(len(s)-1, 0)]
	}
	b := make([]byte, 0, len(s))
	marks := 0
	for i := 0; i < len(s); {
		if c, n := escapedControl(s[i:]); n > 0 {
			b = visible.Append(b, c)
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
		b = visible.Append(b, r)
	}
	if cut {
		b = append(b, "…"...)
	}
	return Defuse(string(b))
}

// escapedControl recognises a control spelt \u00XX, which becomes one again when
// somebody decodes what we print.
func escapedControl(s string) (rune, int) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' || s[2] != '0' || s[3] != '0' {
		return 0, 0
	}
	raw, err := hex.DecodeString(s[4:6])
	if err != nil {
		return 0, 0
	}
	if c := rune(raw[0]); c < 0x20 || c >= 0x7f && c <= 0x9f {
		return c, 6
	}
	return 0, 0
}

// Defuse breaks what CI runners read as commands. GitHub trims a line before it
// looks for "::" and looks for "##[" anywhere in it.
func Defuse(s string) string {
	if strings.Contains(s, "##") {
		for _, command := range []string{"##[", "##vso[", "##teamcity["} {
			s = strings.ReplaceAll(s, command, "# "+command[1:])
		}
	}
	if rest := strings.TrimLeftFunc(s, unicode.IsSpace); strings.HasPrefix(rest, "::") {
		s = s[:len(s)-len(rest)] + ": " + rest[1:]
	}
	return s
}
