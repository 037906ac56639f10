package jsontext

import (
	"strings"
	"testing"
)

func TestShallow(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for body, want := range map[string]bool{
		nested(MaxDepth):                           true,
		nested(MaxDepth + 1):                       false,
		`"` + nested(1000) + `"`:                   true,
		`{"a\"":` + nested(MaxDepth-1) + `}`:       true,
		`{"a\"":` + nested(MaxDepth) + `}`:         false,
		`{"a\\":"` + nested(1000) + `"}`:           true,
		`{"a\\":` + nested(MaxDepth) + `}`:         false,
		`{"` + nested(1000):                        true,
		`"\` + `"` + nested(1000):                  true,
		strings.Repeat(`{"a":[`, MaxDepth/2) + "[": false,
	} {
		if Shallow(body) != want {
			t.Errorf("%.40s: want %v", body, want)
		}
	}
}
