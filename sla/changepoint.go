package sla

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// shortestLevel is how many values a level of a series has at least.
	shortestLevel = 3
	permutations  = 2000
)

// ChangePoint is where a series goes to another level: At is the index of its
// first value there, P the share of permutations whose largest step was as large.
type ChangePoint struct {
	At int
	P  float64
}

// ChangePoints are the places where a series changes its level by more than
// chance, in order. A place is the split of the largest standardised rank sum
// (Pettitt, Applied Statistics 28, 1979), kept where at most alpha of the
// permutations of the values have one as large, and both parts are searched again
// (binary segmentation; Scott and Knott, Biometrics 30, 1974). Only the order of
// values counts, so that one wild run moves nothing. Values are taken to be
// independent of each other but for the changes. The same series always gives the
// same points.
func ChangePoints(values []float64, alpha float64) []ChangePoint {
	var out []ChangePoint
	var search func(from, to int)
	search = func(from, to int) {
		at, p, ok := split(values[from:to], alpha)
		if !ok {
			return
		}
		search(from, from+at)
		out = append(out, ChangePoint{from + at, p})
		search(from+at, to)
	}
	search(0, len(values))
	return out
}

// split is the best split of one level into two; false when it is not more than chance.
func split(values []float64, alpha float64) (at int, p float64, ok bool) {
	if len(values) < 2*shortestLevel {
		return 0, 0, false
	}
	r := ranks(values)
	step, at := largestStep(r)
	if step == 0 {
		return 0, 0, false
	}
	rng := rand.New(rand.NewPCG(uint64(len(values)), 20261111))
	as := 1 // the order that was seen is one of them
	for range permutations {
		rng.Shuffle(len(r), func(i, j int) { r[i], r[j] = r[j], r[i] })
		if s, _ := largestStep(r); s >= step {
			as++
		}
	}
	p = float64(as) / (permutations + 1)
	return at, p, p <= alpha
}

// largestStep is the largest standardised distance of the rank sum of the first
// values from what it is on average, and after how many of them.
func largestStep(r []float64) (step float64, at int) {
	n := float64(len(r))
	sum := 0.0
	for i, x := range r[:len(r)-shortestLevel] {
		sum += x
		k := float64(i + 1)
		if i+1 < shortestLevel {
			continue
		}
		if z := math.Abs(sum-k*(n+1)/2) / math.Sqrt(k*(n-k)*(n+1)/12); z > step+1e-9 {
			step, at = z, i+1
		}
	}
	return step, at
}

// ranks are the places of values in order of size, from 1; values that are the
// same share the mean of theirs.
func ranks(values []float64) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	out := make([]float64, len(values))
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		last := first
		for last < len(sorted) && sorted[last] == v {
			last++
		}
		out[i] = float64(first+1+last) / 2
	}
	return out
}
