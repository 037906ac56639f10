package sla

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// mostNamed is how many missing or cut shards are told one by one.
const mostNamed = 8

// absent names the shards that are missing, and those that are cut off.
func absent(f *measure.Facts) (list reason.Reasons) {
	if n := len(f.Missing); n > mostNamed {
		list = append(list, reason.New(reason.ShardsMissing, n, f.Missing[0]))
	} else {
		for _, shard := range f.Missing {
			list = append(list, reason.New(reason.ShardMissing, shard))
		}
	}
	if n := len(f.Cut); n > mostNamed {
		list = append(list, reason.New(reason.ShardsCut, n, f.Cut[0].Shard, f.Cut[0].After))
	} else {
		for _, c := range f.Cut {
			if c.Until > 0 {
				list = append(list, reason.New(reason.ShardHoled, c.Shard, c.After, c.Until))
				continue
			}
			list = append(list, reason.New(reason.ShardCut, c.Shard, c.After))
		}
	}
	return list
}
