package trial

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/cstest/cstest/measure"
)

// The notes of a journal, for those who read it back.
const (
	NoteAbout    = "about"    // Options.About
	NoteStarted  = "started"  // t = 0, RFC 3339
	NoteWarnings = "warnings" // a list of texts
	NoteSignal   = "signal"   // the number of the signal that ended the run, 0 without one
	// NoteIncidents is a list of measure.Incident in journals of before; now they are
	// among the facts.
	NoteIncidents = "incidents"
)

// openJournal begins the journal. A journal that cannot be begun is an error:
// the disk is full or read-only before anything has happened.
func (t *attempt) openJournal() error {
	if t.Journal == "" {
		return nil
	}
	var h measure.Header
	sum := sha256.Sum256([]byte(t.RunID))
	copy(h.Run[:], sum[:])
	j, err := measure.CreateJournal(t.Journal, h, t.plan)
	if err != nil {
		return &ResultsError{err}
	}
	t.journal = j
	if err := j.AppendNote(NoteAbout, t.About); err != nil {
		_ = j.Abandon() // there is a worse error
		return &ResultsError{err}
	}
	return nil
}

// closeJournal writes down what was learnt after the load.
func (t *attempt) closeJournal(done *Done) {
	signal := 0
	if t.Signal != nil {
		signal = t.Signal()
	}
	// A record that cannot be encoded leaves the journal alive; its error is its own.
	err := errors.Join(
		t.journal.AppendFacts(done.Facts),
		t.journal.AppendNote(NoteWarnings, done.Warnings),
		t.journal.AppendNote(NoteSignal, signal),
		t.journal.Close(),
	)
	if final := t.journal.Err(); final != nil {
		err = final // each of them gave it
	}
	if err != nil {
		done.JournalErr = fmt.Errorf("%s: %w", t.Journal, err)
	}
}

// ResultsError is a result that could not be written.
type ResultsError struct{ Err error }

// Error names the file.
func (e *ResultsError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *ResultsError) Unwrap() error { return e.Err }
