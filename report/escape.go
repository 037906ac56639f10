package report

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"

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
	return defuse(string(b))
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

// defuse breaks what CI runners read as commands. GitHub trims a line before it
// looks for "::" and looks for "##[" anywhere in it.
func defuse(s string) string {
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

// width is how many terminal cells s takes, by grapheme.
func width(s string) int { return uniseg.StringWidth(s) }

// fit cleans s and cuts it to w cells, the last one an ellipsis.
func fit(s string, w int) string {
	s = Clean(s)
	if width(s) <= w {
		return s
	}
	var b strings.Builder
	used, state := 0, -1
	for rest := s; rest != ""; {
		var cluster string
		var cells int
		cluster, rest, cells, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+cells > w-1 {
			break
		}
		used += cells
		b.WriteString(cluster)
	}
	return b.String() + "…"
}

// pad fills s with spaces to w cells; right moves the text to the right.
func pad(s string, w int, right bool) string {
	gap := strings.Repeat(" ", max(w-width(s), 0))
	if right {
		return gap + s
	}
	return s + gap
}

// maxSlug bounds a file name in runes, before its hash.
const maxSlug = 64

// Slug makes a file name of any text: letters, digits, '-', '_' and '.' stay,
// runs of anything else become one '-'. Where that lost something, or the name
// is empty, too long or reserved on some system, a hash of the text keeps
// different texts different.
func Slug(name string) string {
	var b strings.Builder
	n, dash := 0, false
	for _, r := range name {
		if n >= maxSlug {
			break
		}
		keep := r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-' || r == '.' && n > 0)
		if !keep {
			dash = n > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			n++
		}
		dash = false
		b.WriteRune(r)
		n++
	}
	out := strings.TrimRight(b.String(), ".-")
	if out == name && !reserved(out) {
		return out
	}
	sum := sha256.Sum256([]byte(name))
	if out == "" || reserved(out) {
		out = "scenario"
	}
	return out + "-" + hex.EncodeToString(sum[:4])
}

// reserved tells the device names of Windows, which take any extension.
func reserved(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base {
	case "", "CON", "PRN", "AUX", "NUL":
		return true
	}
	return len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}
