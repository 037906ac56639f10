package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// String prints the duration without zero parts: "1h30m", "500ms".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// D is the duration as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String prints the rate per second, or per minute or hour where that is a
// shorter whole number: "500/s", "30/m".
func (r Rate) String() string {
	v := float64(r)
	switch {
	case v == math.Trunc(v) && v >= 1e6 && math.Mod(v, 1e5) == 0:
		return trim(v/1e6) + "M/s"
	case v == math.Trunc(v) && v >= 1e4 && math.Mod(v, 100) == 0:
		return trim(v/1e3) + "k/s"
	case v != math.Trunc(v) && isWhole(v*60):
		return trim(math.Round(v*60)) + "/m"
	case v != math.Trunc(v) && isWhole(v*3600):
		return trim(math.Round(v*3600)) + "/h"
	}
	return trim(v) + "/s"
}

// String prints the share in percent: "99.9%".
func (s Share) String() string {
	return trim(math.Round(float64(s)*1e11)/1e9) + "%"
}

// String prints the size in the largest binary unit that divides it: "16KiB".
func (s Size) String() string {
	switch {
	case s != 0 && s%(1<<30) == 0:
		return strconv.FormatInt(int64(s>>30), 10) + "GiB"
	case s != 0 && s%(1<<20) == 0:
		return strconv.FormatInt(int64(s>>20), 10) + "MiB"
	case s != 0 && s%(1<<10) == 0:
		return strconv.FormatInt(int64(s>>10), 10) + "KiB"
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

// String prints the count, with k where it divides: "20k".
func (c Count) String() string {
	switch {
	case c >= 1e6 && c%1e5 == 0:
		return trim(float64(c)/1e6) + "M"
	case c >= 1e4 && c%100 == 0:
		return trim(float64(c)/1e3) + "k"
	}
	return strconv.FormatInt(int64(c), 10)
}

func isWhole(v float64) bool { return math.Abs(v-math.Round(v)) < 1e-9 }

func trim(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
