package sla

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Bounds of pooled runs hold as often as they say, whether the runs differ or not.
func TestPoolCoverage(t *testing.T) {
	const experiments, turns, truth = 2000, 3000, 0.01
	src := rand.NewPCG(9, 4)
	for _, tt := range []struct {
		name    string
		runs    int
		between float64 // standard deviation of the runs' true shares
	}{
		{"two runs that do not differ", 2, 0},
		{"six runs that do not differ", 6, 0},
		{"two runs that differ by half", 2, 0.005},
		{"four runs that differ by half", 4, 0.005},
		{"ten runs that differ by half", 10, 0.005},
	} {
		t.Run(tt.name, func(t *testing.T) {
			passes, covered := 0, 0
			for range experiments {
				runs := make([]Sample, tt.runs)
				for i := range runs {
					p := truth
					if tt.between > 0 { // a beta of that mean and deviation
						size := truth*(1-truth)/(tt.between*tt.between) - 1
						p = distuv.Beta{Alpha: truth * size, Beta: (1 - truth) * size, Src: src}.Rand()
					}
					runs[i] = Sample{int64(distuv.Binomial{N: turns, P: p, Src: src}.Rand()), turns}
				}
				got := Pool(runs, truth, 0.95, 1)
				if got.Verdict == Pass {
					passes++
				}
				if got.Lower <= truth && truth <= got.Upper {
					covered++
				}
			}
			// Each bound at 95 %, so 90 % between them; nominal + 1 point and three deviations of 2,000.
			if most := experiments * 5 / 100; passes > most+experiments/100+29 {
				t.Errorf("at exactly the target %d of %d pools pass", passes, experiments)
			}
			if covered < experiments*88/100 {
				t.Errorf("the bounds hold the truth in %d of %d", covered, experiments)
			}
		})
	}
}

func TestPoolKnown(t *testing.T) {
	same := Pool([]Sample{{10, 1000}, {10, 1000}, {10, 1000}}, 0.02, 0.95, 1)
	if same.Bad != 30 || same.N != 3000 || same.DEFF != 1 || same.P != 1 || same.Between != 0 || same.Verdict != Pass {
		t.Errorf("runs alike: %+v", same)
	}
	if want := Upper(30, 3000, 0.95, 1); same.Upper != want {
		t.Errorf("runs alike: upper bound %v, of their sum %v", same.Upper, want)
	}
	// Four good runs do not make up for one outage: the next may have it too.
	odd := Pool([]Sample{{0, 1000}, {0, 1000}, {0, 1000}, {0, 1000}, {40, 1000}}, 0.01, 0.95, 1)
	if odd.Verdict != Inconclusive || odd.P > 1e-6 || odd.Between < 0.015 || odd.Between > 0.025 || odd.Upper < 0.02 {
		t.Errorf("one run of five fails: %+v", odd)
	}
	if none := Pool([]Sample{{0, 0}}, 0.01, 0.95, 1); none.Verdict != Inconclusive || none.Upper != 1 {
		t.Errorf("nothing: %+v", none)
	}
	if all := Pool([]Sample{{100, 100}, {100, 100}}, 0.01, 0.95, 1); all.Verdict != Fail {
		t.Errorf("all bad: %+v", all)
	}
}

func TestPoolDoesNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 500 {
		runs := make([]Sample, 2+rng.IntN(7))
		for i := range runs {
			n := 1 + rng.Int64N(50_000)
			runs[i] = Sample{rng.Int64N(1 + n/20), n}
		}
		first := Pool(runs, 0.02, 0.95, 1.7)
		rng.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
		if second := Pool(runs, 0.02, 0.95, 1.7); second.Verdict != first.Verdict || !near(second.DEFF, first.DEFF) || !near(second.Upper, first.Upper) || !near(second.P, first.P) {
			t.Fatalf("%v: %+v, in another order %+v", runs, second, first)
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 }
