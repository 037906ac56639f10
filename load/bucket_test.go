package load

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A bucket never lets more through than its rate and a second's worth, and
// refuses nothing that is inside.
func TestBucketKeepsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 1000).Draw(t, "rate")
		b := newBucket(float64(rate))
		tokens, last, at := float64(rate), time.Duration(0), time.Duration(0)
		for _, gap := range rapid.SliceOfN(rapid.Int64Range(0, int64(50*time.Millisecond)), 0, 300).Draw(t, "gaps") {
			at += time.Duration(gap)
			tokens = min(tokens+(at-last).Seconds()*float64(rate), float64(rate))
			last = at
			next, ok := b.take(at)
			// A token's thousandth is the clock's rounding.
			if ok && tokens < 0.999 || !ok && tokens > 1.001 {
				t.Fatalf("at %v with %.4f tokens: %v", at, tokens, ok)
			}
			if ok {
				tokens--
			} else if next <= at {
				t.Fatalf("refused at %v until %v", at, next)
			}
		}
	})
	var none *bucket
	if _, ok := none.take(0); !ok || newBucket(0) != nil {
		t.Error("no limit refuses")
	}
}
