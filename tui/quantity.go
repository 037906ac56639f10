package tui

import (
	"math"
	"time"

	"github.com/cstest/cstest/unit"
)

// What frames have as plain numbers, as unit shows it; nothing measured is a dash.

const nothing = "–"

// millis shows a response time; 0 is nothing measured.
func millis(d time.Duration) string {
	if d <= 0 {
		return nothing
	}
	return span(d)
}

func span(d time.Duration) string { return unit.Duration(d).Text() }

// share shows n of total.
func share(n, total int64) string {
	if total <= 0 {
		return nothing
	}
	return unit.Share(float64(n) / float64(total)).Text()
}

func perSecond(v float64) string { return unit.Rate(v).Text() }

func count(n int64) string { return unit.Count(n).Text() }

// until is the time from now to then in whole seconds as a clock shows them, so
// that what is gone and what is left add up.
func until(then, now time.Duration) time.Duration {
	return then - now.Truncate(time.Second)
}

// durationOf is a time in ns that was computed.
func durationOf(ns float64) time.Duration {
	return time.Duration(min(max(ns, 0), math.MaxInt64/2))
}

// figureOf shows a number, or a dash for none.
func figureOf(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nothing
	}
	return unit.Figure(v)
}

// p99Of shows a time in ns, a dash for none, and an infinite one as what it is.
func p99Of(ns float64) string {
	switch {
	case math.IsNaN(ns):
		return nothing
	case math.IsInf(ns, 1):
		return "∞"
	}
	return millis(durationOf(ns))
}

// shareOf shows a share, or a dash for none.
func shareOf(v float64) string {
	if math.IsNaN(v) {
		return nothing
	}
	return unit.Share(v).Text()
}
