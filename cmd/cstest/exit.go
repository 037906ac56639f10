package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cstest/cstest/engine"
	"github.com/cstest/cstest/engine/conduct"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

// The exit codes that CI relies on, less those that a verdict decides
// (result.ExitCode).
const (
	exitPass      = 0
	exitFail      = 10
	exitInvalid   = 12
	exitUsage     = 64
	exitTarget    = 69
	exitInternal  = 70
	exitResults   = 74
	exitInterrupt = 130
)

// usageError is wrong usage: flags, arguments, combinations of them.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{reason.Errorf(format, args...)}
}

// wrongUsage is err as wrong usage; nil of nil.
func wrongUsage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// refused is wrong usage that is told in the language of the command.
func refused(code reason.Code, args ...any) error {
	return usageError{reason.Err(reason.New(code, args...))}
}

// resultsError is a result that could not be written whole.
type resultsError struct{ error }

func (e resultsError) Unwrap() error { return e.error }

// quietError carries an exit code for what was said already.
type quietError struct{ code int }

func (e quietError) Error() string { return fmt.Sprintf("exit %d", e.code) }

// conclude is how a command ends whose results were written and printed, with the
// errors of the two: code, unless what was written is not whole.
func conclude(s streams, sig *signals, written, printed error, code int) error {
	if printed != nil {
		written = errors.Join(written, reason.Errorf("standard output: %w", printed))
	}
	switch {
	case written != nil && sig.code() == 0:
		return resultsError{written}
	case written != nil:
		s.writeError(written)
	}
	if code == exitPass {
		return nil
	}
	return quietError{code}
}

// exitCode decides the exit code of an error, in this one place.
func exitCode(err error) int {
	if err == nil {
		return exitPass
	}
	var (
		quiet    quietError
		usage    usageError
		problems *scenario.Problems
		target   *trial.TargetError
		refused  *trial.RefusedError
		results  resultsError
		journal  *trial.ResultsError
		limit    *trial.LimitError
		lost     *conduct.LostError
	)
	switch {
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &usage), errors.As(err, &problems), errors.As(err, &refused):
		return exitUsage
	case errors.As(err, &lost) && lost.Code == exitUsage:
		return exitUsage
	case errors.As(err, &target), errors.Is(err, engine.ErrNoStart), errors.Is(err, conduct.ErrNotReady), errors.As(err, &lost):
		return exitTarget
	case errors.As(err, &limit):
		return exitInvalid
	case errors.As(err, &results), errors.As(err, &journal):
		return exitResults
	case errors.Is(err, context.Canceled):
		return exitInterrupt
	}
	return exitInternal
}
