package escape

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

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
