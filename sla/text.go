package sla

import (
	"math"
	"strconv"
	"time"
)

// percent prints a share as "1.3 %": at most two decimals, more only where
// fewer would leave less than two digits.
func percent(share float64) string {
	v := 100 * share
	decimals := 2
	if a := math.Abs(v); a > 0 && a < 0.1 {
		decimals = min(1-int(math.Floor(math.Log10(a))), 9)
	}
	scale := math.Pow10(decimals)
	return trim(math.Round(v*scale)/scale) + " %"
}

// short prints a duration in the unit a person would: "312 ms", "1.25 s".
func short(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d < time.Millisecond:
		return strconv.FormatInt(d.Microseconds(), 10) + " µs"
	case d >= 100*time.Millisecond && d < time.Second:
		return trim(math.Round(float64(d)/1e6)) + " ms"
	case d < time.Second:
		return trim(math.Round(float64(d)/1e5)/10) + " ms"
	}
	return trim(math.Round(d.Seconds()*100)/100) + " s"
}

// count prints a number in groups of three: "12,345".
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	least := 0
	if n < 0 {
		least = 1
	}
	for i := len(s) - 3; i > least; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func trim(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e9)/1e9, 'f', -1, 64)
}
