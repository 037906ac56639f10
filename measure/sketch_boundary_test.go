package measure

import (
	"testing"
	"time"
)

func TestSketchBoundary(t *testing.T) {
	var tally sketchTally
	for range 90 {
		tally.record(100 * time.Millisecond)
	}
	for range 10 {
		tally.record(900 * time.Millisecond)
	}
	s := tally.drain()
	for _, c := range []struct {
		q        float64
		infinite int64
		above    int64
		finite   bool
	}{
		{0.9, 0, 10, true},  // between the two
		{0.95, 0, 10, true}, // inside the slower ones: they are the nearest split
		{0.5, 0, 10, true},  // nothing lies below the faster ones
		{0.99, 1, 0, true},  // the one infinite value is the split
		{0.95, 1, 0, true},
		{0.999, 10, 0, false},
	} {
		edge, finite := s.Boundary(c.q, c.infinite)
		if finite != c.finite || finite && s.Above(edge) != c.above {
			t.Errorf("P%v with %d infinite: %v (%v), %d above; want %d", 100*c.q, c.infinite, edge, finite, s.Above(edge), c.above)
		}
	}
	if _, ok := new(Sketch).Boundary(0.5, 0); ok {
		t.Error("an empty sketch has a boundary")
	}
	var low sketchTally
	low.record(0)
	low.record(time.Hour * 2)
	ends := low.drain()
	if edge, ok := ends.Boundary(0.5, 0); !ok || edge != sketchFrom(1) || ends.Above(edge) != 1 {
		t.Errorf("the first cell ends at %v", edge)
	}
}
