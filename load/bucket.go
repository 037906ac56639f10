package load

import (
	"sync/atomic"
	"time"
)

// bucket is a token bucket of rate per second and one second's worth of burst,
// kept as a theoretical arrival time (GCRA, ITU-T I.371). Safe for concurrent
// use; a nil bucket refuses nothing.
type bucket struct {
	step  time.Duration // between two at the rate
	burst time.Duration
	next  atomic.Int64
}

// newBucket gives nil for no limit.
func newBucket(perSecond float64) *bucket {
	if perSecond <= 0 {
		return nil
	}
	step := time.Duration(float64(time.Second) / perSecond)
	b := &bucket{step: max(step, 1), burst: max(time.Second, step)}
	b.next.Store(-int64(time.Hour))
	return b
}

// take tells whether one at time at is inside the bucket, and takes its token;
// else when the next will be.
func (b *bucket) take(at time.Duration) (time.Duration, bool) {
	if b == nil {
		return 0, true
	}
	for {
		was := b.next.Load()
		next := max(time.Duration(was), at)
		if next+b.step-at > b.burst {
			return next + b.step - b.burst, false
		}
		if b.next.CompareAndSwap(was, int64(next+b.step)) {
			return 0, true
		}
	}
}
