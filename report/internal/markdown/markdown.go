// Package markdown writes GitHub-flavoured Markdown of texts that may be anybody's.
package markdown

import (
	"strings"
	"unicode"

	"github.com/cstest/cstest/report/escape"
)

// Escape makes hostile text safe in a Markdown cell or line: no link, image, HTML,
// emphasis, mention or autolink survives.
func Escape(s string) string {
	var b strings.Builder
	runes := []rune(escape.Clean(s))
	for i, r := range runes {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@': // a mention notifies a person
			b.WriteString("&#64;")
		case ':': // https://… and mailto:… would become links
			if i > 0 && i+1 < len(runes) && unicode.IsLetter(runes[i-1]) && runes[i+1] != ' ' {
				b.WriteString("&#58;")
			} else {
				b.WriteRune(r)
			}
		case '#':
			b.WriteString("&#35;")
		case '\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '!', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "www.", "www&#46;")
}

// Head writes the head of a table; align has l or r of each column.
func Head(p func(string, ...any), head []string, align string) {
	p("| %s |", strings.Join(head, " | "))
	cells := make([]string, len(head))
	for i := range cells {
		cells[i] = "---"
		if align[i] == 'r' {
			cells[i] = "--:"
		}
	}
	p("| %s |", strings.Join(cells, " | "))
}

// Rows writes rows, the first a heading, with the first columns to the left.
func Rows(p func(string, ...any), rows [][]string, left int) {
	Head(p, rows[0], strings.Repeat("l", left)+strings.Repeat("r", len(rows[0])-left))
	for _, row := range rows[1:] {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = Escape(c)
		}
		p("| %s |", strings.Join(cells, " | "))
	}
}

// Badge is the sign of a verdict.
func Badge(verdict string) string {
	switch verdict {
	case "pass":
		return "✅"
	case "fail", "invalid":
		return "❌"
	}
	return "⚠️"
}
