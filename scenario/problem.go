package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
)

// Problem is one thing wrong with a scenario: where it stands and what to do.
// Line and Column count from 1; both are 0 where there is no file to point to
// (an override, a flag).
type Problem struct {
	File    string
	Line    int
	Column  int
	Field   string        // as in "load.stages[1].for"; may be empty
	Message reason.Phrase // says what to do
}

// String prints "file:line:column: field: what to do".
func (p Problem) String() string { return p.Text(reason.English) }

// Text is that with what to do in a language.
func (p Problem) Text(lang reason.Lang) string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if p.Field != "" {
		b.WriteString(": " + p.Field)
	}
	b.WriteString(": " + p.Message.Text(lang))
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
func (p *Problems) Error() string { return p.Text(reason.English) }

// Text is that in a language.
func (p *Problems) Text(lang reason.Lang) string {
	var b strings.Builder
	for i, problem := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(problem.Text(lang))
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
		list = append(list[:maxProblems:maxProblems], Problem{File: list[0].File, Message: reason.Say("and %d more", more)})
	}
	return &Problems{List: list}
}

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Message.String(), b.Message.String()))
	})
}
