package sla

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"gonum.org/v1/gonum/stat/distuv"
)

// design is how the turns of a run hang together, with the scenario that the
// judge takes it for.
type design struct {
	name string
	s    *scenario.Scenario
	// run draws about n turns of which a share p is bad in truth.
	run func(r *rand.Rand, n int, p float64) (bad, total int64)
}

// dialogs gives a scenario of dialogs of so many turns, with weights.
func dialogs(weights map[int]float64) *scenario.Scenario {
	s := &scenario.Scenario{}
	for _, turns := range slices.Sorted(maps.Keys(weights)) {
		s.Conversations = append(s.Conversations, scenario.Conversation{Weight: weights[turns], Turns: make([]scenario.Turn, turns)})
	}
	s.Load.Stages = []scenario.Stage{{Starts: &scenario.RateRamp{}}}
	return s
}

// users gives a scenario of a closed load of dialogs of three turns.
func users(n int) *scenario.Scenario {
	s, yes := dialogs(map[int]float64{3: 1}), true
	s.Load.Stages = []scenario.Stage{{For: unit.Duration(time.Minute), Judged: &yes, Users: &scenario.CountRamp{From: unit.Count(n), To: unit.Count(n)}}}
	return s
}

// each draws clusters until there are n turns.
func each(cluster func(r *rand.Rand, p float64) (bad, total int64)) func(*rand.Rand, int, float64) (int64, int64) {
	return func(r *rand.Rand, n int, p float64) (bad, total int64) {
		for total < int64(n) {
			b, m := cluster(r, p)
			bad += b
			total += m
		}
		return bad, total
	}
}

// whole is a cluster of m turns that are all good or all bad.
func whole(r *rand.Rand, m int64, p float64) (bad, total int64) {
	if r.Float64() < p {
		bad = m
	}
	return bad, m
}

// beta draws a share with mean p and correlation rho between two turns of a cluster.
func beta(r *rand.Rand, p, rho float64) float64 {
	k := 1/rho - 1
	return distuv.Beta{Alpha: p * k, Beta: (1 - p) * k, Src: r}.Rand()
}

// binomial draws how many of n are bad, by the distance from one to the next.
func binomial(r *rand.Rand, n int, p float64) (bad int64) {
	if p <= 0 {
		return 0
	}
	if p >= 1 {
		return int64(n)
	}
	for at := 0.0; ; bad++ {
		if at += 1 + math.Floor(math.Log(1-r.Float64())/math.Log1p(-p)); at > float64(n) {
			return bad
		}
	}
}

const userCount = 400

func designs() []design {
	unequal := dialogs(map[int]float64{1: 0.9, 11: 0.1})
	three := dialogs(map[int]float64{3: 1})
	ofUsers := func(user func(r *rand.Rand, m int, p float64) int64) func(*rand.Rand, int, float64) (int64, int64) {
		return func(r *rand.Rand, n int, p float64) (bad, total int64) {
			for range userCount {
				bad += user(r, n/userCount, p)
				total += int64(n / userCount)
			}
			return bad, total
		}
	}
	return []design{
		{"independent turns", dialogs(map[int]float64{1: 1}), func(r *rand.Rand, n int, p float64) (int64, int64) { return binomial(r, n, p), int64(n) }},
		{"dialogs of 3 turns, good or bad as a whole", three, each(func(r *rand.Rand, p float64) (int64, int64) { return whole(r, 3, p) })},
		{"the same, half correlated", three, each(func(r *rand.Rand, p float64) (int64, int64) { return binomial(r, 3, beta(r, p, 0.5)), 3 })},
		{"dialogs of 1 (90 %) and of 11 turns (10 %), as a whole", unequal, each(func(r *rand.Rand, p float64) (int64, int64) {
			if r.Float64() < 0.9 {
				return whole(r, 1, p)
			}
			return whole(r, 11, p)
		})},
		{"dialogs of 3, a failed turn sent up to twice again in vain", three, each(func(r *rand.Rand, p float64) (int64, int64) {
			// What is sent again is judged by its first try, so there is nothing to add.
			return whole(r, 3, p)
		})},
		{"streams of 30 gaps, long ones in the same streams", dialogs(map[int]float64{1: 1}), func(r *rand.Rand, n int, p float64) (int64, int64) {
			return binomial(r, n, p), int64(n) // a stream is bad by its longest gap
		}},
		{"bursts: 50 dialogs of 3 begin at once, and fail alone", three, func(r *rand.Rand, n int, p float64) (bad, total int64) {
			for total < int64(n) {
				bad += 3 * binomial(r, 50, p)
				total += 150
			}
			return bad, total
		}},
		{"400 users, each with a share of its own (correlation 0.1)", users(userCount), ofUsers(func(r *rand.Rand, m int, p float64) int64 { return binomial(r, m, beta(r, p, 0.1)) })},
		{"400 users, each good or bad as a whole", users(userCount), ofUsers(func(r *rand.Rand, m int, p float64) int64 {
			bad, _ := whole(r, int64(m), p)
			return bad
		})},
	}
}

// verdicts is how often, in per cent, a target exactly as good as it has to be
// passed and failed, and how often it would have with turns taken for independent.
type verdicts struct{ pass, fail, plain float64 }

func simulate(d design, p float64, n, runs int) (v verdicts) {
	r := rand.New(rand.NewPCG(20261111, uint64(n)))
	j := &judge{deff: d.s.TurnsTogether(), users: d.s.UsersTold()}
	for range runs {
		bad, total := d.run(r, n, p)
		switch Infer(bad, total, p, 0.95, j.deffOf(float64(total), j.deff)) {
		case Pass:
			v.pass++
		case Fail:
			v.fail++
		case NotVerified, Inconclusive, Invalid, Incomplete:
		}
		if Infer(bad, total, p, 0.95, 1) == Pass {
			v.plain++
		}
	}
	per := 100 / float64(runs)
	return verdicts{v.pass * per, v.fail * per, v.plain * per}
}

// A target exactly as good as it has to be passes in at most 5 % of runs, and
// fails in at most 5 %, less a point and the noise of the simulation; however its
// turns hang together in dialogs or users.
func TestFalseVerdicts(t *testing.T) {
	runs := 10 * simulatedRuns(t)
	most := 6 + 100*3*math.Sqrt(0.05*0.95/float64(runs))
	tested := false
	for _, d := range designs() {
		for _, p := range []float64{0.01, 0.05} {
			for _, n := range []int{2000, 20_000} {
				v := simulate(d, p, n, runs)
				if v.pass > most || v.fail > most {
					t.Errorf("%s, %d turns exactly at %v: %.1f %% pass, %.1f %% fail; at most %.1f %% should", d.name, n, 1-p, v.pass, v.fail, most)
				}
				tested = tested || v.plain > 15
			}
		}
	}
	if !tested {
		t.Error("turns taken for independent would do as well: the designs do not test anything")
	}
}

// The interval of a quantile holds the true one at least as often as it says.
func TestQuantileIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 9))
	const runs, n = 400, 1000
	held := 0
	for range runs {
		h := measure.NewHistogram()
		for range n {
			h.Record(time.Duration(rng.ExpFloat64() * float64(100*ms)))
		}
		i := QuantileInterval(h, 0.99, 0.95, 1)
		truth := time.Duration(-math.Log(0.01) * float64(100*ms))
		if i.Lower <= truth && truth <= i.Upper {
			held++
		}
	}
	if least := 0.95*runs - 3*math.Sqrt(runs*0.05*0.95); float64(held) < least {
		t.Errorf("the interval held the quantile in %d of %d runs, want at least %.0f", held, runs, least)
	}
}
