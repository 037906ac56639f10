package measure

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range and precision of every histogram: 1 µs to 1 h in nanoseconds, 3 digits.
const (
	lowest  = int64(time.Microsecond)
	highest = int64(time.Hour)
	digits  = 3
)

// Histogram is a distribution of durations: an HdrHistogram from 1 µs to 1 h at
// 3 significant digits, in nanoseconds, with exact count, minimum, maximum and
// sum beside it. What lies above 1 h is kept as 1 h and counted as clamped; the
// exact figures keep the true value. It stores populated buckets only. A nil
// Histogram is empty. Not safe for concurrent use.
type Histogram struct {
	packed  *hdrhistogram.PackedHistogram
	exact   exact
	clamped int64
}

// exact is what a histogram's buckets would blur.
type exact struct {
	n, sum, min, max int64
}

func (e *exact) record(v int64) {
	if e.n == 0 || v < e.min {
		e.min = v
	}
	if v > e.max {
		e.max = v
	}
	e.n++
	e.sum = saturating(e.sum, v)
}

func (e *exact) add(o exact) {
	if o.n == 0 {
		return
	}
	if e.n == 0 || o.min < e.min {
		e.min = o.min
	}
	e.max = max(e.max, o.max)
	e.n = saturating(e.n, o.n)
	e.sum = saturating(e.sum, o.sum)
}

// saturating adds two values that are not negative; it stays associative at the end of the range.
func saturating(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// NewHistogram gives an empty histogram.
func NewHistogram() *Histogram {
	return &Histogram{packed: hdrhistogram.NewPacked(lowest, highest, digits)}
}

// Record adds one duration; a negative one counts as zero.
func (h *Histogram) Record(d time.Duration) {
	v := max(int64(d), 0)
	h.exact.record(v)
	if v > highest {
		h.clamped++
		v = highest
	}
	// In range and far below 2^63 values, so the library cannot refuse it.
	_ = h.packed.RecordValue(v)
}

// N is how many durations were recorded.
func (h *Histogram) N() int64 {
	if h == nil {
		return 0
	}
	return h.exact.n
}

// Min is the exact least duration; 0 when empty.
func (h *Histogram) Min() time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(h.exact.min)
}

// Max is the exact greatest duration; 0 when empty.
func (h *Histogram) Max() time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(h.exact.max)
}

// Sum is the exact sum of all durations; it stays at the largest Duration when it would not fit.
func (h *Histogram) Sum() time.Duration {
	if h == nil {
		return 0
	}
	return time.Duration(h.exact.sum)
}

// Mean is the exact arithmetic mean; false when empty.
func (h *Histogram) Mean() (time.Duration, bool) {
	if h.N() == 0 {
		return 0, false
	}
	return time.Duration(h.exact.sum / h.exact.n), true
}

// Clamped is how many durations were above 1 h.
func (h *Histogram) Clamped() int64 {
	if h == nil {
		return 0
	}
	return h.clamped
}

// Rank is the nearest rank of a quantile among n values: ceil(q·n), at least 1
// and at most n, computed in integers after rounding q to nine decimals (so that
// 0.07 of 100 is 7 and not 8). It is 0 when n is 0 or q is not a number.
func Rank(q float64, n int64) int64 {
	const scale = 1_000_000_000
	if n <= 0 || math.IsNaN(q) {
		return 0
	}
	parts := uint64(math.Round(min(max(q, 0), 1) * scale))
	hi, lo := bits.Mul64(parts, uint64(n))
	lo, carry := bits.Add64(lo, scale-1, 0)
	k, _ := bits.Div64(hi+carry, lo, scale)
	return min(max(int64(k), 1), n)
}

// AtRank is the k-th smallest duration, k from 1: the upper edge of its bucket
// (at most 0.1 % or 512 ns too high, whichever is more), never outside the exact minimum and maximum. False
// when there is no such rank.
func (h *Histogram) AtRank(k int64) (time.Duration, bool) {
	if h == nil || k < 1 || k > h.exact.n {
		return 0, false
	}
	if k == h.exact.n {
		return time.Duration(h.exact.max), true
	}
	// The library rounds the rank it computes from a percentage half up; from
	// 100·k/n that rank is k again.
	v := h.packed.ValueAtPercentile(100 * float64(k) / float64(h.exact.n))
	return time.Duration(min(max(v, h.exact.min), h.exact.max)), true
}

// Quantile is the value at the nearest rank ceil(q·n), never interpolated; false when empty.
func (h *Histogram) Quantile(q float64) (time.Duration, bool) {
	return h.AtRank(Rank(q, h.N()))
}

// QuantileWithFailures is the quantile of the recorded durations and of as many
// infinite ones as there were failures; false when it is infinite or nothing was recorded.
func (h *Histogram) QuantileWithFailures(q float64, failures int64) (time.Duration, bool) {
	return h.AtRank(Rank(q, saturating(h.N(), max(failures, 0))))
}

// Buckets calls yield for every populated bucket, ascending, with the greatest value
// that falls into it: what AtRank gives. It is an iter.Seq2.
func (h *Histogram) Buckets(yield func(to time.Duration, count int64) bool) {
	if h == nil {
		return
	}
	h.packed.ForEachBucket(func(from, count int64) bool {
		next := bucketValue(bucketIndex(time.Duration(from)) + 1)
		return yield(time.Duration(next-1), count)
	})
}

// Add adds what o holds. An error means that counts did not fit and the sum is not to be trusted.
func (h *Histogram) Add(o *Histogram) error {
	if o.N() == 0 {
		return nil
	}
	if dropped := h.packed.Merge(o.packed); dropped != 0 {
		return fmt.Errorf("merging histograms dropped %d values", dropped)
	}
	h.exact.add(o.exact)
	h.clamped += o.clamped
	return nil
}

// Encode is the histogram as an HdrHistogram log has it: V2, compressed, in base64.
func (h *Histogram) Encode() ([]byte, error) { return h.packed.EncodeV2() }

// Clone is an independent copy.
func (h *Histogram) Clone() *Histogram {
	if h == nil {
		return nil
	}
	return &Histogram{packed: h.packed.Clone(), exact: h.exact, clamped: h.clamped}
}

// Equal tells whether both hold the same counts and the same exact figures; nil equals empty.
func (h *Histogram) Equal(o *Histogram) bool {
	if h.N() == 0 || o.N() == 0 {
		return h.N() == o.N()
	}
	if h.exact != o.exact || h.clamped != o.clamped || h.packed.Populated() != o.packed.Populated() {
		return false
	}
	equal := true
	h.packed.ForEachBucket(func(v, count int64) bool {
		equal = o.packed.CountAtValue(v) == count
		return equal
	})
	return equal
}

// accumulator is the recording side of a Histogram: a dense array, allocated at
// the first value and kept, so that recording costs an index and no allocation.
type accumulator struct {
	dense   *hdrhistogram.Histogram
	exact   exact
	clamped int64
}

func (a *accumulator) record(d time.Duration) {
	v := max(int64(d), 0)
	a.exact.record(v)
	if v > highest {
		a.clamped++
		v = highest
	}
	if a.dense == nil {
		a.dense = hdrhistogram.New(lowest, highest, digits)
	}
	_ = a.dense.RecordValue(v)
}

// drain adds what a holds to h, and empties a.
func (a *accumulator) drain(h *Histogram) error {
	if a.exact.n == 0 {
		return nil
	}
	dropped := h.packed.MergeFrom(a.dense)
	h.exact.add(a.exact)
	h.clamped += a.clamped
	a.dense.Reset()
	a.exact, a.clamped = exact{}, 0
	if dropped != 0 {
		return fmt.Errorf("merging a lane's histogram dropped %d values", dropped)
	}
	return nil
}
