package scenario

import (
	"strings"

	"github.com/cstest/cstest/reason"
)

// indentation says so where a line that YAML cannot place is only indented
// wrongly: line and column are where the parser gave up.
func indentation(text []byte, line, column int) (message reason.Phrase, ok bool) {
	lines := strings.Split(string(text), "\n")
	if line < 2 || line > len(lines) {
		return reason.Phrase{}, false
	}
	this := lines[line-1]
	above := line - 2
	for above >= 0 && !says(lines[above]) {
		above--
	}
	if above < 0 || column < 1 || column > len(this)+1 {
		return reason.Phrase{}, false
	}
	if begun := strings.TrimLeft(string([]rune(this)[:min(column-1, len([]rune(this)))]), " "); strings.Contains(begun, ": ") {
		return reason.Phrase{}, false // the line itself has a key already: a second ": " is in its value
	}
	open := openColumns(lines[:line-1])
	if indentOf(this) == indentOf(lines[above]) && isItem(this) == isItem(lines[above]) {
		return reason.Phrase{}, false // lined up with the line above: something else is wrong
	}
	var places reason.Phrase
	for i, c := range open {
		if i == 0 {
			places = reason.Say("%d", c)
		} else {
			places = reason.Say("%s or %d", places, c)
		}
	}
	return reason.Say("indentation: this line (%q) is indented by %d, line %d above it (%q) by %d; lines that belong together are indented alike, here by %s spaces",
		short(strings.TrimSpace(this)), indentOf(this), above+1, short(strings.TrimSpace(lines[above])), indentOf(lines[above]), places), true
}

// says tells whether a line holds more than space and a comment.
func says(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && line[0] != '#' && line != "---"
}

func isItem(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), "- ") }

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// openColumns are where the keys and list items that lines left open begin, from
// the outermost. The place after a "- " is one.
func openColumns(lines []string) (open []int) {
	for _, line := range lines {
		if !says(line) {
			continue
		}
		at := indentOf(line)
		for len(open) > 0 && open[len(open)-1] > at {
			open = open[:len(open)-1]
		}
		for rest := line[at:]; ; {
			if len(open) == 0 || open[len(open)-1] < at {
				open = append(open, at)
			}
			item, more := strings.CutPrefix(rest, "- ")
			if !more {
				break
			}
			inner := strings.TrimLeft(item, " ")
			at += len(rest) - len(inner)
			rest = inner
		}
	}
	return open
}
