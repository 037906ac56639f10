package scenario

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cstest/cstest/unit"
)

// piece is a stretch of a curve, from the row to the row, that a straight line stands
// for: as many starts, and the slope that is nearest by least squares. Rates are those
// of its ends.
type piece struct {
	first, last int
	from, to    float64
	miss        float64 // the square of how far it is off, over its time
}

// curveSums are sums over a curve from its first row to each: of its rate, of rate times
// time, and of the square of the rate, each over time in seconds.
type curveSums struct {
	points           []point
	rate, at, square []float64
}

func sumsOf(points []point) *curveSums {
	n := len(points)
	c := &curveSums{points, make([]float64, n), make([]float64, n), make([]float64, n)}
	for i := 1; i < n; i++ {
		a, b := points[i-1], points[i]
		t, width := a.at.Seconds(), (b.at - a.at).Seconds()
		c.rate[i] = c.rate[i-1] + width*(a.rate+b.rate)/2
		c.at[i] = c.at[i-1] + width*(t*(a.rate+b.rate)/2+width*(a.rate+2*b.rate)/6)
		c.square[i] = c.square[i-1] + width*(a.rate*a.rate+a.rate*b.rate+b.rate*b.rate)/3
	}
	return c
}

// line gives the piece from one row to another.
func (c *curveSums) line(first, last int) piece {
	a, b := c.points[first], c.points[last]
	if last == first+1 {
		return piece{first, last, a.rate, b.rate, 0}
	}
	width := (b.at - a.at).Seconds()
	middle := a.at.Seconds() + width/2
	sum := c.rate[last] - c.rate[first]
	moment := c.at[last] - c.at[first] - middle*sum
	mean, cube := sum/width, width*width*width
	slope := min(max(12*moment/cube, -2*mean/width), 2*mean/width) // no rate is below 0
	miss := c.square[last] - c.square[first] - mean*sum - 2*slope*moment + slope*slope*cube/12
	return piece{first, last, mean - slope*width/2, mean + slope*width/2, max(miss, 0)}
}

// piecesOf gives the pieces of a curve that is brought to length, where that is not 0:
// one from row to row, or as many as there may be stages. The piece that is off the most
// is parted where that helps the most, so a short peak has pieces of its own.
func piecesOf(points []point, length time.Duration) []piece {
	c := sumsOf(points)
	last := len(points) - 1
	if last <= maxStages {
		pieces := make([]piece, last)
		for i := range pieces {
			pieces[i] = c.line(i, i+1)
		}
		return pieces
	}
	at := brought(points, length)
	type parted struct {
		piece
		left, right piece
		gain        float64
	}
	part := func(p piece) parted {
		best := parted{piece: p}
		for i := p.first + 1; i < p.last; i++ {
			if at(i) == at(p.first) || at(i) == at(p.last) {
				continue // a stage has a length
			}
			left, right := c.line(p.first, i), c.line(i, p.last)
			if gain := p.miss - left.miss - right.miss; gain > best.gain {
				best.left, best.right, best.gain = left, right, gain
			}
		}
		return best
	}
	parts := []parted{part(c.line(0, last))}
	for len(parts) < maxStages {
		i := 0
		for k := range parts {
			if parts[k].gain > parts[i].gain {
				i = k
			}
		}
		if parts[i].gain <= 0 {
			break
		}
		left, right := part(parts[i].left), part(parts[i].right)
		parts[i] = left
		parts = append(parts, right)
	}
	pieces := make([]piece, len(parts))
	for i := range parts {
		pieces[i] = parts[i].piece
	}
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.first, b.first) })
	return pieces
}

// brought gives when a row is, in a curve that is brought to length.
func brought(points []point, length time.Duration) func(row int) time.Duration {
	pressed := 1.0
	if length > 0 {
		pressed = length.Seconds() / points[len(points)-1].at.Seconds()
	}
	return func(row int) time.Duration {
		return time.Duration(float64(points[row].at) * pressed).Round(time.Millisecond)
	}
}

// stagesOf gives the stages that pieces of a curve are, their rates multiplied, brought
// to length.
func stagesOf(points []point, pieces []piece, factor float64, length time.Duration) []Stage {
	at := brought(points, length)
	stages := make([]Stage, 0, len(pieces))
	for k, p := range pieces {
		ramp := &RateRamp{From: unit.Rate(max(p.from, 0) * factor), To: unit.Rate(max(p.to, 0) * factor)}
		canonical(&ramp.From)
		canonical(&ramp.To)
		stages = append(stages, Stage{Name: fmt.Sprintf("curve-%02d", k+1), For: unit.Duration(at(p.last) - at(p.first)), Starts: ramp})
	}
	return stages
}

// farthest gives how far the pieces are off a row's rate at most, as a share of the
// highest rate, and which row it is.
func farthest(points []point, pieces []piece) (off float64, row int) {
	highest := 0.0
	for _, p := range pieces {
		a, b := points[p.first], points[p.last]
		for i := p.first; i <= p.last; i++ {
			highest = max(highest, points[i].rate)
			done := float64(points[i].at-a.at) / float64(b.at-a.at)
			if d := math.Abs(p.from + (p.to-p.from)*done - points[i].rate); d > off {
				off, row = d, i
			}
		}
	}
	return off / highest, row
}
