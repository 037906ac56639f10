package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// WriteComparison prints a comparison for a terminal or a log, the verdict first.
func WriteComparison(c *result.Comparison, out io.Writer, opts TextOptions) error {
	t := newText(out, opts)
	w := t.words
	mark, sgr := "?", yellow
	switch c.Verdict {
	case "worse":
		mark, sgr = "✗", red
	case "better", "equivalent":
		mark, sgr = "✓", green
	}
	t.line("")
	t.line(t.paint(mark+" "+strings.ToUpper(w.word(c.Verdict)), bold+";"+sgr))
	for _, side := range []struct {
		name string
		runs []result.RunRef
	}{{w.Baseline, c.A}, {w.Candidate, c.B}} {
		for _, r := range side.runs {
			t.line(fit(side.name+"  "+r.Scenario+" · "+r.RunID+" · "+w.word(r.Verdict), t.room()))
		}
	}
	if !c.NoiseKnown {
		t.wrapped("! ", w.NoiseUnknown, yellow)
	}
	t.heading(w.Compare)
	rows := [][]string{{"", w.Baseline, w.Candidate, w.Change, w.Interval, w.Verdict}}
	for _, d := range c.Differences {
		rows = append(rows, []string{w.word(d.Metric), figure(d.A, d.Unit), figure(d.B, d.Unit), change(d.Effect, d.Unit), between(d), w.word(d.Verdict)})
	}
	t.table(rows)
	if len(c.Objectives) > 0 {
		t.heading(w.Objectives)
		for _, o := range c.Objectives {
			t.line(fit(o.Name+w.Colon+w.word(o.A)+" → "+w.word(o.B), t.room()))
		}
	}
	for i, n := range inLanguage(c.Notes, c.NoteCodes, w.lang) {
		if i == 0 {
			t.line("")
		}
		t.wrapped("- ", n, dim)
	}
	t.line("")
	return t.out.Flush()
}

// WriteComparisonJSON writes c as indented JSON.
func WriteComparisonJSON(c *result.Comparison, out io.Writer) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("comparison: %w", err)
	}
	return writeJSON(b, out)
}

func figure(v *float64, in string) string {
	if v == nil {
		return "–"
	}
	switch in {
	case "ns":
		return duration(int64(*v))
	case "share":
		return share(*v)
	case "us":
		return unit.Duration(*v * 1e3).Text()
	}
	return unit.Rate(*v).Text()
}

// change prints an effect: percent for times and rates, points for shares.
func change(v *float64, in string) string {
	if v == nil {
		return "–"
	}
	s := unit.Share(*v).Signed()
	if in == "share" {
		return strings.TrimSuffix(s, "%") + "pp"
	}
	return s
}

func between(d result.Difference) string {
	if d.Lower == nil || d.Upper == nil {
		return "–"
	}
	return change(d.Lower, d.Unit) + " … " + change(d.Upper, d.Unit)
}
