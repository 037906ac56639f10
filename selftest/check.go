package selftest

import (
	"fmt"
	"strconv"
	"time"
)

// Check is one statement: what really happened beside what cstest says of it.
type Check struct {
	Group    string
	What     string
	Truth    string
	Measured string
	Allowed  string // empty: shown for contrast, and always OK
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
	Skipped []string
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
func equal(group, what string, truth, measured int64) Check {
	return Check{
		Group: group, What: what, Truth: strconv.FormatInt(truth, 10), Measured: strconv.FormatInt(measured, 10),
		Allowed: "equal", OK: truth == measured,
	}
}

// issued holds starts against those that the schedule has.
func issued(planned, started int64) Check {
	c := equal("release", "starts issued", planned, started)
	c.Allowed, c.OK = "0.1 %", planned > 0 && 1000*max(started-planned, planned-started) <= planned
	return c
}

func within(group, what string, truth, measured, allowed time.Duration) Check {
	return Check{
		Group: group, What: what, Truth: show(truth), Measured: show(measured), Allowed: "± " + show(allowed),
		OK: measured >= truth-allowed && measured <= truth+allowed,
	}
}

// atMost holds a duration against an upper bound.
func atMost(group, what string, truth, measured, allowed time.Duration) Check {
	c := within(group, what, truth, measured, allowed)
	c.Allowed, c.OK = "≤ "+show(truth+allowed), measured <= truth+allowed
	return c
}

// show writes a duration in milliseconds with three decimals, unlike unit.Duration:
// what is compared here differs in the last of them.
func show(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}
