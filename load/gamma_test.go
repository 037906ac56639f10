package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

func bursty(shape float64, stages ...scenario.Stage) *scenario.Load {
	return &scenario.Load{Arrivals: scenario.ArrivalsGamma, Shape: shape, Stages: stages}
}

// The times between starts have the mean of the rate and the coefficient of variation
// 1/√shape, each within four standard errors.
func TestGammaArrivalsHaveTheirMeanAndVariation(t *testing.T) {
	for _, shape := range []float64{0.05, 0.1, 0.5, 1, 2, 10, 1000} {
		s := NewSchedule(bursty(shape, stageOf(2000*time.Second, 50, 50)), 11)
		var sum, squares, n float64
		last := time.Duration(0)
		for _, at := range s.Starts() {
			d := (at - last).Seconds() * 50
			last = at
			sum, squares, n = sum+d, squares+d*d, n+1
		}
		mean := sum / n
		cv := math.Sqrt(squares/n-mean*mean) / mean
		want := 1 / math.Sqrt(shape)
		// Of a gamma distribution the excess kurtosis is 6/shape, the skewness 2/√shape:
		// the variance of ln(cv) is about (kurtosis + 2)/4n − skewness·cv/n + cv²/n.
		relative := math.Sqrt(((6/shape+2)/4 - 2*want*want + want*want) / n)
		if math.Abs(mean-1) > 4*want/math.Sqrt(n) {
			t.Errorf("shape %v: mean %.4f of the rate's over %v starts", shape, mean, n)
		}
		if math.Abs(cv/want-1) > 4*relative+0.001 {
			t.Errorf("shape %v: coefficient of variation %.4f, want %.4f ± %.4f", shape, cv, want, 4*relative*want)
		}
	}
}

// The distribution itself, where a formula is at hand: of shape 1/2 a draw is half the
// square of a normal one, of shape 2 the sum of two exponential ones.
func TestGammaDrawsAreDistributedAsTheyShould(t *testing.T) {
	for shape, below := range map[float64]func(x float64) float64{
		0.5: func(x float64) float64 { return math.Erf(math.Sqrt(x)) },
		2:   func(x float64) float64 { return 1 - math.Exp(-x)*(1+x) },
	} {
		const n = 20_000
		var all []float64
		for k := range int64(n) {
			all = append(all, gamma(draw(3, k, forArrival), shape))
		}
		slices.Sort(all)
		worst := 0.0
		for i, x := range all {
			worst = max(worst, math.Abs(below(x)-float64(i)/n), math.Abs(below(x)-float64(i+1)/n))
		}
		if worst*math.Sqrt(n) > 1.95 { // Kolmogorov, 0.1 %
			t.Errorf("shape %v: greatest distance %.4f", shape, worst)
		}
	}
}

func TestGammaOfShapeOneIsPoisson(t *testing.T) {
	stages := []scenario.Stage{stageOf(10*time.Second, 0, 100), stageOf(10*time.Second, 100, 20)}
	poisson := NewSchedule(&scenario.Load{Arrivals: scenario.ArrivalsPoisson, Stages: stages}, 5)
	if !slices.Equal(starts(poisson), starts(NewSchedule(bursty(1, stages...), 5))) {
		t.Error("the plans differ")
	}
}

// The rate is kept as it changes, and shards are the plan of one machine.
func TestGammaArrivalsFollowTheRate(t *testing.T) {
	stages := []scenario.Stage{stageOf(1000*time.Second, 0, 100), stageOf(1000*time.Second, 20, 20)}
	s := NewSchedule(bursty(0.5, stages...), 5)
	all := starts(s)
	first := 0
	for _, one := range all {
		if one.at < 1000*time.Second {
			first++
		}
	}
	// 50,000 and 20,000, with √(n/shape) of chance.
	if math.Abs(float64(first)-50_000) > 4*math.Sqrt(100_000) || math.Abs(float64(len(all)-first)-20_000) > 4*math.Sqrt(40_000) {
		t.Errorf("%d starts on the ramp, %d behind it", first, len(all)-first)
	}
	var union []start
	for i := range 7 {
		union = append(union, starts(s.Shard(i, 7))...)
	}
	slices.SortFunc(union, func(a, b start) int { return int(a.k - b.k) })
	if !slices.Equal(union, all) {
		t.Error("seven shards are not the plan of one machine")
	}
}
