package measure

import (
	"math"
	"math/bits"
	"time"
)

// The cells of a sketch: cell 0 takes everything below 1024 ns, then every
// power of two up to 2^42 ns (1 h 13 min) is cut into 32 equal cells.
const (
	sketchFloor   = 10
	sketchBits    = 5
	sketchOctaves = 32 // powers of two covered
	sketchCells   = 1 + sketchOctaves<<sketchBits
)

// Sketch is a small distribution of durations for one second: log-linear, with
// quantiles within 1.6 % of the true value from 1 µs to 1 h. It keeps populated
// cells only, 8 bytes each. The zero value is empty. Not safe for concurrent use.
type Sketch struct {
	cells []uint64 // index<<32 | count, ascending
	n     int64
}

// sketchCell is the cell of a duration; negative ones go to the first.
func sketchCell(d time.Duration) int {
	if d < 1<<sketchFloor {
		return 0
	}
	length := bits.Len64(uint64(d))
	octave := length - sketchFloor - 1
	if octave >= sketchOctaves {
		return sketchCells - 1
	}
	sub := int(uint64(d)>>(length-1-sketchBits)) & (1<<sketchBits - 1)
	return 1 + octave<<sketchBits + sub
}

// sketchValue is the middle of a cell.
func sketchValue(cell int) time.Duration {
	if cell == 0 {
		return 1 << (sketchFloor - 1)
	}
	octave, sub := (cell-1)>>sketchBits, (cell-1)&(1<<sketchBits-1)
	width := int64(1) << (octave + sketchFloor - sketchBits)
	return time.Duration((int64(sub)+1<<sketchBits)*width + width/2)
}

// sketchFrom is the least duration of a cell.
func sketchFrom(cell int) time.Duration {
	if cell == 0 {
		return 0
	}
	octave, sub := (cell-1)>>sketchBits, (cell-1)&(1<<sketchBits-1)
	return time.Duration((int64(sub) + 1<<sketchBits) << (octave + sketchFloor - sketchBits))
}

// N is how many durations the sketch holds.
func (s *Sketch) N() int64 { return s.n }

// Quantile is the middle of the cell at the nearest rank ceil(q·n); false when empty.
func (s *Sketch) Quantile(q float64) (time.Duration, bool) { return s.AtRank(Rank(q, s.n)) }

// AtRank is the middle of the cell of the k-th duration, from 1; false beyond them.
func (s *Sketch) AtRank(k int64) (time.Duration, bool) {
	if k < 1 {
		return 0, false
	}
	for _, c := range s.cells {
		if k -= int64(uint32(c)); k <= 0 {
			return sketchValue(int(c >> 32)), true
		}
	}
	return 0, false
}

// Mean is the mean of the middles of the cells; false when empty.
func (s *Sketch) Mean() (time.Duration, bool) {
	if s.n == 0 {
		return 0, false
	}
	var sum float64
	for _, c := range s.cells {
		sum += float64(sketchValue(int(c>>32))) * float64(uint32(c))
	}
	return time.Duration(sum / float64(s.n)), true
}

// Max is the middle of the last cell; 0 when empty.
func (s *Sketch) Max() time.Duration {
	d, _ := s.AtRank(s.n)
	return d
}

// Boundary is a time that parts the durations, and as many infinite ones as
// given, near quantile q: the edge of the cell at the nearest rank that leaves
// the share above it nearest to 1 − q, and something on both sides where it can. False when there is nothing to part or
// the quantile is infinite.
func (s *Sketch) Boundary(q float64, infinite int64) (time.Duration, bool) {
	n := s.n + infinite
	k := Rank(q, n)
	if k == 0 || k > s.n {
		return 0, false
	}
	below := int64(0)
	for _, c := range s.cells {
		through := below + int64(uint32(c))
		if through < k {
			below = through
			continue
		}
		share := q * float64(n)
		if below > 0 && (through == n || share-float64(below) <= float64(through)-share) {
			return sketchFrom(int(c >> 32)), true
		}
		return sketchFrom(int(c>>32) + 1), true
	}
	return 0, false
}

// Above is how many durations lie in cells from the given edge of one on.
func (s *Sketch) Above(edge time.Duration) (n int64) {
	for _, c := range s.cells {
		if sketchFrom(int(c>>32)) >= edge {
			n += int64(uint32(c))
		}
	}
	return n
}

// Add adds what o holds.
func (s *Sketch) Add(o *Sketch) {
	if len(o.cells) == 0 {
		return
	}
	fresh := 0
	for i, j := 0, 0; j < len(o.cells); {
		switch {
		case i == len(s.cells) || s.cells[i]>>32 > o.cells[j]>>32:
			fresh++
			j++
		case s.cells[i]>>32 < o.cells[j]>>32:
			i++
		default:
			i++
			j++
		}
	}
	i, j := len(s.cells)-1, len(o.cells)-1
	if need := len(s.cells) + fresh; need > cap(s.cells) {
		// Exact size: hours of seconds are kept, and few of them grow again.
		grown := make([]uint64, need)
		copy(grown, s.cells)
		s.cells = grown
	} else {
		s.cells = s.cells[:need]
	}
	// From the end, so that every cell is read before its place is written.
	for out := len(s.cells) - 1; j >= 0; out-- {
		switch {
		case i >= 0 && s.cells[i]>>32 > o.cells[j]>>32:
			s.cells[out] = s.cells[i]
			i--
		case i >= 0 && s.cells[i]>>32 == o.cells[j]>>32:
			s.cells[out] = s.cells[i]&^math.MaxUint32 | uint64(plus(uint32(s.cells[i]), uint32(o.cells[j])))
			i--
			j--
		default:
			s.cells[out] = o.cells[j]
			j--
		}
	}
	s.n = s.count()
}

func (s *Sketch) count() (n int64) {
	for _, c := range s.cells {
		n += int64(uint32(c))
	}
	return n
}

// Clone is an independent copy.
func (s *Sketch) Clone() Sketch {
	return Sketch{cells: append([]uint64(nil), s.cells...), n: s.n}
}

// plus adds two counts of a second; it stays at the largest when they do not fit.
func plus(a, b uint32) uint32 {
	if a > math.MaxUint32-b {
		return math.MaxUint32
	}
	return a + b
}

// sketchTally is the recording side of a Sketch: dense, with the range touched.
type sketchTally struct {
	counts [sketchCells]uint32
	lo, hi int // cells touched are in [lo, hi); empty when hi is 0
}

func (t *sketchTally) record(d time.Duration) {
	cell := sketchCell(d)
	t.counts[cell]++
	if t.hi == 0 || cell < t.lo {
		t.lo = cell
	}
	if cell >= t.hi {
		t.hi = cell + 1
	}
}

// drain gives what t holds as a sketch, and empties t.
func (t *sketchTally) drain() Sketch {
	var s Sketch
	populated := 0
	for _, c := range t.counts[t.lo:t.hi] {
		if c != 0 {
			populated++
		}
	}
	if populated == 0 {
		return s
	}
	s.cells = make([]uint64, 0, populated)
	for i := t.lo; i < t.hi; i++ {
		if c := t.counts[i]; c != 0 {
			s.cells = append(s.cells, uint64(i)<<32|uint64(c))
			s.n += int64(c)
			t.counts[i] = 0
		}
	}
	t.lo, t.hi = 0, 0
	return s
}
