package quota

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/cstest/cstest/unit"
)

// Keyed are token buckets of one kind, one for each key. Their rate is given
// with every call, so that it can change while the server runs. Safe for
// concurrent use.
type Keyed struct {
	name    string
	seconds float64 // of burst
	buckets *otter.Cache[string, *rate.Limiter]
}

func newKeyed(name string, seconds float64) Keyed {
	return Keyed{name, seconds, otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxUserBuckets, ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](bucketIdle)})}
}

func (k Keyed) bucket(key string, perSecond unit.Rate) *rate.Limiter {
	burst := int(math.Round(k.seconds * float64(perSecond)))
	b := bucketOf(k.buckets, key, float64(perSecond), burst)
	if b.Limit() != rate.Limit(perSecond) {
		b.SetLimit(rate.Limit(perSecond))
		b.SetBurst(max(1, burst))
	}
	return b
}

// Take takes a token; nil when there was one.
func (k Keyed) Take(key string, perSecond unit.Rate, now time.Time) *Refusal {
	if perSecond <= 0 {
		return nil
	}
	b := k.bucket(key, perSecond)
	return take(b, k.name, b.Burst(), now)
}

// Spend takes n tokens that were used already, into debt where there are fewer, by what
// the bucket holds at most.
func (k Keyed) Spend(key string, perSecond unit.Rate, n int, now time.Time) {
	if perSecond <= 0 || n <= 0 {
		return
	}
	b := k.bucket(key, perSecond)
	b.ReserveN(now, min(n, b.Burst()))
}

// Peek is Take without taking.
func (k Keyed) Peek(key string, perSecond unit.Rate, now time.Time) *Refusal {
	if perSecond <= 0 {
		return nil
	}
	b, ok := k.buckets.GetIfPresent(key)
	if !ok || b.TokensAt(now) >= 1 {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) / float64(b.Limit()) * float64(time.Second))
	return &Refusal{Name: k.name, Limit: b.Burst(), Wait: max(wait, time.Millisecond)}
}
