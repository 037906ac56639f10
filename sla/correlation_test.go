package sla

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func TestCorrelationOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		dialogs   [][2]int64 // turns, of which bad
		rho, deff float64
	}{
		{"whole", [][2]int64{{3, 3}, {3, 0}, {3, 0}, {3, 3}}, 1, 3},
		{"as if independent", [][2]int64{{2, 2}, {2, 1}, {2, 1}, {2, 0}}, 0, 1},
		{"never two of one", [][2]int64{{2, 1}, {2, 1}}, -1, 0},
		// μ = (0 + 2·3 + 3·2)/24 = 1/2, λ = (2 + 6)/24 = 1/3: (1/3 − 1/4)/(1/4), Σn(n−1)/Σn = 24/10.
		{"of unequal length", [][2]int64{{3, 0}, {4, 2}, {3, 3}}, 1. / 3, 1 + 24./30},
	} {
		var sums measure.Clusters
		for _, d := range c.dialogs {
			n, b := d[0], d[1]
			sums.Turns += n
			sums.Pairs += n * (n - 1)
			sums.BadFirst += b * (n - 1)
			sums.BadBoth += b * (b - 1)
		}
		got, ok := correlationOf(sums)
		if !ok || math.Abs(got.Rho-c.rho) > 1e-12 || math.Abs(got.DEFF-c.deff) > 1e-12 {
			t.Errorf("%s: %+v, %t; want %v and %v", c.name, got, ok, c.rho, c.deff)
		}
	}
	for name, sums := range map[string]measure.Clusters{
		"none": {}, "turns alone": {Turns: 7}, "none bad": {Turns: 4, Pairs: 4}, "all bad": {Turns: 4, Pairs: 4, BadFirst: 4, BadBoth: 4},
	} {
		if got, ok := correlationOf(sums); ok {
			t.Errorf("of %s: %+v", name, got)
		}
	}
}

// simulatedDialogs are conversations of 1 to 5 turns of which a share p is bad, with
// correlation rho between two of one.
func simulatedDialogs(r *rand.Rand, n int, p, rho float64) (sums measure.Clusters) {
	for k := range n {
		m, share := int64(1+k%5), p
		switch {
		case rho == 1:
			share = float64(binomial(r, 1, p))
		case rho > 0:
			share = beta(r, p, rho)
		}
		b := binomial(r, int(m), share)
		sums.Turns += m
		sums.Pairs += m * (m - 1)
		sums.BadFirst += b * (m - 1)
		sums.BadBoth += b * (b - 1)
	}
	return sums
}

// The estimate is right on average, and precise where there are turns enough.
func TestCorrelationOfSimulatedDialogs(t *testing.T) {
	r := rand.New(rand.NewPCG(20261111, 55))
	for _, rho := range []float64{0, 0.05, 0.3, 0.7} {
		const runs = 40
		sum := 0.0
		for range runs {
			c, ok := correlationOf(simulatedDialogs(r, 4000, 0.05, rho))
			if !ok || math.Abs(c.Rho-rho) > 0.15 {
				t.Errorf("ρ = %v: %v", rho, c.Rho)
			}
			sum += c.Rho
		}
		if mean := sum / runs; math.Abs(mean-rho) > 0.02 {
			t.Errorf("ρ = %v: %v on average", rho, mean)
		}
	}
}

// talks records n dialogs of three turns, of which so many turns are bad.
func (b *bench) talks(second, n, bad int) {
	for range n {
		var d measure.Dialog
		at := time.Duration(second) * time.Second
		b.rec.Lane(0).Started(at)
		for i := range 3 {
			turn := measure.Turn{Intended: at, Sent: at, Done: at + 100*ms, Tier: measure.TierLLM, Memory: measure.Verified, Dialog: &d}
			if i < bad {
				turn.Outcome, turn.Tier = measure.ServerError, measure.TierUnknown
			}
			b.rec.Lane(0).Record(&turn)
		}
		b.rec.Lane(0).Ended(measure.Complete, &d)
	}
}

func TestMeasuredCorrelation(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.9, FullQuality: 0.9}
	b := newBench(t, sla, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(20*time.Second))
	b.talks(1, 50, 1) // not judged
	b.talks(6, 100, 0)
	b.talks(7, 10, 3)
	snap := b.snap()
	r := Evaluate(b.s, snap, nil)
	for _, name := range []string{"latency-p99", "availability", "full-quality"} {
		c := find(t, r, name).Correlation
		if c == nil || math.Abs(c.Rho-1) > 1e-12 || math.Abs(c.DEFF-3) > 1e-12 {
			t.Errorf("%s: dialogs that are bad as a whole: %+v", name, c)
		}
	}
	if c := find(t, r, "availability-seconds").Correlation; c != nil {
		t.Errorf("of seconds: %+v", c)
	}
	// A storm is left out of full quality, and pairs do not tell who was in it.
	b.s.SLA.Recovery = &scenario.Recovery{After: "storm", Quality: unit.Duration(time.Second)}
	r = Evaluate(b.s, snap, &measure.Facts{Storms: []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 11 * time.Second}}})
	if find(t, r, "full-quality").Correlation != nil || find(t, r, "availability").Correlation == nil {
		t.Error("with a storm the correlation of full quality is told, or that of availability is not")
	}
	// Nine bad turns tell too little, ten do.
	for bad, known := range map[int]bool{3: false, 4: true} {
		b := newBench(t, sla, judged(20*time.Second))
		b.talks(6, 100, 0)
		b.talks(7, bad, 3)
		if c := find(t, b.evaluate(), "availability").Correlation; (c != nil) != known {
			t.Errorf("%d bad turns: %+v", 3*bad, c)
		}
	}
}

// Ten bad turns and ten good ones tell, nine of either do not; and of conversations
// nothing hangs together in one.
func TestTurnsThatTellOfCorrelation(t *testing.T) {
	for _, c := range []struct {
		name       string
		dialogs    [][2]int // how many, with how many bad of three turns
		correlates bool
	}{
		{"ten bad", [][2]int{{5, 2}, {30, 0}}, true},
		{"nine bad", [][2]int{{3, 3}, {30, 0}}, false},
		{"ten good", [][2]int{{5, 1}, {30, 3}}, true},
		{"nine good", [][2]int{{9, 2}, {30, 3}}, false},
	} {
		b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{
			{Name: "turns", Kind: scenario.KindAvailability, Target: 0.9}, {Name: "dialogs", Kind: scenario.KindConversations, Target: 0.9},
		}}, judged(20*time.Second))
		for i, d := range c.dialogs {
			b.talks(i, d[0], d[1])
		}
		for range 10 {
			b.rec.Lane(0).Ended(measure.Broken, nil)
		}
		r := b.evaluate()
		if got := find(t, r, "turns").Correlation; (got != nil) != c.correlates {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got := find(t, r, "dialogs"); got.Correlation != nil {
			t.Errorf("%s: of conversations %+v", c.name, got.Correlation)
		}
	}
}

// Turns that are alone in their conversations hang together with none.
func TestTurnsAloneHaveNoCorrelation(t *testing.T) {
	b := newBench(t, scenario.SLA{Availability: 0.9}, judged(20*time.Second))
	b.turns(1, 100, nil)
	b.turns(2, 20, as(measure.Timeout))
	if got := find(t, b.evaluate(), "availability").Correlation; got != nil {
		t.Errorf("%+v", got)
	}
}
