package facts

import (
	"fmt"

	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/unit"
)

// Judging says what verdicts rest on; empty for results that do not tell.
func Judging(d *result.Document, w *words.Words) string {
	j := d.Judging
	if j.Gate == "" {
		return ""
	}
	format := w.SLANoteF
	if j.Gate == "measured" {
		format = w.SLANoteMeasured
	}
	return fmt.Sprintf(format, figure.Share(j.Confidence))
}

// Load says what a closed load keeps from being seen, and which open load would
// ask as much; empty for an open one.
func Load(d *result.Document, w *words.Words) string {
	if d.Judging.Load != "closed" {
		return ""
	}
	length := 0.0
	for _, s := range d.Stages {
		length = max(length, s.EndS)
	}
	if length <= 0 || d.Counts.Conversations <= 0 {
		return w.SLANoteClosed
	}
	return w.SLANoteClosed + " " + fmt.Sprintf(w.SLANoteOpenF, unit.Figure(float64(d.Counts.Conversations)/length))
}

// Partly says of an open load which of its turns wait for the target; empty where
// none does.
func Partly(d *result.Document, w *words.Words) string {
	if d.Judging.Load != "open" || d.Judging.TurnsTogether <= 1 {
		return ""
	}
	return w.SLANotePartly
}
