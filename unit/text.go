package unit

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// What String writes is read back by Parse; what Text writes is for people: three
// significant digits, never a something rounded to nothing, and the same value
// reads the same wherever it stands. In a column all are in one unit.

// Text shows a duration: "0 s", "870 ns", "38 µs", "9.87 ms", "1.25 s", from a minute on in
// whole seconds: "1 min 50 s", "2 h 5 min".
func (d Duration) Text() string {
	switch v := float64(d); {
	case v == 0:
		return "0 s"
	case v < 0:
		return "-" + max(-d, -(d+1)).Text() // the least has no negative
	case v >= minuteFrom:
		return long(time.Duration(d))
	default:
		return scaleOf(v, timeScales).show(v)
	}
}

// minuteFrom is what reads as 60 s with three digits.
const minuteFrom = 59.95e9

// long shows hours, minutes and seconds, those that are there.
func long(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	var parts []string
	for _, p := range []struct {
		n    int64
		name string
	}{{s / 3600, " h"}, {s / 60 % 60, " min"}, {s % 60, " s"}} {
		if p.n > 0 {
			parts = append(parts, grouped(strconv.FormatInt(p.n, 10))+p.name)
		}
	}
	return strings.Join(parts, " ")
}

// Text shows a share in percent: "1.3 %", "99.21 %", "0.0042 %". Of what is nearly
// nothing and of what is nearly everything two digits are left.
func (s Share) Text() string {
	if !finite(float64(s)) {
		return none
	}
	return digits(100*float64(s), s.places()) + " %"
}

// Signed shows a change in percent, with its sign: "+12.3 %", "-0.4 %".
func (s Share) Signed() string {
	if v := float64(s); finite(v) && v > 0 {
		return "+" + Share(v).change()
	}
	return s.change()
}

func (s Share) change() string { return Figure(100*float64(s)) + " %" }

// places is how many decimals tell the share from 0 % and from 100 %.
func (s Share) places() int {
	rest := math.Min(math.Abs(float64(s)), math.Abs(1-float64(s)))
	if rest == 0 || rest >= 0.001 {
		return 2
	}
	return min(-int(math.Floor(math.Log10(100*rest)))+1, mostPlaces)
}

// Text shows a number of things in groups of three: "12,345".
func (c Count) Text() string { return grouped(strconv.FormatInt(int64(c), 10)) }

// Text shows a rate: "0.5/s", "450/s", "4,470/s".
func (r Rate) Text() string {
	if !finite(float64(r)) {
		return none
	}
	return Figure(float64(r)) + "/s"
}

// Text shows a size in binary units: "500 B", "1.5 MiB".
func (s Size) Text() string {
	if s < 0 {
		return "-" + max(-s, -(s+1)).Text()
	}
	return scaleOf(float64(s), sizeScales).show(float64(s))
}

// Figure shows a bare number with three significant digits: "0.043", "1.25",
// "4,470". One that is no number is a dash.
func Figure(v float64) string {
	if !finite(v) {
		return none
	}
	return digits(v, places(v))
}

// Factor shows how many times as much: "1.2×", at most ">999×".
func Factor(v float64) string {
	switch {
	case !finite(v):
		return none
	case v >= 999.5:
		return ">999×"
	}
	p := places(v)
	if p > 1 {
		p = max(1, p-2)
	}
	return digits(v, p) + "×"
}

// Clock shows an offset in whole seconds: "00:48", "1:02:03".
func Clock(d time.Duration) string {
	s := int64(max(d, 0) / time.Second)
	two := func(v int64) string { return string([]byte{byte('0' + v/10), byte('0' + v%10)}) }
	if h := s / 3600; h > 0 {
		return strconv.FormatInt(h, 10) + ":" + two(s/60%60) + ":" + two(s%60)
	}
	return two(s/60) + ":" + two(s%60)
}

const (
	none       = "–" // shown for what is not known
	mostPlaces = 9
)

// scale is a unit to show values in, and from which value on.
type scale struct {
	from, factor float64
	name         string
}

var timeScales = []scale{{999.5e6, 1e9, " s"}, {999.5e3, 1e6, " ms"}, {999.5, 1e3, " µs"}, {0, 1, " ns"}}

var sizeScales = []scale{{1023.5 * (1 << 30), 1 << 40, " TiB"}, {1023.5 * (1 << 20), 1 << 30, " GiB"}, {1023.5 * (1 << 10), 1 << 20, " MiB"}, {1023.5, 1 << 10, " KiB"}, {0, 1, " B"}}

func scaleOf(v float64, scales []scale) scale {
	for _, s := range scales {
		if v >= s.from {
			return s
		}
	}
	return scales[len(scales)-1]
}

// show gives v in the scale, with three significant digits of v.
func (s scale) show(v float64) string { return digits(v/s.factor, places(v/s.factor)) + s.name }

// roundsUp is from where on, in decades, a number rounds up to the next with three
// digits: 9.995.
const roundsUp = 2.17e-4

// places is how many decimals three significant digits of v take.
func places(v float64) int {
	v = math.Abs(v)
	switch {
	case v == 0 || v >= 99.95:
		return 0
	case v >= 9.995:
		return 1
	}
	return min(2-int(math.Floor(math.Log10(v)+roundsUp)), mostPlaces)
}

// digits prints v with so many decimals, without needless zeros, in groups of three.
func digits(v float64, places int) string {
	return grouped(trimZeros(strconv.FormatFloat(v, 'f', places, 64)))
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// grouped puts a comma between groups of three digits before the point.
func grouped(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	least := 0
	if strings.HasPrefix(whole, "-") {
		least = 1
	}
	for i := len(whole) - 3; i > least; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
