package escape

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"midnight-sale", "midnight-sale"},
		{"双十一零点", "双十一零点"},
		{"v1.2_x", "v1.2_x"},
	} {
		if got := Slug(c.in); got != c.want {
			t.Errorf("Slug(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	seen := map[string]string{}
	for _, in := range []string{"../../x", "x", "..", ".", "", "CON", "con.txt", "Com1", "NUL", "a/b", "a\\b", "a b", "a\nb", "a:b", "x.", "-", strings.Repeat("a", 300), strings.Repeat("a", 301), "a\xff"} {
		got := Slug(in)
		if other, dup := seen[got]; dup {
			t.Errorf("Slug(%q) = Slug(%q) = %q", in, other, got)
		}
		seen[got] = in
		if got == "" || len(got) > 3*maxSlug+9 || strings.ContainsAny(got, "/\\:\n \x00") || strings.HasPrefix(got, ".") || strings.HasSuffix(got, ".") || reserved(got) {
			t.Errorf("Slug(%q) = %q is no file name", in, got)
		}
	}
}
