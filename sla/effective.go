package sla

import (
	"math"

	"github.com/cstest/cstest/measure"
	"gonum.org/v1/gonum/stat/distuv"
)

// leastBlocks is how many blocks a run must be cut into for their spread to say
// anything about the spread of the whole.
const leastBlocks = 8

// part is the samples of one second: how many, and how many of them count.
type part struct{ n, count float64 }

// designEffect is by how much samples that hang together in time widen the
// uncertainty of a share: the variance of the share as it was seen between
// blocks of seconds, over the variance that as many independent samples would
// have. Blocks of 1, 2, 4 … seconds are tried, for nobody knows how long what
// slowed the target lasts, and the widest answer is taken. It is at least 1,
// and +Inf where the run is too short to tell.
//
// The variance between blocks is that of a ratio estimator, Σ(count−p·n)²·B/(B−1)/N²
// (W. G. Cochran, Sampling Techniques, 3rd ed., 6.3), with the blocks of batch
// means; it is widened by (t/z)² for its own uncertainty from B blocks.
func designEffect(parts []part, confidence float64) float64 {
	var n, count float64
	for _, p := range parts {
		n += p.n
		count += p.count
	}
	share := count / n
	if n == 0 || share <= 0 || share >= 1 {
		return 1
	}
	if len(parts) < leastBlocks {
		return math.Inf(1)
	}
	z := distuv.UnitNormal.Quantile((1 + confidence) / 2)
	widest := 1.0
	for length := 1; len(parts)/length >= leastBlocks; length *= 2 {
		blocks, squares := 0, 0.0
		var open part
		for i, p := range parts {
			open.n += p.n
			open.count += p.count
			// What is left over at the end goes into the last whole block.
			if (i+1)%length == 0 && len(parts)-(i+1) >= length || i == len(parts)-1 {
				rest := open.count - share*open.n
				squares += rest * rest
				blocks++
				open = part{}
			}
		}
		b := float64(blocks)
		variance := squares * b / (b - 1) / (n * n)
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: b - 1}.Quantile((1 + confidence) / 2)
		widest = max(widest, variance*n/(share*(1-share))*(t/z)*(t/z))
	}
	return widest
}

// QuantileDesignEffect is the design effect of the quantile q of the answers'
// response times, or with failed turns as infinite ones: by how much fewer
// independent turns would tell as much. It is found from the seconds of the run,
// so it knows only of what the run has seen: what comes once in ten minutes has
// no part in the interval of a run of five. At least 1; +Inf where the run is too
// short to tell. The snapshot is not changed.
func QuantileDesignEffect(s *measure.Snapshot, q, confidence float64, withFailures bool) float64 {
	failed := func(*measure.Second) int64 { return 0 }
	if withFailures {
		failed = unanswered
	}
	return designEffect(partsAbove(s, q, failed), confidence)
}

// unanswered is how many turns of a second, and starts that never became one,
// nobody answered.
func unanswered(s *measure.Second) (n int64) {
	for o := range measure.DroppedGenerator {
		if !measure.Answered.Has(o) && !measure.ToRefuse.Has(o) {
			n += int64(s.Outcomes[o])
		}
	}
	return n
}

// partsAbove tells of every second that had turns how many there were, and how
// many of them took longer than the quantile q of all; failed ones did. A sketch
// tells times apart to 1.6 %, so the limit is the cell's edge next to the quantile.
func partsAbove(s *measure.Snapshot, q float64, failed func(*measure.Second) int64) []part {
	var whole measure.Sketch
	var infinite int64
	for i := range s.Seconds {
		whole.Add(&s.Seconds[i].Response)
		infinite += failed(&s.Seconds[i])
	}
	limit, finite := whole.Boundary(q, infinite)
	parts := make([]part, 0, len(s.Seconds))
	for i := range s.Seconds {
		second := &s.Seconds[i]
		never := failed(second)
		p := part{n: float64(second.Response.N() + never), count: float64(never)}
		if finite {
			p.count += float64(second.Response.Above(limit))
		}
		if p.n > 0 {
			parts = append(parts, p)
		}
	}
	return parts
}
