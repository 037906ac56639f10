package tune

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

func TestADifferenceIsFound(t *testing.T) {
	found := 0
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range 100 {
		p := plan(t, 2, 10, uint64(i))
		e := Analyze(p, made(p, []float64{1, 1.2, 1}, func() float64 { return math.Exp(0.03 * rng.NormFloat64()) }), "mean")
		if x := e.Arms[1].EffectOf("mean"); x.Verdict == "worse" && *x.Lower > 0.05 && *x.Upper < 0.4 {
			found++
		}
		if e.ExitCode == 0 {
			t.Errorf("experiment %d: 20 %% slower passes the gate: %s", i, e.Verdict)
		}
	}
	if found < 95 {
		t.Errorf("20 %% slower under 3 %% noise is found in %d of 100 experiments", found)
	}
}

func steady() float64 { return 1 }

func TestAnalyze(t *testing.T) {
	p := plan(t, 3, 12, 1)
	runs := made(p, []float64{1, 0.5, 1.5, 1}, steady)
	e := Analyze(p, runs, "mean")
	// Mean, P50, P99 and rate differ, of two arms; the control and the rest do not differ at all.
	if e.Comparisons != 8 || e.RoundsDone != 12 || e.Verdict != "worse" || e.ExitCode != 10 || len(e.Warnings) != 0 {
		t.Errorf("%d comparisons, %d rounds, %s (%d), %q", e.Comparisons, e.RoundsDone, e.Verdict, e.ExitCode, e.Warnings)
	}
	for arm, want := range []map[string]string{nil, {"mean": "better", "turns": "better", "answered": "equivalent"}, {"mean": "worse", "turns": "worse", "LLM calls per turn": "equivalent"}, {"mean": "equivalent"}} {
		for metric, verdict := range want {
			if x := e.Arms[arm].EffectOf(metric); x == nil || x.Verdict != verdict {
				t.Errorf("arm %d, %s: %+v, want %s", arm, metric, x, verdict)
			}
		}
	}
	if x := e.Arms[1].EffectOf("mean"); math.Abs(*x.Change+0.5) > 1e-9 || math.Abs(*x.Lower+0.5) > 1e-9 || x.Pairs != 12 {
		t.Errorf("half the mean is %v from %v, %d pairs", *x.Change, *x.Lower, x.Pairs)
	}
	if m := e.Arms[2].Figures[0]; m.Metric != "mean" || math.Abs(*m.Median-150e6) > 1 {
		t.Errorf("%+v", m)
	}
	if !reflect.DeepEqual(e.Arms[0].Verdicts, map[string]int{"pass": 12}) || !e.Arms[3].Control {
		t.Errorf("%+v", e.Arms[0])
	}
	if got := Analyze(p, runs, "answered"); got.Verdict != "equivalent" || got.ExitCode != 0 {
		t.Errorf("gate on what is the same: %s (%d)", got.Verdict, got.ExitCode)
	}
	if got := Analyze(p, runs, ""); got.Verdict != "measured" || got.ExitCode != 0 {
		t.Errorf("without a gate: %s (%d)", got.Verdict, got.ExitCode)
	}
}

// An arm whose runs measured nothing is told of and never ranked, however fast it looks.
func TestInvalidArms(t *testing.T) {
	p := plan(t, 3, 10, 1)
	runs := made(p, []float64{1, 0.1, 0.5, 1}, steady)
	for i, r := range runs {
		if r.Arm == 1 && r.Round < 3 {
			runs[i] = NewRun(Step{r.Round, r.Arm, r.Seed}, "", "invalid", r.Figures)
		}
		if r.Arm == 2 && r.Round < 2 {
			runs[i] = FailedRun(Step{r.Round, r.Arm, r.Seed}, errors.New("it does not start"))
		}
	}
	e := Analyze(p, runs, "mean")
	if a := e.Arms[1]; !a.Invalid || len(a.Effects) != 0 || a.Used != 7 {
		t.Errorf("3 of 10 invalid: %+v", a)
	}
	if a := e.Arms[2]; a.Invalid || a.EffectOf("mean").Pairs != 8 {
		t.Errorf("2 of 10 failed: %+v", a)
	}
	if len(e.WarningCodes) != 2 || e.WarningCodes[0].Code != reason.ArmInvalid || e.WarningCodes[1].Code != reason.RunsLeftOut || !strings.Contains(e.Warnings[1], "it does not start") {
		t.Errorf("%q", e.Warnings)
	}
	if e.Verdict != "cannot_tell" || e.ExitCode != 11 {
		t.Errorf("a gate on an arm that is not compared: %s (%d)", e.Verdict, e.ExitCode)
	}
	for i, r := range runs {
		if r.Arm == 0 {
			runs[i] = NewRun(Step{r.Round, r.Arm, r.Seed}, "", "invalid", r.Figures)
		}
	}
	if e := Analyze(p, runs, ""); e.Verdict != "invalid" || e.ExitCode != 12 || len(e.Arms[2].Effects) != 0 {
		t.Errorf("an invalid baseline: %s (%d), %+v", e.Verdict, e.ExitCode, e.Arms[2].Effects)
	}
}

// A run that measured nothing is made once more at the end of its round, and the one
// made last counts.
func TestRunsMadeAgain(t *testing.T) {
	p := plan(t, 2, 10, 1)
	runs := made(p, []float64{1, 0.5, 1}, steady)
	var all []Run
	for i, r := range runs {
		if r.Round == 3 && r.Arm != 0 || r.Round == 4 && r.Arm == 1 {
			r = NewRun(Step{r.Round, r.Arm, r.Seed}, "", "invalid", map[string]float64{"mean": 1})
		}
		if r.Round == 5 && r.Arm == 1 {
			r = FailedRun(Step{r.Round, r.Arm, r.Seed}, errors.New("it does not start"))
		}
		all = append(all, r)
		if i+1 < len(runs) && runs[i+1].Round == r.Round {
			continue
		}
		for _, s := range Again(all, r.Round) {
			if s.Seed != r.Seed || s.Round != r.Round {
				t.Errorf("%+v has other arrivals than %+v", s, r)
			}
			verdict := "pass"
			if s.Round == 4 {
				verdict = "invalid" // and stays so
			}
			all = append(all, NewRun(s, "", verdict, made(p, []float64{1, 0.5, 1}, steady)[0].Figures))
			all[len(all)-1].Figures["mean"] = []float64{1e8, 5e7, 1e8}[s.Arm]
		}
		if again := Again(all, r.Round); len(again) != 0 {
			t.Errorf("round %d: a third time: %+v", r.Round, again)
		}
	}
	if len(all) != 33 {
		t.Errorf("%d runs, want 30 and 3 made again", len(all))
	}
	e := Analyze(p, all, "")
	if a := e.Arms[1]; a.Runs != 10 || a.Used != 8 || a.Invalid || a.EffectOf("mean").Pairs != 8 || math.Abs(*a.EffectOf("mean").Change+0.5) > 1e-9 {
		t.Errorf("%+v", a)
	}
	if a := e.Arms[2]; a.Used != 10 || len(e.Runs) != 33 {
		t.Errorf("the control: %+v, %d runs", a, len(e.Runs))
	}
	if !strings.Contains(strings.Join(e.Warnings, "\n"), "3 runs measured nothing and were made again at the end of their round") {
		t.Errorf("%q", e.Warnings)
	}
}

// Where the baseline differs from itself, nothing found in that metric is believed.
func TestControlThatDiffers(t *testing.T) {
	p := plan(t, 2, 10, 1)
	e := Analyze(p, made(p, []float64{1, 0.5, 1.4}, steady), "mean")
	if x := e.Arms[1].EffectOf("mean"); x.Verdict != "cannot_tell" || e.ExitCode != 11 {
		t.Errorf("%+v, exit %d", x, e.ExitCode)
	}
	if len(e.WarningCodes) != 4 || e.WarningCodes[0].Code != reason.ControlDiffers {
		t.Errorf("%q", e.Warnings)
	}
}

// An experiment that was cut short tells what it has, and that it is too little.
func TestCutShort(t *testing.T) {
	p := plan(t, 2, 10, 1)
	runs := made(p, []float64{1, 2, 1}, steady)
	for _, n := range []int{0, 1, 7} {
		e := Analyze(p, runs[:n], "")
		if e.RoundsDone != n/3 || len(e.Runs) != n || e.RoundsPlanned != 10 {
			t.Errorf("%d runs: %d rounds", n, e.RoundsDone)
		}
		for _, a := range e.Arms {
			for _, x := range a.Effects {
				if x.Lower != nil && x.Metric == "mean" || x.Verdict != "cannot_tell" {
					t.Errorf("%d runs: %s of %s is %s from %v", n, x.Metric, a.Name, x.Verdict, x.Lower)
				}
			}
		}
	}
	e := Analyze(p, runs[:7], "")
	if len(e.WarningCodes) != 1 || e.WarningCodes[0].Code != reason.TooFewRounds {
		t.Errorf("%q", e.Warnings)
	}
}

// Step by step, a variant is held against the one before it, and the control
// against the baseline all the same.
func TestStepwise(t *testing.T) {
	p := plan(t, 3, 12, 5)
	p.Stepwise = true
	rng := rand.New(rand.NewPCG(3, 4))
	e := Analyze(p, made(p, []float64{4, 2, 1.9, 4}, func() float64 { return math.Exp(0.005 * rng.NormFloat64()) }), "")
	for arm, want := range []struct {
		against int
		change  float64
		verdict string
	}{{-1, 0, ""}, {0, -0.5, "better"}, {1, -0.05, "better"}, {0, 0, "equivalent"}} {
		a := &e.Arms[arm]
		if a.Against != want.against {
			t.Errorf("arm %d is compared with %d, want %d", arm, a.Against, want.against)
		}
		x := a.EffectOf("mean")
		if (x != nil) != (want.against >= 0) {
			t.Fatalf("arm %d: effect %v", arm, x)
		}
		if x != nil && (math.Abs(*x.Change-want.change) > 0.01 || x.Verdict != want.verdict && arm != 2) {
			t.Errorf("arm %d: %+.3f %s, want %+.3f %s", arm, *x.Change, x.Verdict, want.change, want.verdict)
		}
	}
	// Where a variant measured nothing, neither it nor the next is compared.
	var runs []Run
	for _, s := range p.Steps() {
		if s.Arm == 1 {
			runs = append(runs, FailedRun(s, errors.New("it does not start")))
		} else {
			runs = append(runs, NewRun(s, "", "pass", map[string]float64{"mean": 1e8}))
		}
	}
	e = Analyze(p, runs, "")
	if len(e.Arms[1].Effects) != 0 || len(e.Arms[2].Effects) != 0 || len(e.Arms[3].Effects) != 1 || e.Verdict != "invalid" {
		t.Errorf("%s: effects %v, %v, %v", e.Verdict, e.Arms[1].Effects, e.Arms[2].Effects, e.Arms[3].Effects)
	}
}

// What was published stands beside what was measured, each held against the
// users there were.
func TestBeside(t *testing.T) {
	p := plan(t, 2, 10, 5)
	e := Analyze(p, made(p, []float64{2, 1, 2}, func() float64 { return 1 }), "")
	e.Beside(sla.ArticleClaims(), 200, 2)
	if len(e.Published) != 2 {
		t.Fatalf("%d rows, want one a variant", len(e.Published))
	}
	first, second := e.Published[0], e.Published[1]
	if !first.Claimed.Possible || second.Claimed.Possible || math.Abs(second.Claimed.InFlight-242) > 1e-9 || *first.Claimed.CPU != 0.95 {
		t.Errorf("claimed %+v and %+v", first.Claimed, second.Claimed)
	}
	// 200 ms at 500/s, 500 us a turn on two cores; 100 ms at 1,000/s.
	if m := first.Measured; m.MeanNs != 200e6 || *m.P99Ns != 600e6 || math.Abs(m.InFlight-100) > 1e-6 || !m.Possible || math.Abs(*m.CPU-0.125) > 1e-9 {
		t.Errorf("measured %+v, CPU %v", *m, *m.CPU)
	}
	empty := Analyze(p, nil, "")
	empty.Beside(sla.ArticleClaims(), 200, 2)
	if empty.Published[0].Measured != nil {
		t.Errorf("measured %+v of nothing", empty.Published[0].Measured)
	}
}
