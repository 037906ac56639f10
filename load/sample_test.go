package load

import "testing"

func TestWithoutValue(t *testing.T) {
	for _, c := range []struct{ text, value, want string }{
		{`{"user":"zhang.san","n":1}`, "zhang", `{"user":"***","n":1}`},
		{`zhang and zhang`, "zhang", `*** and ***`},
		{`{"token":"abc"}`, "ab", `{"token":"abc"}`},
		{`北京市朝阳区3号`, "朝阳区", `北京市***号`},
		{`nothing`, "zhang", `nothing`},
		{``, "zhang", ``},
	} {
		if got := withoutValue(c.text, c.value); got != c.want {
			t.Errorf("%q without %q is %q, want %q", c.text, c.value, got, c.want)
		}
	}
}
