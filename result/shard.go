package result

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cstest/cstest/reason"
)

// MostShards bounds the parts of a load.
const MostShards = 1024

// Shard is which part of a load a run drives: I of N, 0 of 1 for the whole.
type Shard struct{ I, N int }

// ParseShard reads i/N.
func ParseShard(text string) (Shard, error) {
	first, second, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if !ok || err1 != nil || err2 != nil || n < 1 || n > MostShards || i < 0 || i >= n {
		return Shard{}, reason.Errorf("--shard %q: want i/N with 0 <= i < N <= %d", text, MostShards)
	}
	return Shard{i, n}, nil
}

// String is the shard as --shard has it.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.I, s.N) }

// shardOverride begins the override by which a result says which shard it is of.
const shardOverride = "shard="

// Override is how a result says among its overrides which shard it is of.
func (s Shard) Override() string { return shardOverride + s.String() }

// shard is the part of a load that was run.
func (a *About) shard() (Shard, error) {
	s := Shard{N: 1}
	for _, o := range a.Overrides {
		if text, ok := strings.CutPrefix(o, shardOverride); ok {
			var err error
			if s, err = ParseShard(text); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}
