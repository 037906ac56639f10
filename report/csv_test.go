package report

import "testing"

func TestCell(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"peak", "peak"},
		{"", ""},
		{"=1+1", "'=1+1"},
		{"+x", "'+x"},
		{"-x", "'-x"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", "'\t=1"},
		{"\r=1", "'\r=1"},
		{"\x00=1", "'=1"},
		{"  =1", "'  =1"},
		{"=cmd", "'=cmd"},
		{"a=b", "a=b"},
	} {
		if got := cell(c.in); got != c.want {
			t.Errorf("cell(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
