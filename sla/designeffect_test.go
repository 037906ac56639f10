package sla

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// blocked is the design effect over blocks of so many seconds, by the formula as it
// is printed: k blocks, and what is left over in the last of them.
func blocked(parts []part, length int, t float64) float64 {
	const z = 1.959963985
	k := len(parts) / length
	var n, count, squares float64
	for _, p := range parts {
		n, count = n+p.n, count+p.count
	}
	share := count / n
	for i := range k {
		end := (i + 1) * length
		if i == k-1 {
			end = len(parts)
		}
		rest := 0.0
		for _, p := range parts[i*length : end] {
			rest += p.count - share*p.n
		}
		squares += rest * rest
	}
	b := float64(k)
	return squares * b / (b - 1) / (n * n) * n / (share * (1 - share)) * (t / z) * (t / z)
}

// The design effect is the widest over blocks of 1, 2, 4 … seconds, of which there
// are eight at least; quantiles of Student's t are from a table.
func TestDesignEffectIsItsFormula(t *testing.T) {
	table := map[int]float64{ // 97.5 %, by blocks
		8: 2.364624252, 9: 2.306004135, 15: 2.144786688, 16: 2.131449546, 17: 2.119905299, 18: 2.109815578,
		32: 2.039513446, 35: 2.032244509, 64: 1.998340543, 70: 1.994945415,
	}
	rng := rand.New(rand.NewPCG(4, 9))
	for _, seconds := range []int{8, 9, 15, 16, 17, 18, 64, 70} {
		for _, stretch := range []int{1, 3, 7, 20} {
			var parts []part
			share := 0.0
			for i := range seconds {
				if i%stretch == 0 {
					share = rng.Float64() * rng.Float64()
				}
				p := part{n: float64(20 + rng.IntN(80))}
				p.count = math.Floor(share * p.n)
				parts = append(parts, p)
			}
			want := 1.0
			for length := 1; seconds/length >= 8; length *= 2 {
				if table[seconds/length] == 0 {
					t.Fatalf("no quantile for %d blocks", seconds/length)
				}
				want = max(want, blocked(parts, length, table[seconds/length]))
			}
			if got := designEffect(parts, 0.95); !(math.Abs(got/want-1) <= 1e-7) {
				t.Errorf("%d seconds in stretches of %d: %v, want %v", seconds, stretch, got, want)
			}
		}
	}
}

// A second without turns tells nothing, one with a turn does. The times of a second
// that are above the quantile of all are counted, and all that never ended.
func TestPartsAboveAQuantile(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(6*time.Second))
	b.turns(0, 1, taking(900*ms))
	b.turns(2, 3, taking(100*ms))
	b.turns(4, 5, taking(100*ms))
	b.turns(4, 2, as(measure.Timeout))
	b.turns(5, 1, as(measure.Censored))
	snap := b.snap()
	for _, c := range []struct {
		name   string
		failed func(*measure.Second) int64
		want   []part
	}{
		{"of answers", func(*measure.Second) int64 { return 0 }, []part{{1, 1}, {3, 0}, {5, 0}}},
		{"with failures", unanswered, []part{{1, 1}, {3, 0}, {7, 2}, {1, 1}}},
	} {
		if got := partsAbove(snap, 0.5, c.failed); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
