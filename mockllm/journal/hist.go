package journal

import (
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	histBits    = 10 // 1024 steps per octave: a value is known to 0.1 %
	histSteps   = 1 << histBits
	histOctaves = 33 // up to 2^42 ns = 73 min
	histCells   = histSteps * (histOctaves + 1)
)

// hist is a log-linear histogram of durations from 1 ns to 73 min, with exact
// number, sum and maximum. Safe for concurrent use; its zero value is ready and
// takes its cells with the first value.
type hist struct {
	cells atomic.Pointer[[histCells]atomic.Uint64]
	n     atomic.Uint64
	sum   atomic.Uint64
	max   atomic.Int64
}

// Add counts one duration.
func (h *hist) Add(d time.Duration) {
	v := uint64(max(d, 0))
	cells := h.cells.Load()
	if cells == nil {
		h.cells.CompareAndSwap(nil, new([histCells]atomic.Uint64))
		cells = h.cells.Load()
	}
	cells[histIndex(v)].Add(1)
	h.n.Add(1)
	h.sum.Add(v)
	for {
		old := h.max.Load()
		if int64(v) <= old || h.max.CompareAndSwap(old, int64(v)) {
			return
		}
	}
}

// Remove takes back a value added before; the maximum stays.
func (h *hist) Remove(d time.Duration) {
	v := uint64(max(d, 0))
	h.cells.Load()[histIndex(v)].Add(^uint64(0))
	h.n.Add(^uint64(0))
	h.sum.Add(-v)
}

// histIndex maps v to its cell: below 1024 ns each nanosecond has its own,
// above each octave [2^k, 2^(k+1)) is cut in 1024 equal parts.
func histIndex(v uint64) int {
	if v < histSteps {
		return int(v)
	}
	shift := bits.Len64(v) - histBits - 1
	i := (shift+1)<<histBits | int(v>>shift)&(histSteps-1)
	return min(i, histCells-1)
}

// histValue is the middle of cell i.
func histValue(i int) time.Duration {
	if i < histSteps {
		return time.Duration(i)
	}
	shift := i>>histBits - 1
	low := uint64(histSteps|i&(histSteps-1)) << shift
	return time.Duration(low + uint64(1)<<shift/2)
}

// quantiles returns the values of rank ceil(q·n) for ascending per-mille ranks;
// zeros when the histogram is empty.
func (h *hist) quantiles(permille ...uint64) []time.Duration {
	out := make([]time.Duration, len(permille))
	cells := h.cells.Load()
	n := h.n.Load()
	if cells == nil || n == 0 {
		return out
	}
	var seen uint64
	next := 0
	for i := range cells {
		seen += cells[i].Load()
		for next < len(permille) && seen >= (permille[next]*n+999)/1000 {
			out[next] = min(histValue(i), time.Duration(h.max.Load()))
			next++
		}
		if next == len(permille) {
			break
		}
	}
	return out
}

// Buckets sums the histogram up to some round bounds, in seconds.
func (h *hist) Buckets() (n uint64, sum float64, out map[float64]uint64) {
	bounds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	out = make(map[float64]uint64, len(bounds))
	cells := h.cells.Load()
	next := 0
	for i := 0; cells != nil && i < len(cells); i++ {
		for next < len(bounds) && histValue(i).Seconds() > bounds[next] {
			out[bounds[next]] = n
			next++
		}
		n += cells[i].Load()
	}
	for ; next < len(bounds); next++ {
		out[bounds[next]] = n
	}
	return n, float64(h.sum.Load()) / 1e9, out
}
