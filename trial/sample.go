package trial

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/cstest/cstest/visible"
)

// sampleLength is how much of an error's body is shown, in bytes.
const sampleLength = 500

// sampleMask makes the mask of a body that is shown as a sample: without the secrets that
// redact knows, without what may be a person's or a session's, control characters visible,
// and cut.
func sampleMask(redact func(string) string) func(string) string {
	return func(body string) string {
		text := maskWords(redact(plainEscapes(body)))
		shown := make([]byte, 0, sampleLength)
		for _, r := range text {
			before := len(shown)
			if shown = visible.Append(shown, r); len(shown) > sampleLength {
				return string(shown[:before]) + "…"
			}
		}
		return string(shown)
	}
}

// plainEscapes writes characters that JSON spells as \uXXXX as themselves, but for
// controls, quotes and backslashes: a secret that was escaped twice is known by one.
func plainEscapes(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, `\u`)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		r, size := escaped(text[i:])
		b.WriteString(text[:i])
		if size == 0 || r < ' ' || r == '"' || r == '\\' {
			size = max(size, len(`\u`))
			b.WriteString(text[i : i+size])
		} else {
			b.WriteRune(r)
		}
		text = text[i+size:]
	}
}

// escaped gives the character that an escape at the begin of a text spells, and how long
// it is; 0 where there is none.
func escaped(text string) (r rune, size int) {
	const one = len(`\u0000`)
	unit := func(s string) (rune, bool) {
		if len(s) < one || s[:2] != `\u` {
			return 0, false
		}
		v, err := strconv.ParseUint(s[2:one], 16, 16)
		return rune(v), err == nil
	}
	r, ok := unit(text)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(r) {
		low, ok := unit(text[one:])
		if pair := utf16.DecodeRune(r, low); ok && pair != unicode.ReplacementChar {
			return pair, 2 * one
		}
		return unicode.ReplacementChar, one
	}
	return r, one
}

// What a word may hold and still be shown.
const (
	sampleDigits = 5  // codes and counts; phones, orders and cards have more
	sampleMixed  = 15 // letters with digits; ids, keys and tokens are longer
	sampleWord   = 39
)

// maskWords masks words that may be personal or secret: with an @, with many digits, also
// in groups, and long ones that nobody would write.
func maskWords(text string) string {
	var b strings.Builder
	for text != "" {
		n := wordLength(text)
		if n == 0 {
			_, size := utf8.DecodeRuneInString(text)
			b.WriteString(text[:size])
			text = text[size:]
			continue
		}
		if word := text[:n]; personal(word) {
			b.WriteString("***")
		} else {
			b.WriteString(word)
		}
		text = text[n:]
	}
	return b.String()
}

// wordLength is that of the word that a text begins with. Groups of digits with a space
// between are one.
func wordLength(text string) int {
	end := 0
	for i, r := range text {
		if wordRune(r) {
			end = i + utf8.RuneLen(r)
			continue
		}
		rest := text[i+utf8.RuneLen(r):]
		if next, _ := utf8.DecodeRuneInString(rest); i > 0 && (r == ' ' || r == '\u00a0') && allDigits(lastWord(text[:i])) && unicode.IsDigit(next) {
			continue
		}
		break
	}
	return end
}

func lastWord(s string) string { return s[strings.LastIndexAny(s, " \u00a0")+1:] }

func allDigits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) && r != '-' && r != '+' && r != '.' }) < 0
}

func wordRune(r rune) bool {
	if r >= utf8.RuneSelf {
		return unicode.IsDigit(r)
	}
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_-+%@.~", r)
}

// personal tells whether a word is masked.
func personal(word string) bool {
	digits, letters := 0, 0
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	at := strings.IndexByte(word, '@')
	return at > 0 && at < len(word)-1 || digits > sampleDigits || digits > 0 && letters > 0 && len(word) > sampleMixed || len(word) > sampleWord
}
