package learn

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/template"
)

// Scenario is the YAML of a scenario that behaves as the log did, against the
// bundled server until another target is set.
func (m *Model) Scenario(o Options) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Learned from %d conversations. Personal data was replaced by look-alikes.\n", len(m.Log.Dialogs))
	fmt.Fprintf(&b, "version: 1\nname: %s\ndescription: learned from a log of %d conversations\n\n", quote(o.Name), len(m.Log.Dialogs))
	b.WriteString("target:\n  bundled: {}      # your own server: url: https://…, see docs/scenario.md\n\n")
	fmt.Fprintf(&b, "load:\n  stages:          # a day in %s, at %s times the log's rate\n", o.Length, number(o.Scale))
	part := o.Length.Seconds() / float64(len(m.Arrivals.Starts))
	for i := range m.Arrivals.Starts {
		at := m.Arrivals.Begin + m.Arrivals.Bin*time.Duration(i)
		fmt.Fprintf(&b, "    - {name: %q, for: %dms, starts: %.3f/h}\n", fmt.Sprintf("t%02d%02d", int(at.Hours())%24, int(at.Minutes())%60)+suffix(i, m.Arrivals), int(part*1000), m.Arrivals.rate(i)*o.Scale*3600)
	}
	if m.Think.N > 0 && m.Think.Sigma > 0 {
		fmt.Fprintf(&b, "  think: {median: %dms, p95: %dms}\n", max(1, int(m.Think.Median()*1000)), max(2, int(m.Think.P95()*1000)))
	}
	b.WriteString("\nconversations:\n")
	for i, c := range m.Chosen {
		fmt.Fprintf(&b, "  - name: intent-%d-turns-%d-%d\n    weight: %d\n    turns:\n", c.Intent+1, len(c.Says), i+1, c.Weight)
		for _, say := range c.Says {
			fmt.Fprintf(&b, "      - say: %s\n", quote(template.Quote(say)))
		}
	}
	b.WriteString("\nsla:\n  latency: {p99: 2s}\n  availability: 99%\n")
	return b.Bytes()
}

// suffix keeps names of stages apart that begin in the same minute.
func suffix(i int, a *Arrivals) string {
	if a.Bin.Minutes() >= 1 {
		return ""
	}
	return fmt.Sprintf("-%d", i)
}

// quote writes a text so that YAML takes it for nothing else.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text into memory: cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}

func number(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", f), "0"), ".")
}
