package measure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// 96 fast answers and 6 of 1502 ms: interpolating tools report 1427, 1075 or
// 1072 ms for P95.
func TestNearestRank(t *testing.T) {
	h := NewHistogram()
	for range 96 {
		h.Record(20 * ms)
	}
	for range 6 {
		h.Record(1502 * ms)
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.95, 1502 * ms}, {0.94, 20 * ms}, {0.9411764, 20 * ms}, {0.9411765, 1502 * ms}, {0.99, 1502 * ms}, {1, 1502 * ms}, {0, 20 * ms}, {0.5, 20 * ms}} {
		got, ok := h.Quantile(c.q)
		if !ok || math.Abs(float64(got-c.want)) > float64(c.want)/1000 {
			t.Errorf("P%v = %v, want %v", c.q, got, c.want)
		}
	}
	if got, _ := h.Quantile(0.95); got != 1502*ms {
		t.Errorf("the maximum is %v, want exactly 1502 ms", got)
	}
}

func TestRank(t *testing.T) {
	for _, c := range []struct {
		q    float64
		n, k int64
	}{
		{0.07, 100, 7},
		{0.99, 100, 99},
		{0.99, 101, 100},
		{0.999, 1000, 999},
		{0.999, 1001, 1000},
		{0.5, 1, 1},
		{0, 5, 1},
		{1, 5, 5},
		{2, 5, 5},
		{-1, 5, 1},
		{0.5, 0, 0},
		{math.NaN(), 5, 0},
		{0.29, 100, 29},
		{0.57, 100, 57},
		{0.95, 1 << 60, 1095260133665450496},
	} {
		if got := Rank(c.q, c.n); got != c.k && c.n < 1<<50 {
			t.Errorf("Rank(%v, %d) = %d, want %d", c.q, c.n, got, c.k)
		}
	}
	// Integers, so exact where a float64 has no bits left.
	if got, want := Rank(0.95, 1<<60), int64((1<<60)/100*95+(1<<60)%100*95/100+1); got != want {
		t.Errorf("Rank(0.95, 2^60) = %d, want %d", got, want)
	}
}

// Every rank of a histogram is the rank of the sorted values, to 0.1 %.
func TestRanksAgainstSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(1000, int64(time.Hour)), 1, 300).Draw(t, "values")
		h, a := NewHistogram(), &accumulator{}
		for _, v := range values {
			a.record(time.Duration(v))
		}
		if err := a.drain(h); err != nil {
			t.Fatal(err)
		}
		slices.Sort(values)
		for k := range values {
			got, ok := h.AtRank(int64(k + 1))
			if diff := int64(got) - values[k]; !ok || diff < 0 && k > 0 && values[k] != values[len(values)-1] && -diff > values[k]/1000 || diff > 512+values[k]/1000 {
				t.Fatalf("rank %d of %d: %d, want %d", k+1, len(values), got, values[k])
			}
		}
		if _, ok := h.AtRank(0); ok {
			t.Fatal("rank 0 exists")
		}
		if _, ok := h.AtRank(int64(len(values)) + 1); ok {
			t.Fatal("rank n+1 exists")
		}
		var total int64
		for _, v := range values {
			total = saturating(total, v)
		}
		if int64(h.Min()) != values[0] || int64(h.Max()) != values[len(values)-1] || int64(h.Sum()) != total || h.N() != int64(len(values)) {
			t.Fatalf("min %d max %d sum %d n %d", h.Min(), h.Max(), h.Sum(), h.N())
		}
	})
}

func TestFailuresAreInfinite(t *testing.T) {
	h := NewHistogram()
	for i := range 98 {
		h.Record(time.Duration(i+1) * ms)
	}
	if _, ok := h.QuantileWithFailures(0.99, 2); ok {
		t.Error("rank 99 of 98 answers and 2 failures is finite")
	}
	if got, ok := h.QuantileWithFailures(0.98, 2); !ok || got != 98*ms {
		t.Errorf("rank 98 is %v, %v", got, ok)
	}
	if got, ok := h.QuantileWithFailures(1, -5); !ok || got != 98*ms {
		t.Errorf("without failures the maximum is %v, %v", got, ok)
	}
	if _, ok := NewHistogram().QuantileWithFailures(0.5, 10); ok {
		t.Error("only failures, but a finite quantile")
	}
}

func TestClampedAndNegative(t *testing.T) {
	for name, record := range map[string]func(*Histogram, time.Duration){
		"histogram": func(h *Histogram, d time.Duration) { h.Record(d) },
		"lane": func(h *Histogram, d time.Duration) {
			a := &accumulator{}
			a.record(d)
			if err := a.drain(h); err != nil {
				t.Fatal(err)
			}
		},
	} {
		h := NewHistogram()
		record(h, time.Hour)
		record(h, 3*time.Hour)
		record(h, 2*time.Hour)
		record(h, -5)
		if h.Clamped() != 2 || h.Max() != 3*time.Hour || h.Min() != 0 || h.Sum() != 6*time.Hour || h.N() != 4 {
			t.Errorf("%s: clamped %d max %v min %v sum %v n %d", name, h.Clamped(), h.Max(), h.Min(), h.Sum(), h.N())
		}
		if got, _ := h.AtRank(3); got < time.Hour || got > time.Hour+4*time.Second {
			t.Errorf("%s: rank 3 is %v, want 1 h", name, got)
		}
	}
}

func TestNilHistogramIsEmpty(t *testing.T) {
	var h *Histogram
	_, quantile := h.Quantile(0.5)
	_, mean := h.Mean()
	if h.N() != 0 || h.Min() != 0 || h.Max() != 0 || h.Sum() != 0 || h.Clamped() != 0 || quantile || mean || h.Clone() != nil || !h.Equal(NewHistogram()) {
		t.Error("a nil histogram is not empty")
	}
	h.Buckets(func(time.Duration, int64) bool { t.Error("a nil histogram has buckets"); return true })
}

func TestMean(t *testing.T) {
	h := NewHistogram()
	h.Record(1 * ms)
	h.Record(2 * ms)
	if mean, ok := h.Mean(); !ok || mean != 1500*time.Microsecond {
		t.Errorf("mean %v, %v", mean, ok)
	}
}

func TestHistogramEqualSeesEveryDifference(t *testing.T) {
	build := func(values ...time.Duration) *Histogram {
		h := NewHistogram()
		for _, v := range values {
			h.Record(v)
		}
		return h
	}
	a := build(1*ms, 2*ms, 6*ms)
	for name, b := range map[string]*Histogram{
		"counts": build(1*ms, 3*ms, 5*ms), "min": build(0, 3*ms, 6*ms), "n": build(1*ms, 2*ms, 6*ms, 6*ms), "empty": nil,
	} {
		if a.Equal(b) || b.Equal(a) {
			t.Errorf("equal although %s differ", name)
		}
	}
	// The same n, sum, min, max and number of buckets, other buckets.
	if x, y := build(1*ms, 2*ms, 5*ms, 6*ms), build(1*ms, 3*ms, 4*ms, 6*ms); x.exact != y.exact || x.Equal(y) {
		t.Error("equal although buckets differ")
	}
	if c := a.Clone(); !a.Equal(c) {
		t.Error("a clone is not equal")
	} else if c.Record(time.Second); a.Equal(c) || a.N() != 3 {
		t.Error("a clone shares its counts")
	}
}

// The numbering of buckets is the library's: one number for each of its buckets, in order.
func TestBucketIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, highest).Draw(t, "v")
		h := NewHistogram()
		h.Record(time.Duration(v))
		i := bucketIndex(time.Duration(v))
		h.packed.ForEachBucket(func(from, _ int64) bool {
			if bucketValue(i) != from || bucketIndex(time.Duration(from)) != i {
				t.Fatalf("%d is in the bucket of %d: number %d, which begins at %d", v, from, i, bucketValue(i))
			}
			return true
		})
		for to := range h.Buckets {
			if bucketIndex(to) != i || bucketIndex(to+1) != i+1 {
				t.Fatalf("%d is in the bucket that ends at %d: number %d, and number %d begins behind it", v, to, bucketIndex(to), bucketIndex(to+1))
			}
		}
	})
	for i := uint64(1); i < 24_000; i++ {
		if bucketValue(i) <= bucketValue(i-1) || bucketIndex(time.Duration(bucketValue(i))) != i {
			t.Fatalf("bucket %d begins at %d, the one before at %d", i, bucketValue(i), bucketValue(i-1))
		}
	}
}

func TestSketchError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(1024, int64(time.Hour)).Draw(t, "v")
		var tally sketchTally
		tally.record(time.Duration(v))
		s := tally.drain()
		got, ok := s.Quantile(0.5)
		if off := math.Abs(float64(got)-float64(v)) / float64(v); !ok || off > 0.016 {
			t.Fatalf("%d became %d: off by %.2f %%", v, got, 100*off)
		}
	})
	for _, d := range []time.Duration{-1, 0, 1023} {
		if sketchCell(d) != 0 {
			t.Errorf("%d ns is not in the first cell", d)
		}
	}
	if sketchCell(1<<42) != sketchCells-1 || sketchCell(math.MaxInt64) != sketchCells-1 || sketchCell(1<<42-1) != sketchCells-1 {
		t.Error("the longest durations are not in the last cell")
	}
}

func TestSketchQuantileAndAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(2000, int64(time.Minute)), 1, 200).Draw(t, "values")
		cut := rapid.IntRange(0, len(values)).Draw(t, "cut")
		var parts [2]Sketch
		for i, half := range [][]int64{values[:cut], values[cut:]} {
			var tally sketchTally
			for _, v := range half {
				tally.record(time.Duration(v))
			}
			parts[i] = tally.drain()
			if tally.hi != 0 || slices.Max(tally.counts[:]) != 0 {
				t.Fatal("a drained tally is not empty")
			}
		}
		ab, ba := parts[0].Clone(), parts[1].Clone()
		ab.Add(&parts[1])
		ba.Add(&parts[0])
		if !slices.Equal(ab.cells, ba.cells) || ab.n != int64(len(values)) || ba.n != ab.n {
			t.Fatalf("sums differ: %v and %v", ab, ba)
		}
		slices.Sort(values)
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			want := values[Rank(q, int64(len(values)))-1]
			if got, _ := ab.Quantile(q); math.Abs(float64(got)-float64(want)) > 0.016*float64(want) {
				t.Fatalf("P%v = %d, want %d", q, got, want)
			}
		}
	})
	var empty Sketch
	if _, ok := empty.Quantile(0.5); ok {
		t.Error("an empty sketch has a median")
	}
}

func TestSketchCountsSaturate(t *testing.T) {
	a := Sketch{cells: []uint64{5<<32 | math.MaxUint32}, n: math.MaxUint32}
	a.Add(&Sketch{cells: []uint64{5<<32 | 7}, n: 7})
	if a.cells[0] != 5<<32|math.MaxUint32 {
		t.Errorf("the cell became %x", a.cells[0])
	}
}

// Buckets end where percentiles say that they do.
func TestBucketsEndWhereAtRankSays(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		v := time.Duration(math.Exp(random.Float64() * math.Log(float64(30*time.Minute))))
		h := NewHistogram()
		h.Record(v)
		h.Record(time.Hour) // or the exact maximum would be told
		want, _ := h.AtRank(1)
		first := true
		h.Buckets(func(to time.Duration, count int64) bool {
			if first && (to != want || count != 1) {
				t.Errorf("%d: the bucket ends at %d with %d, AtRank says %d", v, to, count, want)
			}
			first = false
			return true
		})
	}
}
