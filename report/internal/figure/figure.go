// Package figure prints the numbers of results: each in the digits and the unit that it
// has everywhere.
package figure

import (
	"math"
	"strings"

	"github.com/cstest/cstest/unit"
)

// Duration prints nanoseconds.
func Duration(ns int64) string { return unit.Duration(ns).Text() }

// Seconds prints a time that is in seconds.
func Seconds(s float64) string { return unit.Duration(math.Round(s * 1e9)).Text() }

// Share prints a part of one as percent.
func Share(v float64) string { return unit.Share(v).Text() }

// Whole prints a count.
func Whole(n int64) string { return unit.Count(n).Text() }

// Size prints bytes.
func Size(n int64) string { return unit.Size(n).Text() }

// NotEnough stands where a quantile has too few samples.
const NotEnough = "n/a"

// In prints v in the unit that a metric has; what is not known is a dash.
func In(v *float64, in string) string {
	if v == nil {
		return "–"
	}
	switch in {
	case "ns":
		return Duration(int64(*v))
	case "share":
		return Share(*v)
	case "us":
		return unit.Duration(*v * 1e3).Text()
	}
	return unit.Rate(*v).Text()
}

// Change prints an effect: percent for times and rates, points for shares.
func Change(v *float64, in string) string {
	if v == nil {
		return "–"
	}
	s := unit.Share(*v).Signed()
	if in == "share" {
		return strings.TrimSuffix(s, "%") + "pp"
	}
	return s
}
