package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// duration prints ns with three significant digits and a unit fit to read.
func duration(ns int64) string {
	v := float64(ns)
	switch {
	case v < 0:
		return "-" + duration(max(-ns, -(ns+1))) // the least int64 has no negative
	case v < 999.5e3:
		return digits(v/1e3) + " µs"
	case v < 999.5e6:
		return digits(v/1e6) + " ms"
	case v < 600e9:
		return digits(v/1e9) + " s"
	}
	return (time.Duration(ns).Round(time.Second)).String()
}

// digits prints v with three significant digits, without needless zeros.
func digits(v float64) string {
	places := 0
	switch {
	case v < 9.995:
		places = 2
	case v < 99.95:
		places = 1
	}
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// seconds prints seconds to the tenth.
func seconds(s float64) string {
	if s >= 600 {
		return time.Duration(math.Round(s) * 1e9).String()
	}
	return strings.TrimSuffix(strconv.FormatFloat(s, 'f', 1, 64), ".0") + " s"
}

func optionalSeconds(s *float64, none string) string {
	if s == nil {
		return none
	}
	return seconds(*s)
}

// share prints a share in percent, with as many digits as tell it from 100 %.
func share(v float64) string {
	places := 2
	if rest := 1 - v; rest > 0 && rest < 0.0001 {
		places = 4
	}
	s := strconv.FormatFloat(v*100, 'f', places, 64)
	if v < 1 && strings.HasPrefix(s, "100") {
		s = "99.9999" // never round a failure away
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".") + " %"
}

// sharePrecise keeps two decimals, for columns.
func sharePrecise(v float64) string {
	s := strconv.FormatFloat(v*100, 'f', 2, 64)
	if v < 1 && s == "100.00" {
		s = "99.99"
	}
	return s + " %"
}

// whole prints an integer with thousands separators.
func whole(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size prints bytes in binary units.
func size(n int64) string {
	v, unit := float64(n), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1023.5 {
			break
		}
		v, unit = v/1024, u
	}
	return digits(v) + " " + unit
}

// quantity prints a figure of an objective in its unit.
func quantity(v *float64, unit string, w *words) string {
	if v == nil {
		return w.Unknown
	}
	switch unit {
	case "share":
		return share(*v)
	case "ns":
		return duration(int64(*v))
	case "s":
		return seconds(*v)
	}
	if *v == math.Trunc(*v) && math.Abs(*v) < 1e15 {
		return whole(int64(*v))
	}
	return strconv.FormatFloat(*v, 'f', 3, 64)
}

// notEnough stands where a quantile has too few samples.
const notEnough = "n/a"

// quantile prints one quantile: its value, ∞, or n/a with too few samples.
func quantile(q Quantiles, at float64, v *int64) string {
	switch {
	case v != nil:
		return duration(*v)
	case q.N == 0:
		return "–"
	case at > q.FiniteShare && q.N >= needs(at):
		return "∞"
	}
	return notEnough
}

// quantileRow is n, mean, P50 … P99.9 and max as text.
func quantileRow(q Quantiles) []string {
	meanText, maxText := "–", "–"
	if q.MeanNs != nil {
		meanText = duration(*q.MeanNs)
	} else if q.N > 0 {
		meanText = "∞"
	}
	if q.MaxNs != nil {
		maxText = duration(*q.MaxNs)
	} else if q.N > 0 {
		maxText = "∞"
	}
	return []string{
		whole(q.N), meanText, quantile(q, .5, q.P50Ns), quantile(q, .9, q.P90Ns), quantile(q, .95, q.P95Ns),
		quantile(q, .99, q.P99Ns), quantile(q, .999, q.P999Ns), maxText,
	}
}

// needsNote says how many samples the quantiles take that are n/a in a table,
// "" when none is.
func needsNote(rows []latencyRow, w *words) string {
	var out []string
	for i, at := range []float64{.5, .9, .95, .99, .999} {
		for _, r := range rows {
			if quantileRow(r.q)[i+2] == notEnough {
				out = append(out, fmt.Sprintf("P%s: %s", strconv.FormatFloat(at*100, 'f', -1, 64), whole(needs(at))))
				break
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return notEnough + " – " + w.Needs + " " + strings.Join(out, ", ")
}

// timeOfDay prints when the run began.
func timeOfDay(d *Document) string {
	t := d.Started()
	if t.IsZero() {
		return Clean(d.StartedAt)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
