package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/facts"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
)

// Nothing is said of seconds where no objective asked for them; outages are told of all the same.
func TestSecondsNobodyAskedFor(t *testing.T) {
	for _, outages := range [][]result.Outage{nil, {{StartS: 12, LengthS: 3}}} {
		d := saleDocument(t)
		w := words.In(reason.English)
		with := facts.Seconds(d.Availability.Seconds, w)
		said := func() (text string) {
			for name, write := range map[string]func(*bytes.Buffer) error{
				"text":     func(b *bytes.Buffer) error { return WriteText(d, b, TextOptions{Lang: reason.English, Width: 100}) },
				"markdown": func(b *bytes.Buffer) error { return WriteMarkdown(d, b, reason.English) },
				"html":     func(b *bytes.Buffer) error { return WriteHTML(d, b, reason.English) },
			} {
				var b bytes.Buffer
				if err := write(&b); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(b.String(), "judged seconds bad") {
					text += name + " "
				}
			}
			return text
		}
		if got := said(); len(strings.Fields(got)) != 3 {
			t.Fatalf("%q is said in %q alone", with, got)
		}
		d.Availability.Seconds, d.Availability.Outages = result.Seconds{}, outages
		if got := said(); got != "" {
			t.Errorf("with %d outages: seconds are told of in %s", len(outages), got)
		}
	}
}
