package dialog

import "strings"

// StripMarks removes ⟦…⟧, which carries canaries of a load test and is no part
// of what anybody said. An unclosed mark runs to the end.
func StripMarks(s string) string {
	const open, shut = "⟦", "⟧"
	i := strings.Index(s, open)
	if i < 0 {
		return s
	}
	var b strings.Builder
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
