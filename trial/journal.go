package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/result"
)

// openJournal begins the journal; nil where none is asked for. A journal that
// cannot be begun is an error: the disk is full or read-only before anything has
// happened.
func openJournal(o *Options, plan *measure.Plan) (*measure.Journal, error) {
	if o.Journal == "" {
		return nil, nil
	}
	var h measure.Header
	sum := sha256.Sum256([]byte(o.RunID))
	copy(h.Run[:], sum[:])
	var j *measure.Journal
	var err error
	if o.JournalTo != nil {
		j, err = measure.NewJournal(o.JournalTo, h, plan)
	} else {
		j, err = measure.CreateJournal(o.Journal, h, plan)
	}
	if err != nil {
		return nil, &ResultsError{err}
	}
	if err := j.AppendNote(result.NoteAbout, o.About); err != nil {
		_ = j.Abandon() // there is a worse error
		return nil, &ResultsError{err}
	}
	return j, nil
}

// closeJournal writes down what was learnt after the load.
func closeJournal(j *measure.Journal, o *Options, done *Done) {
	signal := 0
	if o.Signal != nil {
		signal = o.Signal()
	}
	// A record that cannot be encoded leaves the journal alive; its error is its own.
	err := errors.Join(
		j.AppendFacts(done.Facts),
		j.AppendNote(result.NoteWarnings, done.Warnings),
		j.AppendNote(result.NoteSignal, signal),
		j.Close(),
	)
	if final := j.Err(); final != nil {
		err = final // each of them gave it
	}
	if err != nil {
		done.JournalErr = fmt.Errorf("%s: %w", o.Journal, err)
	}
}

// ResultsError is a result that could not be written.
type ResultsError struct{ Err error }

// Error names the file.
func (e *ResultsError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *ResultsError) Unwrap() error { return e.Err }
