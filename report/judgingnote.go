package report

import (
	"fmt"

	"github.com/cstest/cstest/result"
)

// judgingNote says what verdicts rest on; empty for results that do not tell.
func judgingNote(d *result.Document, w *words) string {
	j := d.Judging
	if j.Gate == "" {
		return ""
	}
	format := w.SLANoteF
	if j.Gate == "measured" {
		format = w.SLANoteMeasured
	}
	return fmt.Sprintf(format, share(j.Confidence))
}

// loadNote says what a closed load keeps from being seen; empty for an open one.
func loadNote(d *result.Document, w *words) string {
	if d.Judging.Load != "closed" {
		return ""
	}
	return w.SLANoteClosed
}
