package token

import "unicode/utf8"

// PlainName accepts 1 to n printable characters without controls.
func PlainName(s string, n int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > n {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}
