package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a scenario: where it stands and what to do.
// Line and Column count from 1; both are 0 where there is no file to point to
// (an override, a flag).
type Problem struct {
	File    string
	Line    int
	Column  int
	Field   string // as in "load.stages[1].for"; may be empty
	Message string // says what to do
}

// String prints "file:line:column: field: what to do".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Message)
	return b.String()
}

// Problems is the error of Parse and LoadFile: everything wrong at once, in the
// order of the file.
type Problems struct {
	List []Problem
}

// maxProblems is how many are told; a file of garbage must not flood a terminal.
const maxProblems = 100

// Error prints one problem a line.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, problem := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(problem.String())
	}
	return b.String()
}

// problemsError gives the list as an error in reading order, without repetitions; nil when it is empty.
func problemsError(list []Problem) error {
	if len(list) == 0 {
		return nil
	}
	sortProblems(list)
	list = slices.Compact(list)
	if more := len(list) - maxProblems; more > 0 {
		list = append(list[:maxProblems:maxProblems], Problem{File: list[0].File, Message: fmt.Sprintf("and %d more", more)})
	}
	return &Problems{List: list}
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message, b.Message))
	})
}

// didYouMean names the candidate nearest to word, or gives the empty string
// when none is near: at most a third of the letters may differ, swaps count once.
func didYouMean(word string, candidates []string) string {
	if len(word) > 64 {
		return ""
	}
	best, nearest, distance := "", 0, len(word)/3+1
	if distance > 3 {
		distance = 3
	}
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(word), strings.ToLower(c)); d <= distance && d < max(len(c), 2) {
			if best == "" || d < nearest {
				best, nearest = c, d
			}
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance is the optimal string alignment distance in bytes.
func editDistance(a, b string) int {
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
