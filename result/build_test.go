package result

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// text is d as result.json has it.
func text(t testing.TB, d *Document) []byte {
	t.Helper()
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

// The tests of package report render these.
func TestGolden(t *testing.T) {
	golden(t, "testdata/pass.json", text(t, saleDocument(t, 1, 1)))
	golden(t, "testdata/fail.json", text(t, saleDocument(t, 2, 3)))
}

// The same run gives the same bytes, whoever computes the Document and however
// its intervals were added up.
func TestSameRunSameBytes(t *testing.T) {
	if a, b := text(t, saleDocument(t, 1, 1)), text(t, saleDocument(t, 1, 1)); string(a) != string(b) {
		t.Error("a second computation gives another document")
	}
	// Two shards of one plan, added in either order.
	s, about, a := saleRun(t, 3, 1)
	_, _, b := saleRun(t, 4, 1)
	b.Snapshot.Plan = a.Snapshot.Plan
	sum := func(parts ...*measure.Snapshot) string {
		merged := a
		merged.Snapshot = measure.NewSnapshot(a.Snapshot.Plan)
		for _, p := range parts {
			if err := merged.Snapshot.Add(p); err != nil {
				t.Fatal(err)
			}
		}
		return string(text(t, Build(s, about, merged)))
	}
	if sum(a.Snapshot, b.Snapshot) != sum(b.Snapshot, a.Snapshot) {
		t.Error("the order of shards changes the document")
	}
}

func TestCountsAreConserved(t *testing.T) {
	s, about, run := saleRun(t, 1, 1)
	d := Build(s, about, run)
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
	if turns != d.Counts.Turns || turns != run.Snapshot.Turns() {
		t.Errorf("the series has %d turns, counts say %d, the snapshot %d", turns, d.Counts.Turns, run.Snapshot.Turns())
	}
	if answered := d.Counts.Turns - bad; answered != d.Latency.Response.N || answered != d.Tiers.Sum() {
		t.Errorf("%d answered, %d response times, %d tiers", answered, d.Latency.Response.N, d.Tiers.Sum())
	}
	if got := d.Tiers.All(); got != d.Counts.Turns-d.Counts.Censored {
		t.Errorf("%d turns whose end is known, %d that got something or nothing", d.Counts.Turns-d.Counts.Censored, got)
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
		{sla.Pass, 0, false, 0},
		{sla.Fail, 0, true, 10},
		{sla.Inconclusive, 0, false, 11},
		{sla.Inconclusive, 0, true, 0},
		{sla.Invalid, 0, true, 12},
		{sla.Incomplete, 1, false, 129},
		{sla.Incomplete, 2, true, 130},
		{sla.Fail, 15, false, 143},
		{sla.Incomplete, 0, false, 11},
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
	s := saleScenario()
	s.Target.Bundled = nil
	s.Target.URL = "https://user:hunter2@chat.example:8443/v1?key=hunter2#hunter2"
	d := Build(s, nil, Recording{})
	if d.Target.URL != "https://chat.example:8443/v1" || d.Target.Kind != "external" {
		t.Errorf("target %+v", d.Target)
	}
}

// A killed run never told of its own processor and turns in flight: no figure is better than zero.
func TestWhatTheGeneratorNeverToldIsUnknown(t *testing.T) {
	s, about, run := saleRun(t, 1, 1)
	facts := *run.Facts
	facts.Generator = measure.Generator{}
	run.Facts = &facts
	if d := Build(s, about, run); d.Generator.CPUUsPerTurn != nil || d.Generator.MaxRSSBytes != 0 || d.LittlesLaw.InFlightMean != 0 || d.LittlesLaw.ErrorShare != 0 || d.Generator.LagP99Ns == 0 {
		t.Errorf("%+v, %+v", d.Generator, d.LittlesLaw)
	}
}

// A recovery that nobody saw took no time that is known, least of all none.
func TestUnseenRecoveryHasNoFigure(t *testing.T) {
	s := &scenario.Scenario{SLA: scenario.SLA{Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second)}}}
	for _, c := range []struct {
		verdict sla.Verdict
		took    float64
		known   bool
	}{{sla.Pass, 0, true}, {sla.Inconclusive, 0, false}, {sla.Inconclusive, 3, true}, {sla.Fail, 7, true}} {
		list := objectivesOf(s, sla.Result{Objectives: []sla.Judged{{
			Name: "recovery-latency", Kind: scenario.KindRecoveryLatency, Unit: "s", N: 1, Verdict: c.verdict, Measured: c.took, Lower: c.took, Upper: c.took,
		}}})
		if o := list[0]; (o.Measured != nil) != c.known || (o.Lower != nil) != c.known || (o.Upper != nil) != c.known {
			t.Errorf("%s after %v s: measured %v within [%v, %v]", c.verdict, c.took, o.Measured, o.Lower, o.Upper)
		}
	}
}
