package dialog

import "strings"

// Words are what somebody said. A load test puts canaries into them, in ⟦…⟧: the
// model must see these and the dialog keep them, but they are no part of what
// anybody said. Only here are the two told apart.
type Words struct {
	Marked string // as it came
	Said   string // without marks
}

// ReadWords tells what was said from its marks. An unclosed mark runs to the end.
func ReadWords(text string) Words { return Words{Marked: text, Said: withoutMarks(text)} }

func withoutMarks(s string) string {
	const open, shut = "⟦", "⟧"
	i := strings.Index(s, open)
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i >= 0 {
		b.WriteString(s[:i])
		s = s[i+len(open):]
		j := strings.Index(s, shut)
		if j < 0 {
			s = ""
			break
		}
		s = s[j+len(shut):]
		i = strings.Index(s, open)
	}
	b.WriteString(s)
	return strings.TrimSpace(b.String())
}
