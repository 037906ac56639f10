package report

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

//go:embed assets/tune.html
var tuneSource string

// tunePage is what the template of an experiment sees.
type tunePage struct {
	E *tune.Experiment
	W *words.Words
	T tuneWords
	webpage.Head
	Class, Rounds string
	Effects       string
	Warnings      []string
	Note          string
	Medians       [][]string
	Arms          []tuneArm
	Metrics       []tuneMetric
	Same          string
	Published     [][]string
}

type tuneArm struct {
	Cells  []string
	Judged string
}

// tuneMetric is one of the small multiples: all variants on one scale.
type tuneMetric struct {
	Name, Scale string
	Rows        []tuneEffect
}

// tuneEffect is a change and its interval, places in a drawing 400 wide whose
// middle is no change.
type tuneEffect struct {
	Arm, Class, Change, Interval, Verdict, Needs string
	At, From, To, MarginX, MarginWidth           string
	Bounded                                      bool
}

// WriteTuneHTML writes an experiment as one page that needs nothing else. It has
// no script, and its policy forbids all.
func WriteTuneHTML(e *tune.Experiment, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := tuneView{e: e, w: w, t: tuneWordsIn(w.Lang)}
	p := tunePage{
		E: e, W: w, T: v.t, Class: e.Verdict, Rounds: v.rounds(), Effects: v.effectsTitle(), Warnings: v.warnings(), Note: v.note(), Medians: v.medians(), Metrics: v.multiples(),
	}
	for i := range e.Arms {
		p.Arms = append(p.Arms, tuneArm{p.Medians[i+1], v.verdicts(&e.Arms[i])})
	}
	_, p.Same = v.effects()
	p.Published = v.published()
	p.Head = webpage.HeadOf(e.Scenario, v.t.Title, w)
	return webpage.Write(tuneSource, w, p, out)
}

// multiples has a row of variants for every metric in which one of them may
// differ; what is the same in all is a sentence (see effects).
func (v *tuneView) multiples() (out []tuneMetric) {
	for _, m := range tune.Metrics() {
		var rows []tuneEffect
		scale := newEffectScale(v.e, m)
		same := true
		for i := range v.e.Arms {
			x := v.e.Arms[i].EffectOf(m.Name)
			if x == nil {
				continue
			}
			same = same && x.Verdict == "equivalent"
			row := tuneEffect{
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
			out = append(out, tuneMetric{v.metric(m.Name), scale.text(v, m), rows})
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
func (s effectScale) text(v *tuneView, m tune.Metric) string {
	ends := []string{figure.Change(new(-s.most), m.Unit), figure.Change(new(s.most), m.Unit)}
	good := []string{v.w.Word("better"), v.w.Word("worse")}
	if m.HigherIsBetter {
		slices.Reverse(good)
	}
	return strings.Join([]string{ends[0], good[0], "|", good[1], ends[1]}, " ")
}
