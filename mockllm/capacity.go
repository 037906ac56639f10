package mockllm

import (
	"container/list"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"sync"
	"sync/atomic"
	"time"
)

// gate is the capacity model: limit places, a queue in order of arrival.
type gate struct {
	limit, queue int
	slowdown     float64
	busy         atomic.Int64 // places taken

	mu      sync.Mutex
	waiting list.List // of *waiter
}

type waiter struct {
	w       transport.Wire
	granted bool // under mu
}

// place says how enter went.
type place uint8

const (
	placeTaken place = iota
	placeFull
	placeGone
)

func newGate(c Capacity) *gate {
	if c.MaxInFlight == 0 {
		return nil
	}
	return &gate{limit: int(c.MaxInFlight), queue: int(c.Queue), slowdown: max(c.Slowdown, 1)}
}

// enter takes a place, waiting for one in the queue if there is room. It reports
// false when there is none or the client leaves while waiting.
func (g *gate) enter(w transport.Wire) (place, bool) {
	g.mu.Lock()
	if int(g.busy.Load()) < g.limit && g.waiting.Len() == 0 {
		g.busy.Add(1)
		g.mu.Unlock()
		return placeTaken, true
	}
	if g.waiting.Len() >= g.queue {
		g.mu.Unlock()
		return placeFull, false
	}
	me := &waiter{w: w}
	spot := g.waiting.PushBack(me)
	g.mu.Unlock()
	for {
		gone := w.Wait(time.Time{}) == transport.WaitGone
		g.mu.Lock() // also lets a wake that is under way come to its end
		switch {
		case me.granted: // even if the client is gone: the answer will find out
			g.mu.Unlock()
			return placeTaken, true
		case gone:
			g.waiting.Remove(spot)
			g.mu.Unlock()
			return placeGone, false
		}
		g.mu.Unlock()
	}
}

// leave hands the place to the first in the queue.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.waiting.Front()
	if first == nil {
		g.busy.Add(-1)
		return
	}
	next := g.waiting.Remove(first).(*waiter)
	next.granted = true
	next.w.Wake()
}

// factor is the slowdown at the present occupancy.
func (g *gate) factor() float64 {
	return 1 + (g.slowdown-1)*float64(g.busy.Load())/float64(g.limit)
}
