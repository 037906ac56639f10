// Package facts is what a Document says, in sentences and cells of a language, whatever
// form they are shown in.
package facts

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// TimeOfDay prints when the run began.
func TimeOfDay(d *result.Document) string {
	t := d.Started()
	if t.IsZero() {
		return escape.Clean(d.StartedAt)
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Subtitle says what was tested and how, in one line.
func Subtitle(d *result.Document, w *words.Words) string {
	target := d.Target.URL
	if d.Target.Kind == result.TargetBundled {
		target = w.Bundled
		if d.Target.Profile != "" {
			target += w.Aside(d.Target.Profile)
		}
	}
	over := w.None
	if len(d.Overrides) > 0 {
		over = strings.Join(d.Overrides, " ")
	}
	return strings.Join([]string{
		w.Target + " " + target, w.Overrides + w.Colon + over, fmt.Sprintf("%s %d", w.Seed, d.Scenario.Seed),
		"cstest " + d.CstestVersion,
	}, " · ")
}
