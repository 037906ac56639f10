package report

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/markdown"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// observedWords are the texts about figures of other systems.
type observedWords struct{ Title, Least, At, SeenF string }

func observedWordsIn(lang reason.Lang) observedWords {
	if lang == reason.Chinese {
		return observedWords{"其他系统", "最小", "最大值时刻", "%s/%s 秒"}
	}
	return observedWords{"Other systems", "min", "max at", "%s of %s s"}
}

// observedTable has a row for each figure of other systems, under a head; nil without any.
func observedTable(d *result.Document, w *words.Words) [][]string {
	if len(d.Observed) == 0 {
		return nil
	}
	o := observedWordsIn(w.Lang)
	rows := [][]string{{o.Title, w.Mean, o.Least, w.Max, o.At, ""}}
	for _, f := range d.Observed {
		at := w.Unknown
		if f.MaxAtS != nil {
			at = figure.Seconds(float64(*f.MaxAtS))
		}
		seen := fmt.Sprintf(o.SeenF, figure.Whole(f.Seen), figure.Whole(f.Asked))
		if f.Error != "" {
			seen += w.Colon + f.Error
		}
		rows = append(rows, []string{f.Name, observedFigure(f.Mean, f.Unit, w), observedFigure(f.Min, f.Unit, w), observedFigure(f.Max, f.Unit, w), at, seen})
	}
	return rows
}

func observedFigure(v *float64, in string, w *words.Words) string {
	if v == nil {
		return w.Unknown
	}
	return strings.TrimSpace(unit.Figure(*v) + " " + in)
}

func (t *text) observed(d *result.Document) {
	if rows := observedTable(d, t.words); rows != nil {
		t.Heading(observedWordsIn(t.words.Lang).Title)
		rows[0][0] = ""
		t.Table(rows)
	}
}

func mdObserved(d *result.Document, w *words.Words, p func(string, ...any)) {
	rows := observedTable(d, w)
	if rows == nil {
		return
	}
	markdown.Head(p, rows[0], "lrrrrl")
	for _, row := range rows[1:] {
		for i := range row {
			row[i] = markdown.Escape(row[i])
		}
		p("| %s |", strings.Join(row, " | "))
	}
	p("")
}

// chartObserved is a figure of another system over time.
type chartObserved struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit"`
	Values []*float64 `json:"values"`
}

// observedCharts are those seen more than once, over the seconds that the page draws.
func observedCharts(d *result.Document) []chartObserved {
	list := []chartObserved{}
	for _, f := range d.Observed {
		if f.Seen < 2 {
			continue
		}
		c := chartObserved{Name: escape.Fit(f.Name, 48), Unit: escape.Fit(f.Unit, 16)}
		for i, s := range d.Series {
			if !afterStages(d, s) && i < len(f.Values) {
				c.Values = append(c.Values, f.Values[i])
			}
		}
		list = append(list, c)
	}
	return list
}
