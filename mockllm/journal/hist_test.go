package journal

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramIsExactToATenthOfAPercent(t *testing.T) {
	var h hist
	var all []time.Duration
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		d := time.Duration(math.Exp(rng.Float64()*math.Log(4e12))) + 1
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for i, q := range h.quantiles(500, 900, 990, 999) {
		k := (len(all)*[]int{500, 900, 990, 999}[i] + 999) / 1000
		if math.Abs(float64(q)/float64(all[k-1])-1) > .001 {
			t.Errorf("quantile %v, want %v", q, all[k-1])
		}
	}
	if q := h.facts(); q.N != 20_000 || q.MaxNs != int64(all[len(all)-1]) {
		t.Errorf("n %d max %d, want 20000 and %d", q.N, q.MaxNs, all[len(all)-1])
	}
	for _, v := range []uint64{0, 1, 1023, 1024, 1025, 2047, 2048, 1 << 30, 1<<30 + 1<<19, 1 << 42} {
		if got := histValue(histIndex(v)); math.Abs(float64(got)-float64(v)) > float64(v)/1024 {
			t.Errorf("%d is read back as %d", v, got)
		}
	}
	var none hist
	if q := none.facts(); q != (Quantiles{}) {
		t.Errorf("empty histogram: %+v", q)
	}
}
