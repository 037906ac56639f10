package experiments

import (
	_ "embed" // the page's parts
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/tune"
)

//go:embed page.html
var source string

// page is what the template of an experiment sees.
type page struct {
	E *tune.Experiment
	W *words.Words
	T texts
	webpage.Head
	Class, Rounds string
	Effects       string
	Warnings      []string
	Note          string
	Medians       [][]string
	Arms          []armRow
	Metrics       []metricRows
	Same          string
	Published     [][]string
}

type armRow struct {
	Cells  []string
	Judged string
}

// metricRows is one of the small multiples: all variants on one scale.
type metricRows struct {
	Name, Scale string
	Rows        []effectRow
}

// effectRow is a change and its interval, places in a drawing 400 wide whose
// middle is no change.
type effectRow struct {
	Arm, Class, Change, Interval, Verdict, Needs string
	At, From, To, MarginX, MarginWidth           string
	Bounded                                      bool
}

// writeHTML writes an experiment as one page that needs nothing else. It has
// no script, and its policy forbids all.
func writeHTML(e *tune.Experiment, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := view{e: e, w: w, t: textsIn(w.Lang)}
	p := page{
		E: e, W: w, T: v.t, Class: e.Verdict, Rounds: v.rounds(), Effects: v.effectsTitle(), Warnings: v.warnings(), Note: v.note(), Medians: v.medians(), Metrics: v.multiples(),
	}
	for i := range e.Arms {
		p.Arms = append(p.Arms, armRow{p.Medians[i+1], v.verdicts(&e.Arms[i])})
	}
	_, p.Same = v.effects()
	p.Published = v.published()
	p.Head = webpage.HeadOf(e.Scenario, v.t.Title, w)
	return webpage.Write(source, w, p, out)
}

// multiples has a row of variants for every metric in which one of them may
// differ; what is the same in all is a sentence (see effects).
func (v *view) multiples() (out []metricRows) {
	for _, m := range tune.Metrics() {
		var rows []effectRow
		scale := newEffectScale(v.e, m)
		same := true
		for i := range v.e.Arms {
			x := v.e.Arms[i].EffectOf(m.Name)
			if x == nil {
				continue
			}
			same = same && x.Verdict == "equivalent"
			row := effectRow{
				Arm: v.comparison(&v.e.Arms[i]), Class: x.Verdict, Change: figure.Change(x.Change, x.Unit), Interval: v.interval(x),
				Verdict: v.verdict(x), Needs: v.needs(x), Bounded: x.Lower != nil && x.Upper != nil,
				At: scale.place(0), MarginX: scale.place(-m.Margin), MarginWidth: strconv.FormatFloat(2*m.Margin/scale.most*effectHalf, 'f', 1, 64),
			}
			if x.Change != nil {
				row.At = scale.place(*x.Change)
			}
			if row.Bounded {
				row.From, row.To = scale.place(*x.Lower), scale.place(*x.Upper)
			}
			rows = append(rows, row)
		}
		if len(rows) > 0 && !same {
			out = append(out, metricRows{v.metric(m.Name), scale.text(v, m), rows})
		}
	}
	return out
}

// effectHalf is the width of half a drawing, less room for a dot at its end.
const effectHalf = 192

// effectScale holds every change and bound of a metric, as far to the left of
// no change as to the right.
type effectScale struct{ most float64 }

func newEffectScale(e *tune.Experiment, m tune.Metric) effectScale {
	s := effectScale{most: 2 * m.Margin}
	for i := range e.Arms {
		if x := e.Arms[i].EffectOf(m.Name); x != nil {
			for _, p := range []*float64{x.Change, x.Lower, x.Upper} {
				if p != nil {
					s.most = max(s.most, math.Abs(*p))
				}
			}
		}
	}
	return s
}

func (s effectScale) place(v float64) string {
	return strconv.FormatFloat(200+v/s.most*effectHalf, 'f', 1, 64)
}

// text tells the ends of the scale, and which is the good one.
func (s effectScale) text(v *view, m tune.Metric) string {
	ends := []string{figure.Change(new(-s.most), m.Unit), figure.Change(new(s.most), m.Unit)}
	good := []string{v.w.Word("better"), v.w.Word("worse")}
	if m.HigherIsBetter {
		slices.Reverse(good)
	}
	return strings.Join([]string{ends[0], good[0], "|", good[1], ends[1]}, " ")
}
