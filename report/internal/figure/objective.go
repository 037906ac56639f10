package figure

import (
	"fmt"
	"math"

	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// Measured is what came of an objective.
func Measured(o result.Objective, w *words.Words) string {
	if o.Verdict == "not_verified" && o.N == 0 {
		return "–"
	}
	return quantity(o.Measured, o.Unit, w)
}

// Budget is what it allows.
func Budget(o result.Objective, w *words.Words) string {
	if o.Unit == "count" && o.Target != nil && *o.Target == 0 {
		return "0"
	}
	sign := "≤ "
	if o.Unit == "share" {
		sign = "≥ "
	}
	out := sign + quantity(Allowed(o), o.Unit, w)
	if o.Unit == "share" && o.LimitNs != nil {
		return fmt.Sprintf(w.WithinF, out, Duration(*o.LimitNs))
	}
	return out
}

// Bounds are those of a share that was measured; empty of anything else.
func Bounds(o result.Objective) string {
	if o.Unit != "share" || o.Lower == nil || o.Upper == nil || o.N == 0 {
		return ""
	}
	return Share(*o.Lower) + " – " + Share(*o.Upper)
}

// quantity prints a figure of an objective in its unit.
func quantity(v *float64, in string, w *words.Words) string {
	if v == nil {
		return w.Unknown
	}
	switch in {
	case "share":
		return Share(*v)
	case "ns":
		return Duration(int64(*v))
	case "s":
		return Seconds(*v)
	}
	if *v == math.Trunc(*v) && math.Abs(*v) < 1e15 {
		return Whole(int64(*v))
	}
	return unit.Figure(*v)
}

// Allowed is what an objective allows in its unit: its limit when that is a
// time, else its target.
func Allowed(o result.Objective) *float64 {
	if o.LimitNs == nil {
		return o.Target
	}
	v := float64(*o.LimitNs)
	switch o.Unit {
	case "ns":
		return &v
	case "s":
		v /= 1e9
		return &v
	}
	return o.Target
}
