package pii

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzMask holds what is true of any text: as many characters as before, those
// outside the values untouched, and the same in two pieces as in one.
func FuzzMask(f *testing.F) {
	for i, s := range corpus(f) {
		if i%20 == 0 {
			f.Add(s.text, len(s.text)/2)
		}
	}
	f.Add("\xe3\x80\xef\xbc\x8c我叫\xff", 2)
	m := New()
	f.Fuzz(func(t *testing.T, text string, cut int) {
		whole, found := m.Mask(text)
		if utf8.RuneCountInString(whole) != utf8.RuneCountInString(text) {
			t.Fatalf("%q becomes %q", text, whole)
		}
		if found.Total() == 0 && whole != text {
			t.Fatalf("nothing found in %q, which becomes %q", text, whole)
		}
		untouched(t, text, whole)
		cut = min(max(cut, 0), len(text))
		s := m.Stream()
		if pieces := s.Add(text[:cut]) + s.Add(text[cut:]) + s.End(); pieces != whole {
			t.Fatalf("%q in pieces at %d is %q, whole %q", text, cut, pieces, whole)
		}
	})
}

// untouched: a character stays or becomes an asterisk.
func untouched(t *testing.T, text, masked string) {
	t.Helper()
	for text != "" {
		_, n := utf8.DecodeRuneInString(text)
		if strings.HasPrefix(masked, text[:n]) {
			masked = masked[n:]
		} else if strings.HasPrefix(masked, "*") {
			masked = masked[1:]
		} else {
			t.Fatalf("%q stands for %q", masked, text)
		}
		text = text[n:]
	}
}
