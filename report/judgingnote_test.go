package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// What verdicts rest on is said as the scenario had it, and of a closed load what
// it keeps from being seen.
func TestNotesOnJudging(t *testing.T) {
	for _, c := range []struct {
		judging result.Judging
		says    string
		closed  bool
	}{
		{result.Judging{Gate: "inference", Confidence: 0.95, Load: "open"}, "by one-sided bounds at 95 % confidence", false},
		{result.Judging{Gate: "inference", Confidence: 0.8, Load: "closed"}, "by one-sided bounds at 80 % confidence", true},
		{result.Judging{Gate: "measured", Confidence: 0.9, Load: "open"}, "of what was measured (sla.gate: measured); bounds are one-sided, at 90 % confidence", false},
	} {
		d := saleDocument(t)
		d.Judging = c.judging
		var page, text, markdown bytes.Buffer
		if err := WriteHTML(d, &page, reason.English); err != nil {
			t.Fatal(err)
		}
		if err := WriteText(d, &text, TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := WriteMarkdown(d, &markdown, reason.English); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page.String(), c.says) {
			t.Errorf("the page does not say %q", c.says)
		}
		for what, b := range map[string]*bytes.Buffer{"page": &page, "text": &text, "markdown": &markdown} {
			if said := strings.Contains(b.String(), "slows down with the target"); said != c.closed {
				t.Errorf("%s of %+v: of a closed load it says so: %t", what, c.judging, said)
			}
		}
	}
}
