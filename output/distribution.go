package output

import (
	"maps"
	"math"
	"time"

	"github.com/cstest/cstest/measure"
)

// Schema is the resolution of a Distribution, as Prometheus' native histograms and
// OpenTelemetry's exponential ones mean it: 2^Schema buckets from one power of 2 to
// the next, each 2.2 % wider than the one before.
const Schema = 5

// Distribution is durations, counted since the start of the load. Buckets[i] is how
// many were above 2^((i−1)/32) and up to 2^(i/32) seconds. A Distribution is not
// changed once made.
type Distribution struct {
	Count   int64
	Sum     time.Duration
	Buckets map[int]int64
}

// tally is a Distribution that grows.
type tally struct{ now Distribution }

// add counts what an interval holds.
func (t *tally) add(h *measure.Histogram) {
	if h.N() == 0 {
		return
	}
	if t.now.Buckets == nil {
		t.now.Buckets = map[int]int64{}
	}
	t.now.Count += h.N()
	t.now.Sum += h.Sum()
	h.Buckets(func(to time.Duration, count int64) bool { // as percentiles are told elsewhere
		t.now.Buckets[BucketOf(to)] += count
		return true
	})
}

// copied is what was counted until now.
func (t *tally) copied() Distribution {
	d := t.now
	d.Buckets = maps.Clone(d.Buckets)
	return d
}

// BucketOf is the index of the bucket that a duration falls into; what is below
// 1 µs counts as 1 µs.
func BucketOf(d time.Duration) int {
	seconds := max(d, time.Microsecond).Seconds()
	return int(math.Ceil(math.Log2(seconds) * (1 << Schema)))
}

// UpperEdge is the greatest duration of a bucket, in seconds.
func UpperEdge(index int) float64 { return math.Exp2(float64(index) / (1 << Schema)) }

// Edges are upper edges in seconds for those who know no exponential buckets.
func Edges() []float64 {
	return []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}
}

// UpTo is how many durations lie in buckets that end at or below an edge.
func (d *Distribution) UpTo(seconds float64) (n int64) {
	last := int(math.Floor(math.Log2(seconds) * (1 << Schema)))
	for i, count := range d.Buckets {
		if i <= last {
			n += count
		}
	}
	return n
}
