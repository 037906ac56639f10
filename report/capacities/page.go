package capacities

import (
	_ "embed" // the page's parts
	"fmt"
	"io"
	"math"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/unit"
)

//go:embed page.html
var source string

// page is what the template of a search sees.
type page struct {
	R *capacity.Result
	W *words.Words
	T texts
	webpage.Head
	Count    string
	Answer   []string
	Warnings []string
	Charts   []kneeChart
	Rows     [][]string
}

// writeHTML writes a search as one page that needs nothing else. It has
// no script, and its policy forbids all.
func writeHTML(r *capacity.Result, out io.Writer, lang reason.Lang) error {
	w := words.In(lang)
	v := view{r: r, w: w, t: textsIn(w.Lang)}
	p := page{
		R: r, W: w, T: v.t, Count: fmt.Sprintf(v.t.ProbesF, figure.Whole(int64(len(r.Probes)))), Answer: v.answer(), Warnings: v.warnings(), Rows: v.probes(false),
	}
	for _, c := range []kneeChart{v.chart("P99", figure.Duration, p99OfProbe), v.chart(v.t.Bad, badOfProbe, badShareOfProbe), v.chart(v.t.Wrong, badOfProbe, wrongShareOfProbe)} {
		if len(c.Points) > 0 {
			p.Charts = append(p.Charts, c)
		}
	}
	p.Head = webpage.HeadOf(r.Scenario, v.t.Load, w)
	return webpage.Write(source, w, p, out)
}

// p99OfProbe is infinite where so many turns failed that no time holds 99 %.
func p99OfProbe(p *capacity.Probe) (float64, bool) {
	switch {
	case p.P99Ns != nil:
		return float64(*p.P99Ns), true
	case p.P99Infinite:
		return math.Inf(1), true
	}
	return 0, false
}

// badParts are the steps of a share that is drawn.
const badParts = 1e6

func badOfProbe(n int64) string { return figure.Share(float64(n) / badParts) }

func badShareOfProbe(p *capacity.Probe) (float64, bool) {
	if p.BadShare == nil {
		return 0, false
	}
	return *p.BadShare * badParts, true
}

func wrongShareOfProbe(p *capacity.Probe) (float64, bool) {
	if p.Wrong == nil {
		return 0, false
	}
	return *p.Wrong * badParts, true
}

// kneeChart draws a figure of every probe over the load, 800 wide and 220 high.
type kneeChart struct {
	Title         string
	Rows, Columns []webpage.Tick
	Edge          string // between what holds and what does not; "" without
	Points        []webpage.Point
}

// The plot within the drawing.
const (
	kneeLeft, kneeRight = 90.0, 780.0
	kneeTop, kneeBottom = 10.0, 196.0
)

// chart places the probes of which both the load and the figure are known; an
// infinite figure stands above all others.
func (v *view) chart(title string, text func(int64) string, of func(*capacity.Probe) (float64, bool)) kneeChart {
	c := kneeChart{Title: title}
	turns, most, infinite := 0.0, 1.0, false
	for i := range v.r.Probes {
		p := &v.r.Probes[i]
		f, known := of(p)
		switch {
		case p.Turns == nil || !known:
			continue
		case math.IsInf(f, 1):
			infinite = true
		default:
			most = max(most, f)
		}
		turns = max(turns, *p.Turns)
	}
	if turns <= 0 {
		return c
	}
	x := func(t float64) float64 { return kneeLeft + t/(turns*1.05)*(kneeRight-kneeLeft) }
	y := func(f float64) float64 {
		if math.IsInf(f, 1) {
			return kneeTop
		}
		return kneeBottom - f/(most*1.15)*(kneeBottom-kneeTop)
	}
	for i := range v.r.Probes {
		p := &v.r.Probes[i]
		f, known := of(p)
		if p.Turns == nil || !known {
			continue
		}
		value := "∞"
		if !math.IsInf(f, 1) {
			value = text(int64(f))
		}
		c.Points = append(c.Points, webpage.Point{
			X: webpage.Pixel(x(*p.Turns)), Y: webpage.Pixel(y(f)), Class: string(p.Outcome),
			Label: fmt.Sprintf("%s %s · %s %s · %s", unit.Figure(*p.Turns), v.t.TurnsPerS, title, value, v.outcome(p.Outcome)),
		})
	}
	for _, part := range []float64{0, 0.5, 1} {
		c.Rows = append(c.Rows, webpage.Tick{At: webpage.Pixel(y(most * part)), Text: webpage.Pixel(y(most*part) + 4), Label: text(int64(most * part))})
	}
	if infinite {
		c.Rows = append(c.Rows, webpage.Tick{At: webpage.Pixel(kneeTop), Text: webpage.Pixel(kneeTop + 4), Label: "∞"})
	}
	for _, part := range []float64{0, 0.25, 0.5, 0.75, 1} {
		c.Columns = append(c.Columns, webpage.Tick{At: webpage.Pixel(x(turns * part)), Label: unit.Figure(math.Round(turns * part))})
	}
	if v.r.Holds != nil && v.r.Breaks != nil {
		c.Edge = webpage.Pixel(x((v.r.Holds.Turns + v.r.Breaks.Turns) / 2))
	}
	return c
}
