package experiments

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/tune"
)

// Effect is what a variant changes in a metric as far as is known, in cells to be
// shown while the experiment goes on. Metric is empty below the first of each metric.
// Code is the verdict as in tune.json, empty of the baseline.
type Effect struct {
	Metric, Variant, Measured            string
	Change, Bounds, Verdict, Needs, Code string
}

// Effects are all that e knows of its variants so far, by metric, the baseline
// first and the control last; none of a metric that nothing was measured of.
func Effects(e *tune.Experiment, lang reason.Lang) (out []Effect) {
	w := words.In(lang)
	v := view{e: e, w: w, t: textsIn(w.Lang)}
	for k, m := range tune.Metrics() {
		label := v.metric(m.Name)
		for i := range e.Arms {
			a := &e.Arms[i]
			if k >= len(a.Figures) || a.Figures[k].Median == nil {
				continue
			}
			row := Effect{Metric: label, Variant: v.name(a), Measured: figureOf(a.Figures[k].Median, m.Unit)}
			if x := a.EffectOf(m.Name); x != nil {
				if v.e.Stepwise && !a.Control {
					row.Variant = "→ " + row.Variant // from the one above
				}
				row.Change, row.Bounds, row.Verdict, row.Needs, row.Code = figure.Change(x.Change, x.Unit), v.interval(x), v.verdict(x), v.needs(x), x.Verdict
				if row.Needs != "" {
					row.Needs = v.t.Needs + " " + row.Needs
				}
			}
			label = ""
			out = append(out, row)
		}
	}
	return out
}

// Arm names an arm of a plan as the tables do; clean takes out of a variant's name
// what may not be shown.
func Arm(p *tune.Plan, arm int, lang reason.Lang, clean func(string) string) string {
	if p.Arms[arm].Control {
		return textsIn(lang).Again
	}
	return escape.Clean(clean(p.Arms[arm].Variant.Name()))
}
