package sla

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func sureScenario(s *scenario.Scenario, gate scenario.Gate) *scenario.Scenario {
	s.SLA = scenario.SLA{Confidence: 0.95, Gate: gate}
	return s
}

func TestSureWithValues(t *testing.T) {
	ask := scenario.Objective{Kind: scenario.KindAvailability, Target: 0.99}
	one, three := dialogs(map[int]float64{1: 1}), dialogs(map[int]float64{3: 1})
	for _, c := range []struct {
		name       string
		s          *scenario.Scenario
		n          int64
		pass, fail float64
	}{
		// Up to 4 of 1,000 pass and from 16 on fail: P(Bin(1000, q) ≤ 4) and P(… ≥ 16) are 0.8.
		{"1,000 turns", sureScenario(one, scenario.GateInference), 1000, 0.003091, 0.019192},
		{"298 turns never pass", sureScenario(one, scenario.GateInference), 298, math.NaN(), 0.030297},
		{"299 turns pass without a bad one", sureScenario(one, scenario.GateInference), 299, 1 - math.Pow(0.8, 1./299), 0.030196},
		{"dialogs of three", sureScenario(three, scenario.GateInference), 3000, 0.003091, 0.019192},
		{"nothing", sureScenario(one, scenario.GateInference), 0, math.NaN(), math.NaN()},
	} {
		pass, fail := Sure(c.s, ask, c.n)
		if !about(pass, c.pass) || !about(fail, c.fail) {
			t.Errorf("%s: %.6f, %.6f; want %.6f, %.6f", c.name, pass, fail, c.pass, c.fail)
		}
	}
	// The sample alone decides: 10 of 1,000 pass, 11 do not.
	s := sureScenario(dialogs(map[int]float64{1: 1}), scenario.GateMeasured)
	pass, fail := Sure(s, ask, 1000)
	if got := binomialAtMost(10, 1000, pass); math.Abs(got-0.8) > 1e-6 {
		t.Errorf("passes with a likelihood of %v", got)
	}
	if got := 1 - binomialAtMost(10, 1000, fail); math.Abs(got-0.8) > 1e-6 {
		t.Errorf("fails with a likelihood of %v", got)
	}
	// More time does not make more users.
	few := sureScenario(users(299), scenario.GateInference)
	a, _ := Sure(few, ask, 10_000)
	b, _ := Sure(few, ask, 1_000_000)
	if !about(a, 1-math.Pow(0.8, 1./299)) || !about(b, a) {
		t.Errorf("299 users pass up to %v in a short run and %v in a long one", a, b)
	}
	if pass, _ := Sure(sureScenario(users(298), scenario.GateInference), ask, 1_000_000); !math.IsNaN(pass) {
		t.Errorf("298 users pass up to %v", pass)
	}
	// A conversation is one of its own kind.
	for _, ask.Kind = range []scenario.ObjectiveKind{scenario.KindConversations, scenario.KindAbandoned} {
		if pass, _ := Sure(sureScenario(dialogs(map[int]float64{3: 1}), scenario.GateInference), ask, 1000); !about(pass, 0.003091) {
			t.Errorf("1,000 conversations pass up to %v", pass)
		}
	}
}

// Of one turn, and where all or nothing decides, by what a share of one turn does.
func TestSureAtItsEdges(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name       string
		measured   bool
		n          int64
		p, deff    float64
		pass, fail float64
	}{
		{"no turn, and the sample decides", true, 0, 0.5, 1, nan, nan},
		{"one turn that must be good", true, 1, 0.5, 1, 0.2, 0.8}, // it is with 80 %, or bad with 80 %
		{"one turn that may be bad", true, 1, 1, 1, 1, nan},
		{"all may be bad", false, 1000, 1, 1, 1, nan},
		{"none may be bad", true, 2, 0, 1, 1 - math.Sqrt(0.8), 1 - math.Sqrt(0.2)},
		{"one turn says nothing", false, 1, 0.5, 1, nan, nan},
		{"one turn that is bad says all", false, 1, 0.04, 1, nan, 0.8},
		// Four bad of four fail at 4 %, three do not: more than the whole cluster that they are.
		{"a cluster and a third", false, 4, 0.04, 3, nan, nan},
	} {
		j := &judge{confidence: 0.95, measured: c.measured}
		if pass, fail := j.sure(c.n, c.p, c.deff); !about(pass, c.pass) || !about(fail, c.fail) {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, pass, fail, c.pass, c.fail)
		}
	}
}

func about(a, b float64) bool { return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 2e-6 }

// What is said to pass or fail four times in five does so in simulation, of dialogs
// that are good or bad as a whole; of independent turns at least as often.
func TestSureInSimulation(t *testing.T) {
	r := rand.New(rand.NewPCG(20261111, 80))
	const runs = 2000
	for _, length := range []int{1, 3} {
		for _, target := range []float64{0.95, 0.99} {
			s := sureScenario(dialogs(map[int]float64{length: 1}), scenario.GateInference)
			const n = 6000
			pass, fail := Sure(s, scenario.Objective{Kind: scenario.KindLatency, Target: unit.Share(target)}, n)
			for share, want := range map[float64]Verdict{pass: Pass, fail: Fail} {
				decided := 0
				for range runs {
					bad := int64(length) * binomial(r, n/length, share)
					if Infer(bad, n, 1-target, 0.95, float64(length)) == want {
						decided++
					}
				}
				if got := float64(decided) / runs; got < 0.77 || got > 0.83 {
					t.Errorf("dialogs of %d at %v, %v bad: %v in %.3f of the runs", length, target, share, want, got)
				}
			}
		}
	}
}
