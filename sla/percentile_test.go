package sla

import (
	"math"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// Interval is a percentile with its bounds, none of them infinite.
type Interval struct {
	Value, Lower, Upper time.Duration
	Known               bool
	Needs               int64
}

// QuantileInterval reads PercentileOf where nothing failed.
func QuantileInterval(h *measure.Histogram, q, confidence, deff float64) Interval {
	i := Interval{Needs: QuantileNeeds(q, confidence)}
	if deff > 1 && !math.IsInf(deff, 1) {
		i.Needs = int64(math.Ceil(float64(i.Needs) * deff))
	}
	if p := PercentileOf(h, q, 0, deff); p.Bounded {
		i.Known, i.Value, i.Lower, i.Upper = true, *p.Value, *p.Lower, *p.Upper
	}
	return i
}

// Failures are infinite: a percentile they reach has no value, and one they come
// near no upper bound.
func TestPercentilesWithFailures(t *testing.T) {
	h := measure.NewHistogram()
	for i := range 10_000 {
		h.Record(time.Duration(i+1) * time.Millisecond)
	}
	for _, tt := range []struct {
		failed                     int64
		known, value, lower, upper bool
	}{
		{0, true, true, true, true},
		{40, true, true, true, true},
		{90, true, true, true, false},
		{110, true, false, true, false},
		{1000, true, false, false, false},
	} {
		p := PercentileOf(h, 0.99, tt.failed, 1)
		if p.Known != tt.known || !p.Bounded || p.Value != nil != tt.value || p.Lower != nil != tt.lower || p.Upper != nil != tt.upper {
			t.Errorf("%d failed: %+v", tt.failed, p)
		}
		if p.Upper != nil && (*p.Lower > *p.Value || *p.Value > *p.Upper) {
			t.Errorf("%d failed: %v in [%v, %v]", tt.failed, *p.Value, *p.Lower, *p.Upper)
		}
	}
	var few measure.Sketch
	if p := PercentileOf(&few, 0.99, 367, 1); p.Known {
		t.Errorf("367 say nothing of a P99: %+v", p)
	}
	if p := PercentileOf(&few, 0.99, 368, 1); !p.Known || p.Value != nil {
		t.Errorf("368 that failed: %+v", p)
	}
	if _, ok := Shown(h, 0.99); !ok {
		t.Error("10,000 answers have no P99")
	}
	if p := PercentileOf(h, 0.99, 0, math.Inf(1)); !p.Known || p.Bounded {
		t.Errorf("a run too short to tell how turns hang together: %+v", p)
	}
}

// The extremes are those of any number of values, but of none there are none.
func TestPercentilesOfFew(t *testing.T) {
	one := measure.NewHistogram()
	one.Record(7 * time.Millisecond)
	for _, q := range []float64{0, 1} {
		if p := PercentileOf(one, q, 0, 1); !p.Known || p.Value == nil || *p.Value != 7*time.Millisecond || p.Bounded {
			t.Errorf("P%v of one: %+v", 100*q, p)
		}
		if p := PercentileOf(measure.NewHistogram(), q, 0, 1); p.Known {
			t.Errorf("P%v of none: %+v", 100*q, p)
		}
		if p := PercentileOf(measure.NewHistogram(), q, 1, 1); !p.Known || p.Value != nil {
			t.Errorf("P%v of one that failed: %+v", 100*q, p)
		}
	}
	if d, ok := Shown(one, 1); !ok || d != 7*time.Millisecond {
		t.Errorf("shown %v, %v", d, ok)
	}
	if d, ok := Shown(one, 0.5); ok || d != 0 {
		t.Errorf("the median of one is shown: %v", d)
	}
	// Of ten the fifth is the median, of which the second and the ninth are the bounds:
	// 11 of 1,024 ways have at most one below, 1.1 %, and 56 have two, 5.5 %.
	ten := measure.NewHistogram()
	for i := range 10 {
		ten.Record(time.Duration(i+1) * time.Microsecond)
	}
	if p := PercentileOf(ten, 0.5, 0, 1); !p.Bounded || p.Value.Microseconds() != 5 || p.Lower.Microseconds() != 2 || p.Upper.Microseconds() != 9 {
		t.Errorf("of ten: %v in [%v, %v]", p.Value, p.Lower, p.Upper)
	}
}
