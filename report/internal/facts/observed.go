package facts

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
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

// Observed has a row for each figure of other systems, under a head; nil without any.
func Observed(d *result.Document, w *words.Words) [][]string {
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
