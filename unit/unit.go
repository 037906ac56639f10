// Package unit owns the written forms of quantities: durations ("500ms"), rates
// ("500/s", "2k/s", "30/m"), shares ("99%"), sizes ("16KiB") and counts ("10k").
// Each type parses from and prints to text in one place, so that YAML, flags,
// JSON configuration and tables agree. A bare number where a unit belongs is an
// error. All types are plain values, safe for concurrent use.
package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// maxCount bounds what a count, rate or size may name, so that products of two
// of them stay inside an int64.
const maxCount = 1 << 50

// Duration is a time.Duration that reads and writes as "1h30m", "500ms".
type Duration time.Duration

// Rate is a number of events per second.
type Rate float64

// Share is a fraction between 0 and 1, written in percent.
type Share float64

// Size is a number of bytes.
type Size int64

// Count is a number of things, written "20000" or "20k".
type Count int64

// ParseDuration reads a Go duration with a unit. Negative durations are
// refused, and so is anything over 1000 h.
func ParseDuration(s string) (time.Duration, error) {
	if _, err := strconv.ParseFloat(s, 64); err == nil && s != "0" {
		return 0, errorf("%q has no unit: write for example %sms or %ss", s, s, s)
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errorf("%q is not a duration: write for example 500ms, 5s or 1h30m", s)
	}
	if d < 0 {
		return 0, errorf("%q is negative: a duration is zero or more", s)
	}
	if d > 1000*time.Hour {
		return 0, errorf("%q is longer than 1000h", s)
	}
	return d, nil
}

// ParseRate reads "500/s", "30/m", "2k/s" or "100/h".
func ParseRate(s string) (Rate, error) {
	num, per, ok := strings.Cut(s, "/")
	if !ok {
		return 0, errorf("%q is not a rate: write for example 500/s or 30/m", s)
	}
	v, err := parseScaled(strings.TrimSpace(num))
	if err != nil {
		return 0, errorf("%q is not a rate: write for example 500/s or 30/m", s)
	}
	switch strings.TrimSpace(per) {
	case "s":
	case "m", "min":
		v /= 60
	case "h":
		v /= 3600
	default:
		return 0, errorf("%q is not a rate: per what? write /s, /m or /h", s)
	}
	return Rate(v), nil
}

// ParseShare reads a percentage from "0%" to "100%".
func ParseShare(s string) (Share, error) {
	num, ok := strings.CutSuffix(s, "%")
	if !ok {
		return 0, errorf("%q is not a share: write a percentage, for example 99%%", s)
	}
	num = strings.TrimSpace(num)
	if _, err := parsePlain(num); err != nil {
		return 0, errorf("%q is not a share: write a percentage, for example 99%%", s)
	}
	// Scaling in decimal keeps 99.9% the float nearest to 0.999.
	v, err := strconv.ParseFloat(num+"e-2", 64)
	if err != nil || v > 1 {
		return 0, errorf("%q is not between 0%% and 100%%", s)
	}
	return Share(v), nil
}

var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"kB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
}

// ParseSize reads "16KiB", "1MiB", "500B", "20kB".
func ParseSize(s string) (Size, error) {
	for _, u := range sizeUnits {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := parsePlain(strings.TrimSpace(num))
		if err != nil || v*u.factor > maxCount {
			break
		}
		return Size(math.Round(v * u.factor)), nil
	}
	return 0, errorf("%q is not a size: write for example 500B, 16KiB or 1MiB", s)
}

// ParseCount reads a whole number with an optional k or M: "200", "20k", "1.5M".
func ParseCount(s string) (Count, error) {
	v, err := parseScaled(s)
	if err != nil || v != math.Trunc(v) {
		return 0, errorf("%q is not a count: write for example 200 or 20k", s)
	}
	return Count(v), nil
}

func parseScaled(s string) (float64, error) {
	factor := 1.0
	if rest, ok := strings.CutSuffix(s, "k"); ok {
		s, factor = rest, 1e3
	} else if rest, ok := strings.CutSuffix(s, "M"); ok {
		s, factor = rest, 1e6
	}
	v, err := parsePlain(s)
	if err != nil {
		return 0, err
	}
	if factor == 1 {
		return v, nil
	}
	// 1.1k must be 1100, not 1100.0000000000002.
	return math.Round(v*factor*1e6) / 1e6, nil
}

// parsePlain refuses what strconv accepts but a person did not mean: signs,
// hexadecimal, exponents, underscores, NaN and infinities.
func parsePlain(s string) (float64, error) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, errorf("%q is not a number", s)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v > maxCount {
		return 0, errorf("%q is not a number in range", s)
	}
	return v, nil
}
