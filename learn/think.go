package learn

import (
	"math"
	"slices"
	"time"
)

// longest is the longest pause that is taken for thinking; who is away for longer
// has come back.
const longest = 30 * time.Minute

// Think is the log-normal distribution fitted to the pauses before messages.
type Think struct {
	N      int
	Away   int // pauses left out because they were longer than half an hour
	Mu     float64
	Sigma  float64
	Far    float64 // greatest distance between the log's distribution and the fit (Kolmogorov–Smirnov)
	sorted []float64
}

// z95 is the standard normal's 95th percentile.
const z95 = 1.6448536269514722

// Median and P95 are those of the fit, in seconds.
func (t *Think) Median() float64 { return math.Exp(t.Mu) }

// P95 is the fit's 95th percentile in seconds.
func (t *Think) P95() float64 { return math.Exp(t.Mu + z95*t.Sigma) }

// thinking fits the pauses between a customer's message and what stood before it.
// Mean and deviation of the logarithms are the maximum-likelihood estimate.
func thinking(dialogs []*Dialog) *Think {
	t := &Think{}
	var sum float64
	for _, d := range dialogs {
		for i, m := range d.messages[1:] {
			pause := m.at.Sub(d.messages[i].at)
			switch {
			case !m.user || pause <= 0:
			case pause > longest:
				t.Away++
			default:
				l := math.Log(pause.Seconds())
				t.sorted = append(t.sorted, l)
				sum += l
			}
		}
	}
	t.N = len(t.sorted)
	if t.N == 0 {
		return t
	}
	t.Mu = sum / float64(t.N)
	for _, l := range t.sorted {
		t.Sigma += (l - t.Mu) * (l - t.Mu)
	}
	t.Sigma = math.Sqrt(t.Sigma / float64(t.N))
	slices.Sort(t.sorted)
	for i, l := range t.sorted {
		p := 0.5 * math.Erfc((t.Mu-l)/(t.Sigma*math.Sqrt2))
		if t.Sigma == 0 {
			p = float64(i) / float64(t.N)
		}
		t.Far = max(t.Far, math.Abs(p-float64(i)/float64(t.N)), math.Abs(p-float64(i+1)/float64(t.N)))
	}
	return t
}

// seen is the log's own quantile in seconds.
func (t *Think) seen(p float64) float64 {
	return math.Exp(t.sorted[min(int(p*float64(t.N)), t.N-1)])
}

// fitted is the fit's quantile in seconds.
func (t *Think) fitted(p float64) float64 {
	return math.Exp(t.Mu + t.Sigma*math.Sqrt2*math.Erfinv(2*p-1))
}
