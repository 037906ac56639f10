package scenario

import (
	"strings"

	"github.com/cstest/cstest/reason"
)

// didYouMean is Nearest as the end of a message, empty where nothing is near.
func didYouMean(word string, candidates []string) reason.Phrase {
	if best := Nearest(word, candidates); best != "" {
		return reason.Say("; did you mean %q?", best)
	}
	return reason.Phrase{}
}

// Nearest names the candidate that word was probably meant to be, or gives the
// empty string when none is near: one letter of three may differ, three at most,
// and swapped neighbours count once. Of candidates as near as each other it is the
// one that begins with word. A word of which no letter would stay is meant to be
// something else.
func Nearest(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	from := []rune(strings.ToLower(word))
	best, distance := "", min(max(len(from)/3, 1), 3)+1
	for _, c := range candidates {
		to := []rune(strings.ToLower(c))
		d := editDistance(from, to)
		nearer := d < distance || d == distance && best != "" && begins(to, from) && !begins([]rune(strings.ToLower(best)), from)
		if nearer && d < len(from) && d < max(len(to), 2) {
			best, distance = c, d
		}
	}
	return best
}

func begins(word, with []rune) bool { return strings.HasPrefix(string(word), string(with)) }

// editDistance is the optimal string alignment distance in characters.
func editDistance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
