package degrade

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	lagTick    = 10 * time.Millisecond
	lagMemory  = 50                    // ticks: half a second
	lagShort   = 10 * time.Millisecond // at which timeouts say nothing about Redis, which answers in one
	lagStarved = 40 * time.Millisecond // nor about the model: a call comes to the CPU several times
)

// lag measures how late this process gets the CPU: by how much a short sleep
// takes longer. Safe for concurrent use.
type lag struct{ worst atomic.Int64 } // of the last half second, ns

func (l *lag) run(ctx context.Context) {
	tick := time.NewTicker(lagTick)
	defer tick.Stop()
	var ring [lagMemory]time.Duration
	last := time.Now()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		ring[i%lagMemory] = now.Sub(last) - lagTick
		last = now
		worst := time.Duration(0)
		for _, d := range ring {
			worst = max(worst, d)
		}
		l.worst.Store(int64(worst))
	}
}

func (l *lag) now() time.Duration { return time.Duration(l.worst.Load()) }
