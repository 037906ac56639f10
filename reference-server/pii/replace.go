package pii

import "strings"

// Replace returns text with every personal datum replaced by what by makes of it.
// Like Mask it recognises nothing across the end of a segment.
func (m *Masker) Replace(text string, by func(kind Kind, value string) string) string {
	if !m.suspicious(text) {
		return text
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		n := segment(rest)
		part := rest[:n]
		rest = rest[n:]
		if !m.suspicious(part) {
			b.WriteString(part)
			continue
		}
		last := 0
		f := m.search(part)
		for _, s := range f.spans {
			b.WriteString(part[last:s.from])
			b.WriteString(by(s.kind, part[s.from:s.to]))
			last = s.to
		}
		b.WriteString(part[last:])
		foldings.Put(f)
	}
	return b.String()
}
