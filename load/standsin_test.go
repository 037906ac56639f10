package load

import (
	"strings"
	"testing"
)

// What makes a line stand in for an answer, each at its edge.
func TestStandsInAtItsEdges(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       bool
	}{
		{"nothing", "", false},
		{"a letter that begins a word", "a", false},
		{"a letter at the end", "we are busy, i", true},
		{"trouble of the service's own", "our service is busy", true},
		{"a letter and a space", "i am busy", true},
		{"in capitals from A on", "AGENTS ARE BUSY", true},
		{"within a word, after a z", "our service is quizbusy", false},
		{"within a word in capitals, after a Z", "OUR SERVICE IS QUIZBUSY", false},
		{"after 汉字 that come after a letter", "x系统busy", true},
		{"in two clauses", "we will check, the printer is down", false},
		{"in two clauses, by ideographic comma", "系统很好，打印机故障", false},
		{"right after a comma", "hi,we are busy", true},
		{"trouble, and later", "busy. later.", true},
		{"trouble alone", "busy.", false},
		{"later alone", "later.", false},
		{"a crowd of nobody's, and later", "the demand is great. later.", false},
		{"a crowd of those who ask, and later", "the demand by requests is great. later.", true},
		{"a crowd of those who ask", "the demand by requests is great.", false},
		{"a condition, and later", "if our service is busy, later.", false},
		{"short words must end: of five letters", "we saw errors", false},
		{"as it does", "we saw an error", true},
		{"long ones may go on: of six letters", "we failedly tried", true},
		{"goes on with an a", "we are busya", false},
		{"goes on with a z", "we are busyz", false},
		{"goes on with an apostrophe", "we are busy's", false},
		{"ends with a dot", "we are busy.", true},
		{"a 汉字 cut short", "系统忙\xe5\xbf", false},
		{"a 汉字 cut shorter", "系统忙\xe5", false},
		{"whole at the end", "系统繁忙", true},
	} {
		if got := standsIn([]byte(c.line)); got != c.want {
			t.Errorf("%s: %q stands in: %v", c.name, c.line, got)
		}
	}
	// The longest line, which ends in the begin of a phrase that it has no room for.
	for length, want := range map[int]bool{longestCanned: true, longestCanned + 1: false} {
		line := "we are busy. "
		line += strings.Repeat("x", length-len(line)-len(" temporarily")) + " temporarily"
		if got := standsIn([]byte(line)); got != want || len(line) != length {
			t.Errorf("%d bytes: stands in: %v", len(line), got)
		}
	}
}
