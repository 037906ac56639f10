package trends

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/trend"
)

// nights are runs whose P99 goes up with the thirteenth, their names hostile.
func nights() *trend.Trend {
	var runs []result.Run
	for i := range 24 {
		p99, version := int64(200e6)+int64(i%5)*1e6, "1.0.0"
		if i >= 12 {
			p99, version = p99*13/10, "1.1.0"
		}
		d := &result.Document{
			RunID: fmt.Sprintf("run-%02d", i), StartedAt: fmt.Sprintf("2026-11-%02dT02:00:00Z", i+1), Verdict: "pass", CstestVersion: version, DurationS: 60,
			Tags: map[string]string{"commit": fmt.Sprintf("c%02d|<b>", i)}, Scenario: result.ScenarioRef{Name: "nightly", SHA256: "a", Scale: 1},
		}
		d.Latency.Response.P99Ns = &p99
		runs = append(runs, result.Run{Doc: d})
	}
	return trend.Of(runs, "commit", "1.1.0")
}

func TestTrend(t *testing.T) {
	var out bytes.Buffer
	if err := WriteText(nights(), &out, terminal.Options{}); err != nil {
		t.Fatal(err)
	}
	reporttest.Lines(t, out.String(), 100)
	for _, want := range []string{"since c12|<b> (2026-11-13 02:00)", "worse  P99: 202 ms → 263 ms, +30", `cstest: "1.0.0" and "1.1.0"`, "↑ 263 ms"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "\u00a0", " "), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := WriteMarkdown(nights(), &out, reason.Chinese); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "<b>") || !strings.Contains(text, "P99：202 ms → 263 ms，+30") || !strings.Contains(text, "（2026-11-13 02:00）") || !strings.Contains(text, "更差") || !strings.Contains(text, "历次运行") {
		t.Errorf("%s", text)
	}
	out.Reset()
	if err := WriteHTML(nights(), &out, reason.English); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	reporttest.Inert(t, "trend", page)
	if strings.Contains(page, "|<b>") || strings.Contains(page, "<script") || strings.Count(page, `<circle class="pass"`) != 48 || strings.Count(page, `<line class="edge worse"`) != 1 {
		t.Errorf("%d dots, %d steps", strings.Count(page, `<circle class="pass"`), strings.Count(page, `<line class="edge worse"`))
	}
}

func TestTextsKeepToTheVocabulary(t *testing.T) {
	reporttest.Texts(t, textsIn(reason.English), textsIn(reason.Chinese))
}
