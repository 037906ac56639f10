// Package reason is why a run was judged as it was, what went wrong with it and
// what a reader should know: values with a code and typed arguments, made where
// the fact is known and put into words only where a person reads them. Every code
// has one row in a table that holds its text in each language.
package reason

import (
	"errors"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

// Code says what is meant; it is written to result.json and stable.
type Code string

// Reason is a code and its arguments, as many and of the kinds as the code's row
// in the table has, in that order. It is a plain value, not to be changed once
// made and then safe for concurrent use. The zero Reason says nothing.
type Reason struct {
	Code Code
	Args []any // string or Phrase, Word, time.Duration, unit.Share, int64, float64, unit.Rate, unit.Size or Reasons
}

// Reasons are several, said one after the other.
type Reasons []Reason

// New makes a Reason. Integers become int64, errors and Stringers strings, and a
// Reason a list of one.
func New(code Code, args ...any) Reason {
	r := Reason{Code: code}
	if len(args) > 0 {
		r.Args = make([]any, len(args))
	}
	for i, a := range args {
		r.Args[i] = argument(a)
	}
	return r
}

func argument(a any) any {
	switch a := a.(type) {
	case string, Phrase, Word, time.Duration, unit.Share, int64, float64, unit.Rate, unit.Size, Reasons:
		return a
	case int:
		return int64(a)
	case unit.Count:
		return int64(a)
	case unit.Duration:
		return time.Duration(a)
	case Reason:
		return Reasons{a}
	case error:
		return a.Error()
	case interface{ String() string }:
		return a.String()
	}
	return ""
}

// Said is a text that somebody else wrote, such as an error of the system: it
// reads the same in every language.
func Said(text string) Reason { return New(AsSaid, text) }

// Err is a reason that is an error: Error is its text in English, Of gives it back.
func Err(r Reason) error { return reasonError{Reasons{r}} }

// Err is the list as one error, nil when it is empty.
func (list Reasons) Err() error {
	if len(list) == 0 {
		return nil
	}
	return reasonError{list}
}

type reasonError struct{ list Reasons }

func (e reasonError) Error() string { return e.list.String() }

// Reasons are what the error says.
func (e reasonError) Reasons() Reasons { return e.list }

// Of is what err says: the reasons that it, or an error in it, carries where they
// are all it says, else its text.
func Of(err error) Reasons {
	var e interface{ Reasons() Reasons }
	if errors.As(err, &e) {
		if list := e.Reasons(); list.String() == err.Error() {
			return list
		}
	}
	return Reasons{Said(err.Error())}
}

// Text is the reason in a language. A code that is not known reads as itself.
func (r Reason) Text(lang Lang) string {
	row, ok := rows()[r.Code]
	if !ok {
		return string(r.Code)
	}
	var b strings.Builder
	for _, p := range row.parts(lang) {
		switch {
		case p.arg < 0:
			b.WriteString(p.text)
		case p.arg < len(r.Args):
			b.WriteString(show(row.args[p.arg].kind, r.Args[p.arg], lang))
		}
	}
	return b.String()
}

// String is the text in English.
func (r Reason) String() string { return r.Text(English) }

// Text is all of them in one line.
func (list Reasons) Text(lang Lang) string {
	separator := "; "
	if lang == Chinese {
		separator = "；"
	}
	return strings.Join(list.Texts(lang), separator)
}

// String is the line in English.
func (list Reasons) String() string { return list.Text(English) }

// Texts are the texts one by one, never nil.
func (list Reasons) Texts(lang Lang) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.Text(lang)
	}
	return out
}

// OrEmpty is the list, never nil: an empty one is written as [].
func (list Reasons) OrEmpty() Reasons {
	if list == nil {
		return Reasons{}
	}
	return list
}

// Compare orders reasons by what they say; 0 is the same.
func Compare(a, b Reason) int {
	if c := strings.Compare(string(a.Code), string(b.Code)); c != 0 {
		return c
	}
	return strings.Compare(a.String(), b.String())
}

// Known tells whether the code, and those of the reasons within, have texts here.
func (r Reason) Known() bool {
	if _, ok := rows()[r.Code]; !ok {
		return false
	}
	for _, a := range r.Args {
		if within, ok := a.(Reasons); ok && !within.Known() {
			return false
		}
	}
	return true
}

// Known tells it of all of them.
func (list Reasons) Known() bool {
	for _, r := range list {
		if !r.Known() {
			return false
		}
	}
	return true
}

// Map gives the reasons with f applied to every text argument, as redaction does.
func (list Reasons) Map(f func(string) string) Reasons {
	if list == nil {
		return nil
	}
	out := make(Reasons, len(list))
	for i, r := range list {
		out[i] = r.Map(f)
	}
	return out
}

// Map gives the reason with f applied to every text argument.
func (r Reason) Map(f func(string) string) Reason {
	out := Reason{Code: r.Code, Args: make([]any, len(r.Args))}
	for i, a := range r.Args {
		switch a := a.(type) {
		case string:
			out.Args[i] = f(a)
		case Phrase:
			out.Args[i] = a.Map(f)
		case Reasons:
			out.Args[i] = a.Map(f)
		default:
			out.Args[i] = a
		}
	}
	return out
}
