package report

import (
	_ "embed" // the page's parts
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/trend"
)

//go:embed assets/trend.html
var trendSource string

// trendPage is what the template of a trend sees.
type trendPage struct {
	T *trend.Trend
	W *words.Words
	S trendWords
	webpage.Head
	Count   string
	Changes []trendChange
	Notes   []string
	Charts  []trendChart
	Rows    [][]string
}

// WriteTrendHTML writes a trend as one page that needs nothing else. It has no
// script, and its policy forbids all.
func WriteTrendHTML(t *trend.Trend, out io.Writer, lang reason.Lang) error {
	v := newTrendView(t, lang)
	p := trendPage{
		T: t, W: v.w, S: v.s, Count: fmt.Sprintf(v.s.RunsF, figure.Whole(int64(len(t.Runs)))), Changes: v.changes(),
		Notes: append(words.Texts(t.Notes, t.NoteCodes, lang), v.s.Note), Rows: [][]string{v.head(v.all())},
	}
	for i := range t.Runs {
		p.Rows = append(p.Rows, v.row(i, v.all()))
	}
	for i := range t.Series {
		p.Charts = append(p.Charts, v.chart(&t.Series[i]))
	}
	p.Head = webpage.HeadOf(t.Scenario.Name, v.s.Title, v.w)
	return webpage.Write(trendSource, v.w, p, out)
}

// trendChart draws a metric over the runs, 800 wide and 150 high, with the median
// of each level.
type trendChart struct {
	Title   string
	Rows    []webpage.Tick
	Columns []webpage.Tick
	Points  []webpage.Point
	Levels  []trendLevel
	Steps   []webpage.Point // where a level begins
}

type trendLevel struct{ From, To, Y string }

// The plot within the drawing.
const (
	trendLeft, trendRight = 120.0, 780.0
	trendTop, trendBottom = 12.0, 126.0
)

func (v *trendView) chart(s *trend.Series) trendChart {
	c := trendChart{Title: v.w.Word(s.Metric)}
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range s.Values {
		if p != nil {
			low, high = min(low, *p), max(high, *p)
		}
	}
	if s.Unit != "share" {
		low = 0 // a rate or a time that doubles shall look it
	}
	if high <= low {
		low = high - max(math.Abs(high)*0.01, 1e-9)
	}
	x := func(i int) float64 {
		return trendLeft + (float64(i)+0.5)/float64(len(s.Values))*(trendRight-trendLeft)
	}
	y := func(f float64) float64 {
		return trendBottom - (f-low)/((high-low)*1.1)*(trendBottom-trendTop)
	}
	for i, p := range s.Values {
		if p == nil {
			continue
		}
		r := &v.t.Runs[i]
		c.Points = append(c.Points, webpage.Point{X: webpage.Pixel(x(i)), Y: webpage.Pixel(y(*p)), Class: r.Verdict, Label: strings.Join([]string{when(r.StartedAt), v.name(r), figure.In(p, s.Unit), v.w.Word(r.Verdict)}, " · ")})
	}
	for _, part := range []float64{0, 1} {
		f := low + (high-low)*part
		c.Rows = append(c.Rows, webpage.Tick{At: webpage.Pixel(y(f)), Text: webpage.Pixel(y(f) + 4), Label: figure.In(&f, s.Unit)})
	}
	for _, i := range namedRuns(len(s.Values)) {
		c.Columns = append(c.Columns, webpage.Tick{At: webpage.Pixel(x(i)), Label: escape.Fit(v.name(&v.t.Runs[i]), 12)})
	}
	for i, step := range s.Changes {
		to := trendRight
		if i+1 < len(s.Changes) {
			to = x(s.Changes[i+1].Run) - 2
		}
		if i == 0 {
			c.Levels = append(c.Levels, trendLevel{webpage.Pixel(trendLeft), webpage.Pixel(x(step.Run) - 2), webpage.Pixel(y(step.Before))})
		}
		c.Levels = append(c.Levels, trendLevel{webpage.Pixel(x(step.Run) - 2), webpage.Pixel(to), webpage.Pixel(y(step.After))})
		c.Steps = append(c.Steps, webpage.Point{X: webpage.Pixel(x(step.Run) - 2), Class: step.Verdict, Label: figure.Change(step.Effect, s.Unit)})
	}
	return c
}

// namedRuns are the runs that are named below a drawing: at most six, spread evenly.
func namedRuns(n int) (out []int) {
	step := max(1, (n+5)/6)
	for i := 0; i < n; i += step {
		out = append(out, i)
	}
	return out
}
