package tui

import (
	"math"
	"strconv"
	"time"
)

// millis prints a response time with about three digits: "0.32 ms", "118 ms",
// "1.24 s". 0 is nothing measured.
func millis(d time.Duration) string {
	switch {
	case d <= 0:
		return "–"
	case d < 5*time.Microsecond:
		return "<0.01 ms"
	case d < 9995*time.Microsecond:
		return fixed(float64(d)/1e6, 2) + " ms"
	case d < 99950*time.Microsecond:
		return fixed(float64(d)/1e6, 1) + " ms"
	case d < 999500*time.Microsecond:
		return fixed(float64(d)/1e6, 0) + " ms"
	case d < 9995*time.Millisecond:
		return fixed(d.Seconds(), 2) + " s"
	case d < 10*time.Minute:
		return fixed(d.Seconds(), 1) + " s"
	}
	return clock(d)
}

// limitText prints a limit as it was set: "500 ms", "2 s", "1.5 s".
func limitText(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatFloat(float64(d)/1e6, 'f', -1, 64) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
}

// clock prints an offset: "00:48", "1:02:03".
func clock(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	h, m, s := s/3600, s/60%60, s%60
	two := func(v int64) string { return string([]byte{byte('0' + v/10), byte('0' + v%10)}) }
	if h > 0 {
		return strconv.FormatInt(h, 10) + ":" + two(m) + ":" + two(s)
	}
	return two(m) + ":" + two(s)
}

// until is the time from now to then in whole seconds as a clock shows them, so
// that what is gone and what is left add up.
func until(then, now time.Duration) time.Duration {
	return then - now.Truncate(time.Second)
}

// share prints n of total in percent. It never rounds something to nothing nor
// almost all to all: "<0.1 %", ">99.9 %".
func share(n, total int64) string {
	if total <= 0 {
		return "–"
	}
	return percent(float64(n)/float64(total), n == 0, n == total)
}

func percent(v float64, none, all bool) string {
	text := fixed(v*100, 1)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "–"
	case text == "0.0" && !none:
		return "<0.1 %"
	case text == "100.0" && !all:
		return ">99.9 %"
	case all:
		return "100 %"
	}
	return text + " %"
}

// perSecond prints a rate: "150.2/s", "4470/s".
func perSecond(v float64) string {
	if !(v >= 0) || math.IsInf(v, 0) {
		return "–"
	}
	if v >= 9999.5 {
		return count(int64(v)) + "/s"
	}
	if v >= 999.95 {
		return fixed(v, 0) + "/s"
	}
	return fixed(v, 1) + "/s"
}

// count prints a number of things, shortened from 100,000 on: "99999", "1.25M".
func count(n int64) string {
	switch {
	case n < 100_000:
		return strconv.FormatInt(n, 10)
	case n < 999_500:
		return strconv.FormatInt((n+500)/1000, 10) + "k"
	case n < 999_500_000:
		return fixed(float64(n)/1e6, 2) + "M"
	}
	return fixed(float64(n)/1e9, 2) + "G"
}

// times prints a factor: "1.2×".
func times(v float64) string {
	switch {
	case !(v >= 0):
		return "–"
	case v >= 999.5:
		return ">999×"
	case v >= 9.95:
		return fixed(v, 0) + "×"
	}
	return fixed(v, 1) + "×"
}

// span prints a round duration: "5 s", "5 min".
func span(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64((d+time.Second/2)/time.Second), 10) + " s"
}

func fixed(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
