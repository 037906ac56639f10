package sla

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestChangePoints(t *testing.T) {
	level := func(rng *rand.Rand, sizes ...float64) (out []float64) {
		for _, s := range sizes {
			for range 12 {
				out = append(out, s*(1+0.03*rng.NormFloat64()))
			}
		}
		return out
	}
	rng := rand.New(rand.NewPCG(3, 4))
	at := func(values []float64) (list []int) {
		for _, c := range ChangePoints(values, 0.005) {
			list = append(list, c.At)
		}
		return list
	}
	if got := at(level(rng, 100, 130)); !slices.Equal(got, []int{12}) {
		t.Errorf("one step: %v", got)
	}
	if got := at(level(rng, 100, 130, 90)); !slices.Equal(got, []int{12, 24}) {
		t.Errorf("up and down: %v", got)
	}
	wild := level(rng, 100, 100)
	wild[7] = 100_000
	if got := at(wild); len(got) != 0 {
		t.Errorf("one wild value: %v", got)
	}
	for name, values := range map[string][]float64{"none": nil, "few": {1, 1, 1, 9, 9}, "all the same": {4, 4, 4, 4, 4, 4, 4, 4, 4, 4}} {
		if got := at(values); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := ranks([]float64{5, 1, 5, 2}); !slices.Equal(got, []float64{3.5, 1, 3.5, 2}) {
		t.Errorf("ranks %v", got)
	}
}

// Of series without a change, at most the share alpha is said to have one.
func TestChangePointsOfNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const trials = 400
	wrong := 0
	for range trials {
		values := make([]float64, 8+rng.IntN(30))
		for i := range values {
			values[i] = rng.ExpFloat64()
		}
		if len(ChangePoints(values, 0.05)) > 0 {
			wrong++
		}
	}
	if wrong > 33 { // 5 % of 400, and three standard deviations
		t.Errorf("%d of %d series of noise have a change", wrong, trials)
	}
}
