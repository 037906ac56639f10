// Package token cuts texts into tokens and counts them.
package token

import (
	"unicode/utf8"
)

// Next is the length in bytes of the first token of s: two wide characters,
// or a run of at most eight ASCII bytes up to and with a space. Tokens never split a
// character. Zero only for the empty string.
func Next(s string) int {
	if s == "" {
		return 0
	}
	if s[0] < utf8.RuneSelf {
		for i := range min(len(s), 8) {
			if s[i] >= utf8.RuneSelf {
				return i
			}
			if s[i] == ' ' {
				return i + 1
			}
		}
		return min(len(s), 8)
	}
	_, n := utf8.DecodeRuneInString(s)
	if n < len(s) && s[n] >= utf8.RuneSelf {
		_, m := utf8.DecodeRuneInString(s[n:])
		n += m
	}
	return n
}

// Count is the number of tokens nextToken cuts s into.
func Count(s string) int {
	n := 0
	for len(s) > 0 {
		s = s[Next(s):]
		n++
	}
	return n
}

// First cuts s after n tokens.
func First(s string, n int) string {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		i += Next(s[i:])
	}
	return s[:i]
}

// Estimate estimates a text's tokens: one per wide character, one per four
// bytes of ASCII, at least one.
func Estimate(s string) int {
	ascii, wide := 0, 0
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			ascii++
		} else if s[i] >= 0xC0 {
			wide++
		}
	}
	return max(wide+(ascii+3)/4, 1)
}
