package markdown

import "testing"

func TestMarkdownEscapes(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a|b", `a\|b`},
		{"<img src=x>", "&lt;img src=x&gt;"},
		{"[x](javascript:alert)", `\[x\]\(javascript&#58;alert\)`},
		{"@team", "&#64;team"},
		{"https://x", "https&#58;//x"},
		{"`code`", "\\`code\\`"},
		{"15:04:05 a: b", "15:04:05 a: b"},
		{"#12", "&#35;12"},
		{"line\nbreak", "line^Jbreak"},
	} {
		if got := Escape(c.in); got != c.want {
			t.Errorf("Escape(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
