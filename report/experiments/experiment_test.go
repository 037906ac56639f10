package experiments

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/terminal"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/tune"
)

// experiment is one of two variants, the second a fifth slower, on a machine
// with a noise of 2 %.
func experiment(t *testing.T, name string, rounds int) *tune.Experiment {
	t.Helper()
	p, err := tune.NewPlan([]tune.Variant{{{Key: "profile", Value: "hardened"}}, {{Key: "profile", Value: name}}}, 10, 7, false)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var runs []tune.Run
	for _, s := range p.Steps()[:3*rounds] {
		ns := 100e6 * []float64{1, 1.2, 1}[s.Arm] * math.Exp(0.02*rng.NormFloat64())
		runs = append(runs, tune.NewRun(s, "runs/x", []string{"pass", "fail", "pass"}[s.Arm], map[string]float64{
			"mean": ns, "P99": 3 * ns, "turns": 2e10 / ns, "answered": 1, "full quality": 1, "LLM calls per turn": 1,
		}))
	}
	e := tune.Analyze(p, runs, "mean")
	e.Scenario, e.Target, e.CstestVersion = "sale", "bundled (hardened, embedded Redis)", "0.1.0"
	return e
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := WriteText(experiment(t, "article-0", 10), &out, terminal.Options{}); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	reporttest.Lines(t, text, 100)
	for _, want := range []string{
		`✗ WORSE  sale · 10 of 10 rounds`, `bundled \(hardened, embedded Redis\) · seed 7 · cstest 0.1.0`,
		`variant +mean +P99 +turns/s +answered +quality +calls/turn`,
		`hardened +\d+(\.\d+)? ms +\d+ ms +\d+(\.\d+)?/s +100 % +100 % +1\n`,
		`SLA: hardened: pass 10 · article-0: fail 10 · A/A, baseline: pass 10`,
		`mean +article-0 +\+(1\d|2\d)(\.\d+)? % +\+\d+(\.\d+)? % … \+2\d(\.\d+)? % +0\.00195 +worse`,
		`turns/s +article-0 +-1\d(\.\d+)? %.* worse`, `A/A, baseline .* no difference seen +11\n`,
		`The same within the margin in every variant: answered, quality, calls/turn\.`,
		`Not known of this target: P50, CPU/turn,\s+Redis/turn\.`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	out.Reset()
	steps := experiment(t, "article-0", 10)
	steps.Stepwise = true
	if err := WriteText(steps, &out, terminal.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "each against the one before it") || !regexp.MustCompile(`mean +hardened → article-0 +\+1`).MatchString(got) || !strings.Contains(got, "  A/A, baseline ") {
		t.Errorf("step by step:\n%s", got)
	}
	steps.Beside(sla.ArticleClaims(), 10, 2)
	for render, write := range map[string]func() error{
		"text":     func() error { return WriteText(steps, &out, terminal.Options{}) },
		"markdown": func() error { return writeMarkdown(steps, &out, reason.English) },
		"page":     func() error { return writeHTML(steps, &out, reason.English) },
	} {
		out.Reset()
		if err := write(); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"impossible: 242 in flight of 200", "measured here", "in flight of 10", "80 %"} {
			if !strings.Contains(strings.ReplaceAll(out.String(), "\u00a0", " "), want) {
				t.Errorf("%s: no %q in\n%s", render, want, out.String())
			}
		}
	}
	out.Reset()
	cut := experiment(t, "article-0", 2)
	cut.Interrupted = true
	if err := WriteText(cut, &out, terminal.Options{Lang: reason.Chinese}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"完成 2 / 10 个回合", "已中断", "无法判断", "所需回合", "无界"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	reporttest.Lines(t, out.String(), 100)
}

// A table with more columns than fit is several below each other, and no line is too long.
func TestWideTablesAreParted(t *testing.T) {
	p, err := tune.NewPlan([]tune.Variant{{{Key: "protocol", Value: "rest"}}, {{Key: "protocol", Value: "websocket"}}}, 10, 7, true)
	if err != nil {
		t.Fatal(err)
	}
	var runs []tune.Run
	for _, s := range p.Steps() {
		figures := map[string]float64{}
		for i, m := range tune.Metrics() {
			figures[m.Name] = map[string]float64{"ns": 123.4e6, "share": 0.9876, "per_s": 1234.5, "us": 1234.5, "count": 12.34, "bytes": 123456}[m.Unit] * (1 + float64(s.Arm*i)/100)
		}
		runs = append(runs, tune.NewRun(s, "runs/x", "pass", figures))
	}
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		var out bytes.Buffer
		if err := WriteText(tune.Analyze(p, runs, ""), &out, terminal.Options{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		reporttest.Lines(t, out.String(), 100)
		if n := strings.Count(out.String(), "\n  rest "); n != 2 {
			t.Errorf("%d rows of medians of the baseline, want 2 in two tables:\n%s", n, out.String())
		}
	}
}

// What a user wrote as a value stays in its cell.
func TestHostileNames(t *testing.T) {
	e := experiment(t, "<script>|[x](y)\n## \x1b[31m@all", 10)
	e.Scenario = "**a**\n::error::"
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		var md, text bytes.Buffer
		if err := writeMarkdown(e, &md, lang); err != nil {
			t.Fatal(err)
		}
		if err := WriteText(e, &text, terminal.Options{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script>", "@all", "\n## \x1b", "\x1b", "](y)", "**a**", "\n::"} {
			if strings.Contains(md.String(), bad) {
				t.Errorf("%s: %q in\n%s", lang, bad, md.String())
			}
		}
		if strings.Contains(text.String(), "\x1b") || strings.Contains(text.String(), "\n::") {
			t.Errorf("%s: %q", lang, text.String())
		}
		reporttest.Lines(t, text.String(), 100)
	}
}

func TestJSONReadsBack(t *testing.T) {
	for _, rounds := range []int{0, 2, 10} {
		e := experiment(t, "b", rounds)
		var out bytes.Buffer
		if err := WriteJSON(e, &out); err != nil {
			t.Fatal(err)
		}
		var back tune.Experiment
		if err := json.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if len(back.Arms) != 3 || back.RoundsDone != rounds || len(back.Runs) != 3*rounds || !reflect.DeepEqual(back.Arms, e.Arms) {
			t.Errorf("%d rounds read back as %+v", rounds, back)
		}
		if strings.Contains(out.String(), ": null,\n  \"warnings") || strings.Contains(out.String(), `"effects": null`) || strings.Contains(out.String(), `"runs": null`) {
			t.Errorf("a list is null:\n%s", out.String())
		}
	}
}

// While it goes on, every metric that is known has a row for each variant, the baseline
// first.
func TestEffects(t *testing.T) {
	e := experiment(t, "article-0", 10)
	rows := Effects(e, reason.English)
	if len(rows) != 18 { // six metrics of three arms
		t.Fatalf("%d rows: %+v", len(rows), rows)
	}
	base, slower, again := rows[0], rows[1], rows[2]
	if base.Metric != "mean" || base.Variant != "hardened" || base.Measured == "" || base.Change != "" || base.Code != "" {
		t.Errorf("baseline %+v", base)
	}
	if slower.Metric != "" || slower.Variant != "article-0" || slower.Code != "worse" || slower.Verdict != "worse" || !strings.Contains(slower.Bounds, " … ") || slower.Needs != "" {
		t.Errorf("slower %+v", slower)
	}
	if again.Variant != "A/A, baseline" || again.Code != "equivalent" || again.Needs != "" {
		t.Errorf("control %+v", again)
	}
	if rows[3].Metric != "P99" {
		t.Errorf("the second metric is %+v", rows[3])
	}
	if rate := rows[8]; rate.Code != "cannot_tell" || rate.Verdict != "no difference seen" || rate.Needs != "needs 11" {
		t.Errorf("the control's rate %+v", rate)
	}
	early := Effects(experiment(t, "article-0", 2), reason.Chinese)
	if len(early) != 18 || early[1].Verdict != "无法判断" || early[1].Bounds != "无界" || early[2].Variant != "A/A（基线）" {
		t.Errorf("after two rounds, in Chinese: %+v", early[:3])
	}
}

func TestProgress(t *testing.T) {
	e := experiment(t, "b", 1)
	r := e.Runs[0]
	r.Codes = reason.Reasons{reason.New(reason.RunNotUsed, reason.Word("invalid"))}
	r.Left, r.Verdict, r.Arm = r.Codes.String(), "invalid", 1
	if got := Progress(e, r, 1, 30, "02:10", reason.English); !regexp.MustCompile(`^1/30 · round 1 · b · mean \d.* · P99 \d.* · turns/s \d.*/s · invalid · left out: the run is invalid · 02:10$`).MatchString(got) {
		t.Error(got)
	}
}

func TestTextsKeepToTheVocabulary(t *testing.T) { reporttest.Texts(t, english(), chinese()) }
