// Package ci writes a result in the formats that CI systems read: JUnit, and those in
// which they compare runs: GitLab's metrics report and load performance widget,
// github-action-benchmark, benchstat, and annotations of GitHub's.
package ci

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/cstest/cstest/result"
)

// gauge is a number of a run, the smaller the better.
type gauge struct {
	name  string // words of lower case, digits and _
	unit  string // ms, s, share or count
	value float64
}

// figures are the numbers of a result that are worth comparing: quantiles of the
// response time, and what each objective counted as bad. What is not known is left
// out.
func figures(d *result.Document) (list []gauge) {
	q := &d.Latency.Response
	for _, f := range []struct {
		name string
		ns   *int64
	}{{"p50", q.P50Ns}, {"p90", q.P90Ns}, {"p95", q.P95Ns}, {"p99", q.P99Ns}, {"p999", q.P999Ns}} {
		if f.ns != nil {
			list = append(list, gauge{"response_" + f.name, "ms", float64(*f.ns) / 1e6})
		}
	}
	for i := range d.Objectives {
		o := &d.Objectives[i]
		f := gauge{name: word(o.Name), unit: o.Unit}
		switch {
		case o.Measured == nil:
			continue
		case o.Unit == "share": // of good ones
			f.name, f.value = f.name+"_bad", 1-*o.Measured
		case o.Unit == "ns":
			f.unit, f.value = "ms", *o.Measured/1e6
		default:
			f.value = *o.Measured
		}
		list = append(list, f)
	}
	return list
}

// word is a name in lower case, with _ for what is neither letter nor digit of ASCII.
func word(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '_'
	}, name), "_")
}

// number is a value as all of the formats take it.
func number(v float64) string { return fmt.Sprintf("%.6g", v) }

// line is a text on one line.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
