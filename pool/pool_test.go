package pool

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// run is a result of n turns of which bad were late, as many as half of them
// turned out unanswered.
func run(id string, bad, n int64) result.Run {
	target, confidence, deff, measured := 0.99, 0.95, 1.0, 1-float64(bad)/float64(n)
	verdict := sla.Infer(bad, n, 0.01, 0.95, 1).String()
	p99 := int64(300 * time.Millisecond)
	return result.Run{Dir: "results/" + id, Doc: &result.Document{
		SchemaVersion: 1, RunID: id, StartedAt: "2026-11-11T00:00:0" + id[len(id)-1:] + "Z", DurationS: 10, Verdict: verdict,
		Scenario: result.ScenarioRef{Name: "sale", Scale: 1}, Counts: result.Counts{Turns: n},
		Latency: result.Latency{Response: result.Quantiles{N: n, P99Ns: &p99}},
		Objectives: []result.Objective{{
			Name: "latency-p99", Kind: "latency", Unit: "share", Target: &target, Measured: &measured, N: n, Bad: bad,
			Confidence: &confidence, DEFF: &deff, Verdict: verdict,
		}},
	}}
}

func judged(t *testing.T, given []result.Run, others ...result.Run) *Result {
	t.Helper()
	r, err := Judge(given, others, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSeveralRunsSayMoreThanOne(t *testing.T) {
	one := run("r1", 4, 800)
	if one.Doc.Verdict != "inconclusive" {
		t.Fatalf("one run is %s", one.Doc.Verdict)
	}
	r := judged(t, []result.Run{one, run("r2", 3, 800), run("r3", 4, 800), run("r4", 3, 800), run("r5", 4, 800)})
	o := r.Objectives[0]
	if r.Verdict != "pass" || r.ExitCode != 0 || o.N != 4000 || o.Bad != 18 || *o.DEFF != 1 {
		t.Errorf("five runs of 0.45 %%: %s %+v", r.Verdict, o)
	}
	if f := r.Figures[0]; f.Name != "P99" || *f.Mean < 2.99e8 || *f.Mean > 3.01e8 || f.Runs != 5 {
		t.Errorf("figures %+v", r.Figures)
	}
	// The same turns, all the bad ones in one run: the next one may be like it.
	r = judged(t, []result.Run{run("r1", 18, 800), run("r2", 0, 800), run("r3", 0, 800), run("r4", 0, 800), run("r5", 0, 800)})
	if r.Verdict != "inconclusive" || r.ExitCode != 11 || *r.Objectives[0].BetweenP > 1e-4 || !strings.Contains(r.Objectives[0].Reason, "differ by more than chance") {
		t.Errorf("one bad run of five: %s %s", r.Verdict, r.Objectives[0].Reason)
	}
}

// Where what was measured decides of one run, it decides of several.
func TestMeasuredGateOfSeveralRuns(t *testing.T) {
	for bad, want := range map[int64]string{10: "pass", 11: "fail"} {
		// Nearly all of the bad ones in one run: the scatter does not decide, but is shown.
		runs := []result.Run{run("r1", bad-1, 500), run("r2", 1, 250), run("r3", 0, 250)}
		for i := range runs {
			runs[i].Doc.Judging.Gate = "measured"
			runs[i].Doc.Objectives[0].Verdict = map[bool]string{true: "pass", false: "fail"}[float64(runs[i].Doc.Objectives[0].Bad) <= 0.01*float64(runs[i].Doc.Objectives[0].N)]
		}
		r := judged(t, runs)
		o := r.Objectives[0]
		if r.Verdict != want || o.Verdict != want || !strings.Contains(o.Reason, "met (the gate)") || *o.Lower >= *o.Measured || *o.Upper <= *o.Measured {
			t.Errorf("%d of 1,000 bad: %s, %s [%v, %v]", bad, r.Verdict, o.Reason, *o.Lower, *o.Upper)
		}
		runs[2].Doc.Objectives[0].Verdict = "inconclusive" // for what it could not see
		if r := judged(t, runs); want == "pass" && r.Verdict != "inconclusive" {
			t.Errorf("one run could not see all of it: %s", r.Verdict)
		}
	}
}

// Runs that were left out keep a pass from being one, and are said.
func TestNoPassOfPickedRuns(t *testing.T) {
	good := []result.Run{run("r1", 0, 3000), run("r2", 1, 3000)}
	ended := func(verdict string, objective string) result.Run {
		r := run("r9", 100, 3000)
		r.Doc.Verdict, r.Doc.Objectives[0].Verdict = verdict, objective
		return r
	}
	tagged := ended("fail", "fail")
	tagged.Doc.Tags = map[string]string{"commit": "other"}
	other := ended("fail", "fail")
	other.Values, good[0].Values = map[string]string{"load.users": "7"}, map[string]string{"load.users": "8", "seed": "3"}
	for _, tt := range []struct {
		name    string
		beside  result.Run
		verdict string
		said    int
	}{
		{"a fail", ended("fail", "fail"), "inconclusive", 1},
		{"another pass", ended("pass", "pass"), "inconclusive", 1},
		{"one that was ended while it failed", ended("incomplete", "fail"), "inconclusive", 1},
		{"one that was ended", ended("incomplete", "inconclusive"), "pass", 1},
		{"one whose generator was strained", ended("invalid", "fail"), "pass", 1},
		{"one of another tag", tagged, "pass", 0},
		{"one of another scenario", other, "pass", 0},
		{"one that was given", good[1], "pass", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, good, tt.beside)
			if r.Verdict != tt.verdict || len(r.LeftOut) != tt.said || strings.Contains(strings.Join(r.Warnings, " "), "left out") != (tt.said > 0) {
				t.Errorf("%s, left out %+v, warnings %q", r.Verdict, r.LeftOut, r.Warnings)
			}
		})
	}
}

func TestWhatDoesNotBelongTogetherIsRefused(t *testing.T) {
	a := run("r1", 0, 1000)
	knob := run("r2", 0, 1000)
	knob.Doc.Knobs = map[string]string{"limit.global": "500/s"}
	scale := run("r2", 0, 1000)
	scale.Doc.Scenario.Scale = 0.5
	value := run("r2", 0, 1000)
	first := run("r1", 0, 1000)
	first.Values, value.Values = map[string]string{"load.think": "1s", "seed": "1"}, map[string]string{"load.think": "2s", "seed": "2"}
	for _, tt := range []struct {
		runs []result.Run
		want string
	}{
		{[]result.Run{a, run("r1", 0, 1000)}, "the same run"},
		{[]result.Run{a, knob}, `knob limit.global: "" and "500/s"`},
		{[]result.Run{a, scale}, `scale: "1" and "0.5"`},
		{[]result.Run{first, value}, `load.think: "1s" and "2s"`},
	} {
		_, err := Judge(tt.runs, nil, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "seed") {
			t.Errorf("%q: %v", tt.want, err)
		}
	}
}

// What one run could not see, several do not see either; and what was foreign in
// one is foreign.
func TestPooledRunsHideNothing(t *testing.T) {
	cut := run("r2", 0, 3000)
	cut.Doc.Objectives[0].Verdict = "inconclusive" // though 0 of 3,000 would pass: turns were cut
	if r := judged(t, []result.Run{run("r1", 0, 3000), cut}); r.Verdict != "inconclusive" || r.Objectives[0].Verdict != "inconclusive" {
		t.Errorf("a run with unknown turns: %s", r.Verdict)
	}
	foreign := run("r2", 0, 3000)
	foreign.Doc.Counts.Integrity, foreign.Doc.Verdict = 1, "fail"
	if r := judged(t, []result.Run{run("r1", 0, 3000), foreign}); r.Verdict != "fail" || r.ReasonCodes[0].Code != reason.PoolIntegrity {
		t.Errorf("foreign content in one run: %s %q", r.Verdict, r.Reasons)
	}
	invalid := run("r2", 0, 3000)
	invalid.Doc.Verdict = "invalid"
	if r := judged(t, []result.Run{run("r1", 0, 3000), invalid}); r.Verdict != "inconclusive" || r.Runs[1].Pooled || r.Objectives[0].N != 3000 {
		t.Errorf("one run that counts: %s %+v", r.Verdict, r.Runs)
	}
	if r := judged(t, []result.Run{invalid}); r.Verdict != "inconclusive" || r.ReasonCodes[0].Code != reason.PoolNothing {
		t.Errorf("no run that counts: %s %q", r.Verdict, r.Reasons)
	}
}

// A run whose verdict is open for what befell it as a whole leaves the sum open,
// however many good turns it has.
func TestWhatBefellARunKeepsItsSumOpen(t *testing.T) {
	for _, code := range []reason.Reason{
		reason.New(reason.EndedEarly, reason.Reasons{reason.Said("the guard")}), reason.New(reason.JournalGaps, 2), reason.Said("another server answered"),
	} {
		open := run("r2", 0, 3000)
		open.Doc.Verdict, open.Doc.ReasonCodes = "inconclusive", reason.Reasons{code}
		r := judged(t, []result.Run{run("r1", 0, 3000), open})
		if r.Verdict != "inconclusive" || r.ExitCode != 11 || r.Objectives[0].Verdict != "pass" || !strings.Contains(strings.Join(r.Reasons, " "), "r2") {
			t.Errorf("%s: %s %q", code.Code, r.Verdict, r.Reasons)
		}
		open.Doc.Objectives[0].Bad, open.Doc.Objectives[0].Verdict, open.Doc.Verdict = 600, "fail", "fail"
		if r := judged(t, []result.Run{run("r1", 0, 3000), open}); r.Verdict == "pass" {
			t.Errorf("%s of a run that fails: %s", code.Code, r.Verdict)
		}
	}
}

// Nothing is inferred from a census: of one that is a share, too, the worst run decides.
func TestSharesThatWereCountedAreNotInferred(t *testing.T) {
	for _, kind := range []scenario.ObjectiveKind{scenario.KindObserved, scenario.KindClient} {
		counted := func(id string, bad int64) result.Run {
			r := run(id, bad, 20)
			o := &r.Doc.Objectives[0]
			target := 0.9
			o.Kind, o.Target, o.Confidence, o.DEFF, o.Verdict = kind, &target, nil, nil, "pass"
			if bad > 2 {
				o.Verdict = "fail"
			}
			return r
		}
		for bad, want := range map[int64]string{0: "pass", 2: "pass", 3: "fail"} {
			if r := judged(t, []result.Run{counted("r1", bad), counted("r2", 0)}); r.Objectives[0].Verdict != want || r.Objectives[0].DEFF != nil {
				t.Errorf("%s, %d of 20 bad: %s, want %s: %s", kind, bad, r.Objectives[0].Verdict, want, r.Objectives[0].Reason)
			}
		}
	}
}

func TestSecondsAddUp(t *testing.T) {
	seconds := func(id string, bad, allowed float64) result.Run {
		r := run(id, 0, 3000)
		r.Doc.Objectives = append(r.Doc.Objectives, result.Objective{
			Name: "availability-seconds", Kind: "seconds", Unit: "s", Target: &allowed, Measured: &bad, N: 150, Bad: int64(bad), Verdict: "pass",
		})
		return r
	}
	for _, tt := range []struct {
		bad  [2]float64
		want string
	}{{[2]float64{1, 1}, "pass"}, {[2]float64{2, 0}, "pass"}, {[2]float64{4, 0}, "inconclusive"}, {[2]float64{5, 0}, "fail"}} {
		r := judged(t, []result.Run{seconds("r1", tt.bad[0], 1), seconds("r2", tt.bad[1], 1)})
		if got := r.Objectives[1].Verdict; got != tt.want {
			t.Errorf("%v bad seconds of 1 + 1 allowed: %s, want %s", tt.bad, got, tt.want)
		}
	}
}

func TestOrderOfRunsMakesNoDifference(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	for range 200 {
		var runs []result.Run
		for i := range 2 + rng.IntN(6) {
			n := 100 + rng.Int64N(20_000)
			runs = append(runs, run("r"+string(rune('0'+i)), rng.Int64N(1+n/40), n))
		}
		first := text(t, judged(t, runs))
		rng.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		if second := text(t, judged(t, runs)); first != second {
			t.Fatalf("in another order:\n%s\n%s", first, second)
		}
	}
}

func text(t *testing.T, r *Result) string {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
