package trends

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

//go:embed page.html
var source string

// page is what the template of a trend sees.
type page struct {
	T *trend.Trend
	W *words.Words
	S texts
	webpage.Head
	Count   string
	Changes []change
	Notes   []string
	Charts  []chart
	Rows    [][]string
}

// WriteHTML writes a trend as one page that needs nothing else. It has no
// script, and its policy forbids all.
func WriteHTML(t *trend.Trend, out io.Writer, lang reason.Lang) error {
	v := newView(t, lang)
	p := page{
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
	return webpage.Write(source, v.w, p, out)
}

// chart draws a metric over the runs, 800 wide and 150 high, with the median
// of each level.
type chart struct {
	Title   string
	Rows    []webpage.Tick
	Columns []webpage.Tick
	Points  []webpage.Point
	Levels  []level
	Steps   []webpage.Point // where a level begins
}

type level struct{ From, To, Y string }

// The plot within the drawing.
const (
	left, right = 120.0, 780.0
	top, bottom = 12.0, 126.0
)

func (v *view) chart(s *trend.Series) chart {
	c := chart{Title: v.w.Word(s.Metric)}
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
		return left + (float64(i)+0.5)/float64(len(s.Values))*(right-left)
	}
	y := func(f float64) float64 {
		return bottom - (f-low)/((high-low)*1.1)*(bottom-top)
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
		to := right
		if i+1 < len(s.Changes) {
			to = x(s.Changes[i+1].Run) - 2
		}
		if i == 0 {
			c.Levels = append(c.Levels, level{webpage.Pixel(left), webpage.Pixel(x(step.Run) - 2), webpage.Pixel(y(step.Before))})
		}
		c.Levels = append(c.Levels, level{webpage.Pixel(x(step.Run) - 2), webpage.Pixel(to), webpage.Pixel(y(step.After))})
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
