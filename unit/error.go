package unit

import "fmt"

// Error is why a text is no quantity. It keeps its format apart, by which the
// tables of package reason, which is above this one, have it in other languages.
type Error struct {
	format string
	args   []any
}

func errorf(format string, args ...any) error { return &Error{format, args} }

// Error says what was written and what to write instead, in English.
func (e *Error) Error() string { return fmt.Sprintf(e.format, e.args...) }

// Phrase gives what fmt.Sprintf makes the text of.
func (e *Error) Phrase() (format string, args []any) { return e.format, e.args }
