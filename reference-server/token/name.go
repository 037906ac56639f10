package token

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/dialog"
)

// PlainName accepts 1 to n characters that can be seen, with spaces only between
// them: two names that look the same are the same.
func PlainName(s string, n int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > n || strings.TrimSpace(s) != s {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || dialog.Unseen(r) {
			return false
		}
	}
	return true
}
