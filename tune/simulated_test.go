package tune

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// noise gives what the machine does to run k of an experiment, as a factor.
type noise func(rng *rand.Rand) func() float64

func independent(rng *rand.Rand) func() float64 {
	return func() float64 { return math.Exp(0.1 * rng.NormFloat64()) }
}

func autocorrelated(rng *rand.Rand) func() float64 {
	x := 0.0
	return func() float64 {
		x = 0.9*x + 0.1*rng.NormFloat64()
		return math.Exp(x)
	}
}

func bursty(rng *rand.Rand) func() float64 {
	left := 0
	return func() float64 {
		if left == 0 && rng.Float64() < 0.1 {
			left = 1 + rng.IntN(5)
		}
		if left > 0 {
			left--
			return 3 * math.Exp(0.5*rng.NormFloat64())
		}
		return math.Exp(0.02 * rng.NormFloat64())
	}
}

// made runs a plan on a machine with noise; slower is by how much each arm's
// times are, the control's too.
func made(p *Plan, slower []float64, machine func() float64) []Run {
	var runs []Run
	for _, s := range p.Steps() {
		factor, own := machine(), machine()
		time := 100e6 * slower[s.Arm] * factor
		runs = append(runs, NewRun(s, "", "pass", map[string]float64{
			"mean": time, "P50": 0.9 * time, "P99": 3 * time * own, "turns": 1e11 / time,
			"answered": 1, "full quality": max(0, 1-0.01*own), "target CPU per turn": 500 * own, "LLM calls per turn": 1,
		}))
	}
	return runs
}

// machines are what an experiment may run on, as the page names them.
var machines = []struct {
	name string
	noise
}{
	{"every run on its own, 10 %", independent},
	{"minutes on end (AR(1), φ = 0.9)", autocorrelated},
	{"bursts of one to five runs, three times as slow", bursty},
}

// chances are how often so many experiments were wrong, or found what is there: a knob
// against itself that is called better or worse in anything; of one that takes 20 %
// longer all intervals, and each of all there are, that hold what is true; its mean that
// is called worse; and that is called better.
type chances struct{ differ, joint, held, all, found, mistaken int }

// slower20 is by how much a knob that costs 20 % of the time moves each metric.
var slower20 = map[string]float64{"mean": 0.2, "P50": 0.2, "P99": 0.2, "turns": 1/1.2 - 1}

// simulated makes experiments of ten rounds on a machine.
func simulated(t *testing.T, machine noise, seed uint64) (c chances) {
	rng := rand.New(rand.NewPCG(13, seed))
	for i := range experiments {
		p := plan(t, 2, 10, uint64(i))
		same := Analyze(p, made(p, []float64{1, 1, 1}, machine(rng)), "")
		if anyDiffers(same) {
			c.differ++
		}
		slow := Analyze(p, made(p, []float64{1, 1.2, 1}, machine(rng)), "")
		held, all := truths(slow)
		c.held += held
		c.all += all
		if held == all {
			c.joint++
		}
		switch slow.Arms[1].EffectOf("mean").Verdict {
		case "worse":
			c.found++
		case "better":
			c.mistaken++
		}
	}
	return c
}

// truths counts the intervals that hold what is true, of all of an experiment whose
// variant takes 20 % longer.
func truths(e *Experiment) (held, all int) {
	for i := range e.Arms {
		for _, x := range e.Arms[i].Effects {
			truth := 0.0
			if !e.Arms[i].Control {
				truth = slower20[x.Metric]
			}
			all++
			if (x.Lower == nil || *x.Lower <= truth+1e-9) && (x.Upper == nil || *x.Upper >= truth-1e-9) {
				held++
			}
		}
	}
	return held, all
}

func anyDiffers(e *Experiment) bool {
	return slices.ContainsFunc(e.Arms, func(a ArmResult) bool {
		return slices.ContainsFunc(a.Effects, func(x Effect) bool { return x.Verdict == "better" || x.Verdict == "worse" })
	})
}

const (
	experiments   = 1000
	simulatedPage = "../docs/tune.md"
)

func (c *chances) row(name string) string {
	share := func(n, of int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of)) }
	return fmt.Sprintf("| %s | %s | %s | %s | %s |", name, share(c.differ, experiments), share(c.joint, experiments), share(c.held, c.all), share(c.found, experiments))
}

// A knob against itself is called better or worse in anything in at most 5 % of
// experiments, and all intervals of one hold what is true in at least 95 %, whatever the
// noise. The page shows how often it was; with CSTEST_JUDGING_TABLES it is written.
func TestNoiseIsNotADifference(t *testing.T) {
	rows := []string{"| noise of the machine | a false difference in any metric | all intervals hold the truth | each interval holds it | 20 % slower is found |", "|---|---|---|---|---|"}
	for i, m := range machines {
		c := simulated(t, m.noise, uint64(i))
		if c.differ > experiments/20 || c.joint < experiments*19/20 || c.mistaken > 0 {
			t.Errorf("%s: of %d experiments %d with a false difference, %d with all intervals around the truth, %d the wrong way round", m.name, experiments, c.differ, c.joint, c.mistaken)
		}
		rows = append(rows, c.row(m.name))
	}
	b, err := os.ReadFile(simulatedPage)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- experiments -->\n", "<!-- end -->"
	head, rest, ok := strings.Cut(string(b), begin)
	table, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("no %s in %s", begin, simulatedPage)
	}
	want := strings.Join(rows, "\n") + "\n"
	switch {
	case os.Getenv("CSTEST_JUDGING_TABLES") != "":
		if err := os.WriteFile(simulatedPage, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	case table != want:
		t.Errorf("the page has\n%s\nand by the code it is\n%s\n`make judging-tables` writes it", table, want)
	}
}
