package token

import (
	"strings"
	"testing"
)

func TestTokensNeverSplitCharacters(t *testing.T) {
	for _, s := range []string{"", "a", "hello world, 你好世界!", "⟦seen c:K7F3Q2ZA.1⟧", "é€𝄞𝄞𝄞", strings.Repeat("x", 100), " \n\t"} {
		joined, n := "", 0
		for rest := s; rest != ""; n++ {
			k := Next(rest)
			if k == 0 || !isText(rest[:k]) {
				t.Fatalf("%q cut at %d", rest, k)
			}
			joined, rest = joined+rest[:k], rest[k:]
		}
		if joined != s || Count(s) != n || First(s, n) != s || First(s, n+5) != s {
			t.Errorf("%q: %d tokens make %q", s, n, joined)
		}
	}
}

func isText(s string) bool { return strings.ToValidUTF8(s, "\x00") == s }
