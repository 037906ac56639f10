package trial

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func TestFuses(t *testing.T) {
	limit := 10.0
	above := scenario.Fuse{Name: "burn", Above: &limit, For: unit.Duration(3 * time.Second)}
	below := scenario.Fuse{Name: "replicas", Below: &limit, For: unit.Duration(3 * time.Second)}
	for name, tt := range map[string]struct {
		fuse   scenario.Fuse
		values []float64 // by second; a negative one is not seen
		blown  int       // second; 0 never
		why    string
	}{
		"stays below":        {above, []float64{1, 10, 10, 10, 10, 10}, 0, ""},
		"above for 3 s":      {above, []float64{1, 11, 12, 13, 14}, 4, "guard.abort: burn above 10 for 3 s, at 5 s: 14"},
		"above now and then": {above, []float64{11, 11, 1, 11, 11, 1, 11}, 0, ""},
		"below":              {below, []float64{20, 9, 9, 9, 9}, 4, "guard.abort: replicas below 10 for 3 s, at 5 s: 9"},
		"not seen":           {above, []float64{1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, 12, "guard.abort: burn was not seen for 13 s, at 13 s: a fuse that does not see does not protect"},
		"never seen":         {above, []float64{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, 12, "guard.abort: burn was not seen for 13 s, at 13 s: a fuse that does not see does not protect"},
	} {
		f, o, blown := fuse{Fuse: tt.fuse}, &measure.Observed{}, 0
		for second, v := range tt.values {
			if v >= 0 {
				o.Values = append(o.Values, measure.ObservedSecond{Second: second, Value: v})
			}
			why, now := f.look(time.Duration(second+1)*time.Second, o)
			if now {
				if blown = second; why.String() != tt.why {
					t.Errorf("%s: %q, want %q", name, why, tt.why)
				}
				break
			}
		}
		if blown != tt.blown {
			t.Errorf("%s: blown in second %d, want %d", name, blown, tt.blown)
		}
	}
}
