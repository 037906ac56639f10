package load

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/unit"
)

func TestPartsAddUp(t *testing.T) {
	for _, tt := range []struct {
		n    int64
		want []int64
	}{
		{64, []int64{64}},
		{10, []int64{2, 3, 2, 3}},
		{9, []int64{3, 3, 3}},
		{1_000_000, []int64{333_333, 333_333, 333_334}},
		{2, []int64{1, 1, 1}},
		{0, []int64{0, 0}},
		{5, []int64{5}},
	} {
		var got []int64
		for i := range tt.want {
			got = append(got, Part(tt.n, i, len(tt.want)))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%d over %d: %d, want %d", tt.n, len(tt.want), got, tt.want)
		}
	}
	for n := range int64(200) {
		for shards := 1; shards <= 20; shards++ {
			sum := int64(0)
			for i := range shards {
				sum += Part(n, i, shards)
			}
			if want := max(n, int64(shards)); n > 0 && sum != n && (n >= int64(shards) || sum != want) {
				t.Errorf("%d over %d add up to %d", n, shards, sum)
			}
		}
	}
}

// All the shards together have as many turns in flight as the scenario allows.
func TestShardsShareWhatMayBeInFlight(t *testing.T) {
	for _, tt := range []struct{ shards, most int }{{1, 10}, {4, 10}, {3, 10}, {3, 2}} {
		sum := 0
		for shard := range tt.shards {
			synctest.Test(t, func(t *testing.T) {
				sc := open(200, 2*time.Second)
				sc.Load.MaxInFlight, sc.Load.Drain = unit.Count(tt.most), unit.Duration(time.Minute)
				f := newFake()
				f.answer = func(time.Duration, *driver.User, *driver.Turn, *driver.Reply) time.Duration { return time.Second }
				drive(t, always(), sc, f, func(o *Options) { o.Shard, o.Shards = shard, tt.shards })
				sum += f.most
			})
		}
		if want := max(tt.most, tt.shards); sum != want {
			t.Errorf("%d over %d shards: %d in flight, want %d", tt.most, tt.shards, sum, want)
		}
	}
}
