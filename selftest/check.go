package selftest

import (
	"time"

	"github.com/cstest/cstest/reason"
)

// Check is one statement: what really happened beside what cstest says of it.
type Check struct {
	Group    string
	What     reason.Phrase
	Truth    reason.Phrase
	Measured reason.Phrase
	Allowed  reason.Phrase // none: shown for contrast, and always OK
	OK       bool
}

// Report is what a selftest found.
type Report struct {
	Checks []Check
	// Trust is the size from which on a figure can be trusted on this machine
	// now: 99 of 100 turns took no longer, by cstest's clock, than the server's
	// own figure and this. 0 where it was not measured.
	Trust time.Duration
	// Skipped says what was left out, and why.
	Skipped []error
}

// Failed counts the checks that do not hold.
func (r *Report) Failed() int {
	n := 0
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	return n
}

// equal holds two counts against one another.
func equal(group string, what reason.Phrase, truth, measured int64) Check {
	return Check{
		Group: group, What: what, Truth: reason.Say("%d", truth), Measured: reason.Say("%d", measured),
		Allowed: reason.Say("equal"), OK: truth == measured,
	}
}

// issued holds starts against those that the schedule has.
func issued(planned, started int64) Check {
	c := equal("release", reason.Say("starts issued"), planned, started)
	c.Allowed, c.OK = reason.Say("0.1 %%"), planned > 0 && 1000*max(started-planned, planned-started) <= planned
	return c
}

func within(group string, what reason.Phrase, truth, measured, allowed time.Duration) Check {
	return Check{
		Group: group, What: what, Truth: show(truth), Measured: show(measured), Allowed: reason.Say("± %s", show(allowed)),
		OK: measured >= truth-allowed && measured <= truth+allowed,
	}
}

// atMost holds a duration that should be none against an upper bound.
func atMost(group string, what reason.Phrase, measured, allowed time.Duration) Check {
	c := within(group, what, 0, measured, allowed)
	c.Allowed, c.OK = reason.Say("≤ %s", show(allowed)), measured <= allowed
	return c
}

// show writes a duration in milliseconds with three decimals, unlike unit.Duration:
// what is compared here differs in the last of them.
func show(d time.Duration) reason.Phrase {
	return reason.Say("%.3f ms", float64(d)/float64(time.Millisecond))
}
