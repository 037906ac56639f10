package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/ci"
	"github.com/cstest/cstest/unit"
)

// The P99 of answers reads the same in the reason, in every table and on the page.
func TestAQuantityReadsTheSameEverywhere(t *testing.T) {
	d := saleDocument(t)
	p99 := unit.Duration(*d.Latency.Response.P99Ns).Text()
	for name, render := range map[string]func(*bytes.Buffer) error{
		"text":     func(b *bytes.Buffer) error { return WriteText(d, b, TextOptions{Lang: reason.English, Width: 100}) },
		"markdown": func(b *bytes.Buffer) error { return WriteMarkdown(d, b, reason.English) },
		"html":     func(b *bytes.Buffer) error { return WriteHTML(d, b, reason.English) },
		"Chinese":  func(b *bytes.Buffer) error { return WriteMarkdown(d, b, reason.Chinese) },
		"junit":    func(b *bytes.Buffer) error { return ci.WriteJUnit(d, b) },
	} {
		var b bytes.Buffer
		if err := render(&b); err != nil {
			t.Fatal(err)
		}
		out := strings.ReplaceAll(b.String(), "\u00a0", " ")
		reasons, tables := 1, 1
		if name == "junit" {
			tables = 0
		}
		if name == "text" {
			reasons = 0 // of a run that passed, it has none
		}
		if n := strings.Count(out, p99); n < reasons+tables {
			t.Errorf("%s says %q %d times", name, p99, n)
		}
		// The same figure with other digits: three are told everywhere.
		if other := regexp.MustCompile(`\b` + regexp.QuoteMeta(strings.TrimSuffix(p99, " ms")) + `\.\d+ ms`).FindString(out); other != "" {
			t.Errorf("%s says %q and %q", name, p99, other)
		}
	}
}
