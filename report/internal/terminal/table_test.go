package terminal

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/report/escape"
)

func TestWrapCountsCells(t *testing.T) {
	for _, w := range []int{8, 9, 15, 40} {
		for _, s := range []string{"优惠券怎么用 coupon how to use it 优惠券怎么用优惠券怎么用", strings.Repeat("x", 100), ""} {
			var joined string
			for _, line := range wrap(s, w) {
				if escape.Width(line) > w {
					t.Errorf("wrap(%q, %d) gives %q, %d wide", s, w, line, escape.Width(line))
				}
				joined += line
			}
			if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(s, " ", "") {
				t.Errorf("wrap(%q, %d) lost text: %q", s, w, joined)
			}
		}
	}
}
