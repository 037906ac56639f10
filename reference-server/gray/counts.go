package gray

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	countSlice = 10 * time.Second
	countsKept = 6 // slices that are judged: a minute
	countsLife = 2 * time.Minute
)

// counts are turns by group in slices of ten seconds: those of all servers in Redis,
// and those of this one here, for when it is away. Safe for concurrent use.
type counts struct {
	redis redis.UniversalClient

	mu     sync.Mutex
	fresh  [NumGroups]Tally         // not in Redis yet
	here   [countsKept]sliceOfTurns // a ring
	latest int64
}

type sliceOfTurns struct {
	at    int64
	turns [NumGroups]Tally
}

func (c *counts) add(g Group, bad bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fresh[g].N++
	if bad {
		c.fresh[g].Bad++
	}
}

func countsKey(version, slice int64) string {
	return "gray:{g}:turns:" + strconv.FormatInt(version, 10) + ":" + strconv.FormatInt(slice, 10)
}

// sums brings what is fresh to Redis and adds up the last minute.
func (c *counts) sums(ctx context.Context, version int64, now time.Time) [NumGroups]Tally {
	slice := now.UnixNano() / int64(countSlice)
	c.mu.Lock()
	fresh := c.fresh
	c.fresh = [NumGroups]Tally{}
	if c.latest != version {
		c.here, c.latest = [countsKept]sliceOfTurns{}, version
	}
	own := &c.here[slice%countsKept]
	if own.at != slice {
		*own = sliceOfTurns{at: slice}
	}
	var here [NumGroups]Tally
	for g := range fresh {
		own.turns[g].N += fresh[g].N
		own.turns[g].Bad += fresh[g].Bad
	}
	for _, s := range c.here {
		if slice-s.at < countsKept {
			for g := range here {
				here[g].N += s.turns[g].N
				here[g].Bad += s.turns[g].Bad
			}
		}
	}
	c.mu.Unlock()
	all, err := c.exchange(ctx, version, slice, fresh)
	if err != nil {
		return here
	}
	return all
}

// exchange adds to the counts of all servers and reads them.
func (c *counts) exchange(ctx context.Context, version, slice int64, fresh [NumGroups]Tally) (all [NumGroups]Tally, err error) {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	p := c.redis.Pipeline()
	key := countsKey(version, slice)
	for g := range fresh {
		if fresh[g].N > 0 {
			p.HIncrBy(ctx, key, Names[g]+"_n", fresh[g].N)
			p.HIncrBy(ctx, key, Names[g]+"_bad", fresh[g].Bad)
			p.Expire(ctx, key, countsLife)
		}
	}
	var got [countsKept]*redis.MapStringStringCmd
	for i := range got {
		got[i] = p.HGetAll(ctx, countsKey(version, slice-int64(i)))
	}
	if _, err := p.Exec(ctx); err != nil {
		return all, err
	}
	number := func(s string) int64 {
		n, _ := strconv.ParseInt(s, 10, 64)
		return max(0, n)
	}
	for _, m := range got {
		for g := range all {
			all[g].N += number(m.Val()[Names[g]+"_n"])
			all[g].Bad += number(m.Val()[Names[g]+"_bad"])
		}
	}
	return all, nil
}
