package escape

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/visible"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"客服本来有", "客服本来有"}, // its UTF-8 holds the bytes 0x9C and 0x90
		{"plain text", "plain text"},
		{"\x1b[31mred\x1b[0m", "^[[31mred^[[0m"},
		{"\x1b]0;title\a", "^[]0;title^G"},
		{"a\u009b31m", "a^[31m"},
		{"a\r\nb\tc\x00\x7f", "a^M^Jb^Ic^@^?"},
		{`esc \u001b[2J \u009b \u0041`, `esc ^[[2J ^[ \u0041`},
		{"user\u202egnp.exe", "user<U+202E>gnp.exe"},
		{"a\u200bb\ufeffc\u2028d", "a<U+200B>b<U+FEFF>c<U+2028>d"},
		{"👩‍👩‍👧", "👩‍👩‍👧"},
		{"bad \xff\x9c utf8", "bad \ufffd\ufffd utf8"},
		{"e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", maxMarks)},
		{"::set-env name=X::y", ": :set-env name=X::y"},
		{"  ::add-mask::x", "  : :add-mask::x"},
		{"oops ##[error]x ##vso[a]", "oops # #[error]x # #vso[a]"},
		{"##teamcity[x]", "# #teamcity[x]"},
		{"std::vector", "std::vector"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestCleanLeavesNothingDangerous(t *testing.T) {
	alphabet := rapid.SampledFrom([]rune("ab客:#[v\\u01b9\x1b\u009b\u202e\u200b\u0301\n\r\t券👩\u200d"))
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(alphabet, 0, 60, -1).Draw(t, "s") + rapid.StringN(0, 20, 40).Draw(t, "any")
		got := Clean(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Clean(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || visible.Hidden(r) {
				t.Fatalf("Clean(%q) = %q holds %U", s, got, r)
			}
		}
		if strings.Contains(got, "##[") || strings.HasPrefix(strings.TrimSpace(got), "::") {
			t.Fatalf("Clean(%q) = %q holds a CI command", s, got)
		}
		if w := rapid.IntRange(1, 40).Draw(t, "w"); Width(Fit(s, w)) > w {
			t.Fatalf("Fit(%q, %d) = %q is %d wide", s, w, Fit(s, w), Width(Fit(s, w)))
		}
	})
}

func TestCleanBoundsLength(t *testing.T) {
	got := Clean(strings.Repeat("券", 1<<20))
	if n := len(got); n > maxText+3 || n < maxText-6 || !strings.HasSuffix(got, "券…") {
		t.Errorf("1 Mi runes became %d bytes ending in %q", n, got[max(len(got)-6, 0):])
	}
}
