package report

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/comparisons"
	"github.com/cstest/cstest/result"
)

// No rendering in Chinese has half-width punctuation beside a character, nor an
// English word of ours.
func TestRenderingsInChinese(t *testing.T) {
	d := saleDocument(t)
	other := slowDocument(t)
	other.Knobs["limit.global"] = "900/s"
	c, err := result.Compare([]result.Run{{Doc: d}}, []result.Run{{Doc: other}}, result.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d.WarningCodes = append(d.WarningCodes[:2:2], reason.New(reason.Unexpected4xx, 7))
	d.Warnings = d.WarningCodes.Texts(reason.English)
	theirs := map[string]bool{} // texts of the scenario and of the server
	for _, turn := range d.Turns {
		theirs[turn.Say] = true
	}
	for _, e := range d.Errors {
		theirs[e.Message] = true
	}
	for name, render := range map[string]func(*bytes.Buffer) error{
		"text":       func(b *bytes.Buffer) error { return WriteText(d, b, TextOptions{Lang: reason.Chinese}) },
		"markdown":   func(b *bytes.Buffer) error { return WriteMarkdown(d, b, reason.Chinese) },
		"html":       func(b *bytes.Buffer) error { return WriteHTML(d, b, reason.Chinese) },
		"comparison": func(b *bytes.Buffer) error { return comparisons.WriteText(c, b, TextOptions{Lang: reason.Chinese}) },
	} {
		var b bytes.Buffer
		if err := render(&b); err != nil {
			t.Fatal(err)
		}
		out := regexp.MustCompile(`(?s)<script.*?</script>|<style.*?</style>|<[^>]*>`).ReplaceAllString(b.String(), "\n")
		for line := range strings.Lines(out) {
			if theirs[strings.TrimSpace(html.UnescapeString(line))] || !strings.ContainsFunc(line, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				continue
			}
			for _, fault := range reason.Faults("", line) {
				t.Errorf("%s: %q: %s", name, line, fault)
			}
		}
		for _, english := range []string{"degraded", "connections", "inference", "this run", "unexpected", "transport_error", "baseline", "verdict", "full quality", "knob "} {
			if strings.Contains(out, english) {
				t.Errorf("%s says %q", name, english)
			}
		}
	}
	if d.Warnings[0] != d.WarningCodes[0].Text(reason.English) {
		t.Error("rendering changed the Document")
	}
}

// A result of before there were codes is shown with its texts, in either language.
func TestResultsWithoutCodes(t *testing.T) {
	d := saleDocument(t)
	d.ReasonCodes, d.WarningCodes, d.Generator.ReasonCodes = nil, nil, nil
	for i := range d.Objectives {
		d.Objectives[i].ReasonCodes = nil
	}
	var b bytes.Buffer
	if err := WriteMarkdown(d, &b, reason.Chinese); err != nil || !strings.Contains(b.String(), "they share its 2 cores") || !strings.Contains(b.String(), "通过") {
		t.Errorf("%v\n%s", err, &b)
	}
}
