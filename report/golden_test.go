package report

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

func TestGolden(t *testing.T) {
	pass, fail := saleDocument(t), New(saleInput(t, 2, 3))
	for name, render := range map[string]func(io.Writer) error{
		"pass.txt":       func(w io.Writer) error { return WriteText(pass, w, TextOptions{}) },
		"pass.zh.txt":    func(w io.Writer) error { return WriteText(pass, w, TextOptions{Lang: Chinese}) },
		"pass.color.txt": func(w io.Writer) error { return WriteText(pass, w, TextOptions{Color: true, Width: 80}) },
		"fail.txt":       func(w io.Writer) error { return WriteText(fail, w, TextOptions{}) },
		"fail.zh.txt":    func(w io.Writer) error { return WriteText(fail, w, TextOptions{Lang: Chinese}) },
		"fail.md":        func(w io.Writer) error { return WriteMarkdown(fail, w, English) },
		"fail.zh.md":     func(w io.Writer) error { return WriteMarkdown(fail, w, Chinese) },
		"fail.junit.xml": func(w io.Writer) error { return WriteJUnit(fail, w) },
		"pass.csv":       func(w io.Writer) error { return WriteCSV(pass, w) },
		"fail.json":      func(w io.Writer) error { return WriteJSON(fail, w) },
		"pass.html": func(w io.Writer) error {
			page := pageOf(t, pass, English)
			_, err := io.WriteString(w, strings.NewReplacer(uPlotScript, "(uPlot)", pageScript, "(script)", uPlotStyle, "(style)", pageStyle, "").Replace(page))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := render(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/"+name, b.Bytes())
		})
	}
}

// The same run gives the same bytes, whoever computes the Document and however
// its intervals were added up.
func TestSameRunSameBytes(t *testing.T) {
	in := saleInput(t, 1, 1)
	want := rendered(t, New(in))
	if got := rendered(t, New(saleInput(t, 1, 1))); got != want {
		t.Error("a second computation renders differently")
	}
	// Two shards of one plan, added in either order.
	a, b := saleInput(t, 3, 1), saleInput(t, 4, 1)
	b.Snapshot.Plan = a.Snapshot.Plan
	sum := func(parts ...*measure.Snapshot) string {
		total := measure.NewSnapshot(a.Snapshot.Plan)
		for _, p := range parts {
			if err := total.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		merged := a
		merged.Snapshot, merged.Result = total, sla.Evaluate(a.Scenario, total, a.Facts)
		return rendered(t, New(merged))
	}
	if sum(a.Snapshot, b.Snapshot) != sum(b.Snapshot, a.Snapshot) {
		t.Error("the order of shards changes the report")
	}
}

// Every text exists in both languages, and formats take the same arguments.
func TestCatalogueIsComplete(t *testing.T) {
	en, zh := reflect.ValueOf(*english()), reflect.ValueOf(*chinese())
	for i := range en.NumField() {
		name := en.Type().Field(i).Name
		if en.Field(i).String() == "" || zh.Field(i).String() == "" {
			t.Errorf("%s is missing in a language", name)
		}
		if a, b := strings.Count(en.Field(i).String(), "%"), strings.Count(zh.Field(i).String(), "%"); a != b {
			t.Errorf("%s has %d verbs in English and %d in Chinese", name, a, b)
		}
	}
	want := map[string]string{"pass": "通过", "fail": "不通过", "inconclusive": "证据不足", "invalid": "压测无效"}
	for verdict, text := range want {
		if got := chinese().word(verdict); got != text {
			t.Errorf("%s is %s, want %s", verdict, got, text)
		}
	}
}

func TestCountsAreConserved(t *testing.T) {
	in := saleInput(t, 1, 1)
	d := New(in)
	if err := d.Check(); err != nil {
		t.Error(err)
	}
	var turns, bad int64
	for _, s := range d.Series {
		turns += s.Turns
		bad += s.Bad
		if s.Turns != s.OK+s.Degraded+s.Unexpected+s.Bad {
			t.Errorf("second %d: %d turns, outcomes sum to %d", s.TS, s.Turns, s.OK+s.Degraded+s.Unexpected+s.Bad)
		}
	}
	if turns != d.Counts.Turns || turns != in.Snapshot.Turns() {
		t.Errorf("the series has %d turns, counts say %d, the snapshot %d", turns, d.Counts.Turns, in.Snapshot.Turns())
	}
	if answered := d.Counts.Turns - bad; answered != d.Latency.Response.N || answered != d.Tiers.Sum() {
		t.Errorf("%d answered, %d response times, %d tiers", answered, d.Latency.Response.N, d.Tiers.Sum())
	}
	if all := d.Latency.FailedAsInfinite.N; all != d.Counts.Turns+d.Counts.DroppedTarget {
		t.Errorf("failures as infinite: n = %d", all)
	}
	d.Counts.OK++
	if d.Check() == nil {
		t.Error("a turn too many goes unnoticed")
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		verdict sla.Verdict
		signal  int
		passes  bool
		want    int
	}{
		{sla.Pass, 0, false, 0}, {sla.Fail, 0, true, 10}, {sla.Inconclusive, 0, false, 11}, {sla.Inconclusive, 0, true, 0},
		{sla.Invalid, 0, true, 12}, {sla.Incomplete, 1, false, 129}, {sla.Incomplete, 2, true, 130}, {sla.Fail, 15, false, 143}, {sla.Incomplete, 0, false, 11},
	} {
		if got := ExitCode(c.verdict, c.signal, c.passes); got != c.want {
			t.Errorf("ExitCode(%s, %d, %t) = %d, want %d", c.verdict, c.signal, c.passes, got, c.want)
		}
	}
}

func TestPlannedStarts(t *testing.T) {
	got := plannedStarts(saleScenario(), 112)
	for _, c := range []struct {
		second int
		want   float64
	}{{0, 5}, {24, 5}, {25, 77.5}, {26, 150}, {99, 150}, {100, 5}, {109, 5}, {110, 0}} {
		if got[c.second] != c.want {
			t.Errorf("second %d: %g planned, want %g", c.second, got[c.second], c.want)
		}
	}
}

func TestCredentialsLeaveURLs(t *testing.T) {
	in := Input{Scenario: saleScenario()}
	in.Scenario.Target.Bundled = nil
	in.Scenario.Target.URL = "https://user:hunter2@chat.example:8443/v1?key=hunter2#hunter2"
	d := New(in)
	if d.Target.URL != "https://chat.example:8443/v1" || d.Target.Kind != "external" {
		t.Errorf("target %+v", d.Target)
	}
}

// A killed run never told of its own processor and turns in flight: no figure is better than zero.
func TestWhatTheGeneratorNeverToldIsLeftOut(t *testing.T) {
	in := saleInput(t, 1, 1)
	facts := *in.Facts
	facts.Generator = measure.Generator{}
	in.Facts = &facts
	in.Result = sla.Evaluate(saleScenario(), in.Snapshot, in.Facts)
	d := New(in)
	told := strings.Join(generatorFacts(d, wordsIn(English)), " · ")
	for _, unknown := range []string{"CPU per turn", "most in flight", "Little's law"} {
		if strings.Contains(told, unknown) {
			t.Errorf("%q speaks of %s", told, unknown)
		}
	}
	if d.Generator.CPUUsPerTurn != nil || !strings.Contains(told, "lag P99") {
		t.Errorf("CPU per turn %v in %q", d.Generator.CPUUsPerTurn, told)
	}
}
