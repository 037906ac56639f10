package escape

import "testing"

func TestFitCountsCells(t *testing.T) {
	if got := Fit("优惠券怎么用", 7); got != "优惠券…" {
		t.Errorf("Fit = %q", got)
	}
}
