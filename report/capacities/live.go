package capacities

import (
	"strconv"
	"strings"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/unit"
)

// Progress is a line on a probe that has just been made.
func Progress(p capacity.Probe, n int, lang reason.Lang) string {
	w := words.In(lang)
	v := view{r: &capacity.Result{Probes: []capacity.Probe{p}}, w: w, t: textsIn(w.Lang)}
	row := v.probes(false)[1]
	parts := []string{v.t.Probe + " " + strconv.Itoa(n), row[0] + " " + v.t.StartsPerS, row[1] + " " + v.t.TurnsPerS, "P99 " + row[2], v.t.Bad + " " + row[3], row[len(row)-1]}
	return strings.Join(append(parts, brokeOf(p, lang)...), " · ")
}

// Asked is the load that a probe asks for.
func Asked(starts float64, lang reason.Lang) string {
	return unit.Figure(starts) + " " + textsIn(lang).StartsPerS
}

// Verdict is what a probe showed, in a word, and what was not met or ran out.
func Verdict(p capacity.Probe, lang reason.Lang) (verdict, broke string) {
	w := words.In(lang)
	v := view{w: w, t: textsIn(w.Lang)}
	return v.outcome(p.Outcome), strings.Join(brokeOf(p, lang), " · ")
}

// brokeOf is what a probe did not meet, and what was seen to run out.
func brokeOf(p capacity.Probe, lang reason.Lang) (out []string) {
	for _, name := range p.Limits {
		out = append(out, escape.Clean(name))
	}
	return append(out, p.Signs.Texts(lang)...)
}
