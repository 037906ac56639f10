package sla

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The largest step is that of the formula over every split that leaves three values
// on either side, and of splits that are as large the first.
func TestLargestStepIsItsFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 7))
	for n := 6; n < 40; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(rng.IntN(n)) // some alike
		}
		var want float64
		at := 0
		for k := 3; k <= n-3; k++ {
			// The rank of a value is one more than how many are below, and half of those alike.
			sum := 0.0
			for _, v := range values[:k] {
				below, same := 0.0, 0.0
				for _, other := range values {
					if other < v {
						below++
					} else if other == v {
						same++
					}
				}
				sum += below + (same+1)/2
			}
			mean, variance := float64(k*(n+1))/2, float64(k*(n-k)*(n+1))/12
			if z := math.Abs(sum-mean) / math.Sqrt(variance); z > want+1e-9 {
				want, at = z, k
			}
		}
		if step, k := largestStep(ranks(values)); !near(step, want) || k != at {
			t.Errorf("%v: %v at %d, want %v at %d", values, step, k, want, at)
		}
	}
	// Up and down again by as much: two steps that are the same.
	if _, at := largestStep(ranks([]float64{1, 1, 1, 9, 9, 9, 1, 1, 1})); at != 3 {
		t.Errorf("at %d, want the first of two", at)
	}
}

// P is the share of orders whose step is as large: of three low values and three high
// ones 2 of 20, of twenty and twenty none but the one that was seen.
func TestChanceOfAStep(t *testing.T) {
	levels := func(n int, of ...float64) (list []float64) {
		for _, v := range of {
			list = append(list, slices.Repeat([]float64{v}, n)...)
		}
		return list
	}
	least := 1.0 / (permutations + 1)
	for _, c := range []struct {
		name   string
		values []float64
		alpha  float64
		want   []int
	}{
		{"five values", []float64{1, 1, 9, 9, 9}, 1, nil},
		{"six values", []float64{1, 2, 3, 7, 8, 9}, 0.2, []int{3}},
		{"six values, by less than chance", []float64{1, 2, 3, 7, 8, 9}, 0.05, nil},
		{"all alike", levels(10, 4), 1, nil},
		{"twenty and twenty", levels(20, 1, 2), least, []int{20}},
		{"twenty and twenty, by less than can be told", levels(20, 1, 2), least * 0.999, nil},
		{"three levels", levels(20, 1, 2, 3), 0.001, []int{20, 40}},
		{"three levels, down", levels(20, 3, 2, 1), 0.001, []int{20, 40}},
	} {
		var got []int
		for _, p := range ChangePoints(c.values, c.alpha) {
			got = append(got, p.At)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if list := ChangePoints([]float64{1, 2, 3, 7, 8, 9}, 0.2); len(list) != 1 || list[0].P < 0.08 || list[0].P > 0.12 {
		t.Errorf("2 of 20: %+v", list)
	}
	if list := ChangePoints(levels(20, 1, 2), 0.01); len(list) != 1 || list[0].P != least {
		t.Errorf("one of all: %+v, want P %v", list, least)
	}
	for _, values := range [][]float64{{1, 2}, levels(10, 4)} {
		if at, p, ok := split(values, 1); at != 0 || p != 0 || ok {
			t.Errorf("%v: split at %d, %v, %v", values, at, p, ok)
		}
	}
}
