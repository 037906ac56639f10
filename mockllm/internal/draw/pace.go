package draw

import (
	"math"
	"time"

	"github.com/cstest/cstest/mockllm/config"
)

// p99Deviate is the 0.99 quantile of the standard normal distribution.
const p99Deviate = 2.3263478740408408

// sampler draws durations from one distribution. A value, safe for concurrent use.
type sampler struct {
	shape  byte // 'c' constant, 'u' uniform, 'l' log-normal
	a, b   float64
	always time.Duration
}

// newSampler makes the sampler of a validated distribution. For the log-normal
// one, ln X ~ N(mu, sigma²) with mu = ln median, sigma = ln(p99/median)/z(0.99).
func newSampler(d config.Dist) sampler {
	switch {
	case d.Max != 0:
		return sampler{shape: 'u', a: float64(d.Min), b: float64(d.Max - d.Min)}
	case d.Median > 0:
		sigma := math.Log(float64(d.P99)/float64(d.Median)) / p99Deviate
		return sampler{shape: 'l', a: math.Log(float64(d.Median)), b: sigma}
	}
	return sampler{shape: 'c', always: d.Constant.D()}
}

// at is the duration that a hash stands for.
func (s sampler) at(h uint64) time.Duration {
	switch s.shape {
	case 'u':
		return time.Duration(s.a + s.b*Uniform(h))
	case 'l':
		return min(time.Duration(math.Exp(s.a+s.b*Normal(h))), config.MaxDelay)
	}
	return s.always
}

// Pace is the latency of a configuration, ready to draw from.
type Pace struct {
	whole       sampler
	Tokens      bool // first and per are used instead of whole
	first, next sampler
}

// NewPace makes the pace of a validated latency.
func NewPace(l config.Latency) Pace {
	if l.FirstToken == nil && l.PerToken == nil {
		return Pace{whole: newSampler(config.Dist{Constant: l.Constant, Min: l.Min, Max: l.Max, Median: l.Median, P99: l.P99})}
	}
	p := Pace{Tokens: true}
	if l.FirstToken != nil {
		p.first = newSampler(*l.FirstToken)
	}
	if l.PerToken != nil {
		p.next = newSampler(*l.PerToken)
	}
	return p
}

// Begin is the time to the first token, or of the whole answer.
func (p Pace) Begin(seed uint64, k Key, ordinal uint32) time.Duration {
	h := Hash(seed, k, ordinal, saltLatency)
	if p.Tokens {
		return p.first.at(h)
	}
	return p.whole.at(h)
}

// Gap is the time between token i-1 and token i, i from 1.
func (p Pace) Gap(seed uint64, k Key, ordinal uint32, i int) time.Duration {
	if !p.Tokens {
		return 0
	}
	if p.next.shape == 'c' || p.next.shape == 0 {
		return p.next.always
	}
	return p.next.at(Hash(seed, k, ordinal, saltToken+uint64(i)<<8))
}
