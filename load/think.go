package load

import (
	"math"
	"time"

	"github.com/cstest/cstest/scenario"
)

// think is a distribution of pauses.
type think struct {
	kind      thinkKind
	low, high time.Duration // constant: low; uniform: both
	mu, sigma float64       // log-normal, of seconds
}

type thinkKind uint8

const (
	thinkConstant thinkKind = iota
	thinkUniform
	thinkLogNormal
)

// maxThink bounds the tail of a log-normal pause.
const maxThink = time.Hour

// z95 is Φ⁻¹(0.95): p95 = median · exp(z95 · σ).
const z95 = 1.6448536269514722

// newThink takes the first of the pauses that is written; nil is none.
func newThink(written ...*scenario.Think) *think {
	for _, w := range written {
		if w == nil {
			continue
		}
		t := &think{low: time.Duration(w.Constant)}
		switch {
		case w.Median > 0:
			t.kind = thinkLogNormal
			t.mu = math.Log(time.Duration(w.Median).Seconds())
			t.sigma = math.Log(max(float64(w.P95)/float64(w.Median), 1)) / z95
		case w.Max > 0:
			t.kind, t.low, t.high = thinkUniform, time.Duration(w.Min), time.Duration(w.Max)
		}
		return t
	}
	return nil
}

// pause draws one, from random bits.
func (t *think) pause(random uint64) time.Duration {
	if t == nil {
		return 0
	}
	switch t.kind {
	case thinkUniform:
		return t.low + time.Duration(unitOpen(random)*float64(t.high-t.low))
	case thinkLogNormal:
		seconds := math.Exp(t.mu + float64(t.sigma*normal(random)))
		return time.Duration(min(seconds, maxThink.Seconds()) * 1e9)
	case thinkConstant:
	}
	return t.low
}
