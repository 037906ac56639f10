package capacities

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/scenario"
)

func knee(t *testing.T) *capacity.Result {
	t.Helper()
	s := capacity.Search{From: 50, Max: 1e6, Precision: 0.05, Confirm: 2, Most: 60}
	var probes []capacity.Probe
	for {
		step, more := s.Next(probes)
		if !more {
			break
		}
		turns, bad, p99 := 3*step.Rate, 0.0, int64(1e6*step.Rate)
		p := capacity.Probe{Starts: step.Rate, Lengths: 1, Turns: &turns, BadShare: &bad, P99Ns: &p99, Outcome: capacity.Held, Limits: []string{}}
		if step.Rate > 383 {
			bad = 0.25
			p.Outcome, p.P99Ns, p.P99Infinite, p.Limits = capacity.Broke, nil, true, []string{"latency-p99|<b>"}
			p.Signs = reason.Reasons{reason.New(reason.CPUFull, 1.9, 2, "reference-server", 1.2)}
		}
		probes = append(probes, p)
	}
	r := capacity.Conclude(s, probes, capacity.Asked{Need: 3600, Headroom: 0.25})
	r.Scenario, r.Target, r.CstestVersion = "sale", "bundled", "0.1.0"
	return r
}

func TestText(t *testing.T) {
	r := knee(t)
	var out bytes.Buffer
	if err := WriteText(r, &out, terminal.Options{}); err != nil {
		t.Fatal(err)
	}
	reporttest.Lines(t, out.String(), 100)
	for _, want := range []string{
		`✓ MEASURED  sale · \d+ probes`, `Holds 1,1[0-4]\d(\.\d+)? turns/s \(3[678]\d(\.\d+)? starts/s; probes that say so: 2\)\.`,
		`Does not hold 1,[12]\d\d`, `What breaks first: latency-p99\|<b> · CPU: 1\.9 of 2 cores were busy, most of it reference-server`,
		`3,600 turns/s with 25 % headroom take 4 replicas, of which each holds 1,1`, `! 4 replicas are an extrapolation: one was measured`,
		`\n +50 +150 +50 ms +0 % +held +█`, `∞ +25 % +broke\n`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := writeMarkdown(r, &out, reason.Chinese); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "<b>") || !strings.Contains(out.String(), "能承受") || !strings.Contains(out.String(), "需要 4 个副本") {
		t.Errorf("%s", out.String())
	}
	if got := Progress(r.Probes[0], 1, reason.English); got != "probe 1 · 50 starts/s · 150 turns/s · P99 50 ms · bad 0 % · held" {
		t.Error(got)
	}
}

func TestTextsKeepToTheVocabulary(t *testing.T) { reporttest.Texts(t, english(), chinese()) }

// Which breaks first, answers or the other objectives, is one sentence, and the
// share of wrong answers a column and a chart.
func TestUntil(t *testing.T) {
	r := knee(t)
	share := 0.04
	for i := range r.Probes {
		r.Probes[i].Wrong = &share
	}
	r.Until, r.Beside = scenario.KindContext, &capacity.Beside{Holds: &capacity.Knee{Starts: 800, Turns: 2400, Probes: 1}, Limits: []string{}}
	show := func() string {
		var out bytes.Buffer
		if err := WriteText(r, &out, terminal.Options{}); err != nil {
			t.Fatal(err)
		}
		reporttest.Lines(t, out.String(), 100)
		return out.String()
	}
	if got := show(); !strings.Contains(got, "context breaks first: no other objective failed up to 2,400 turns/s.") || !strings.Contains(got, "wrong answers") || !strings.Contains(got, "  4 %  ") {
		t.Errorf("%s", got)
	}
	r.Beside = &capacity.Beside{Holds: &capacity.Knee{Starts: 100, Turns: 300, Probes: 1}, Breaks: &capacity.Knee{Starts: 200, Turns: 600, Probes: 1}, Limits: []string{"latency-p99"}}
	if got := show(); !strings.Contains(got, "Others break before context: 600 turns/s are too much for them (latency-p99).") {
		t.Errorf("%s", got)
	}
	var page bytes.Buffer
	if err := writeHTML(r, &page, reason.Chinese); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), `<svg class="knee"`); n != 3 || !strings.Contains(page.String(), "其他目标先于 上下文 不满足") {
		t.Errorf("%d charts", n)
	}
}
