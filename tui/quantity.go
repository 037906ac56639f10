package tui

import (
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
