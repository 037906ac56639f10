// Package admission decides whether a call may be served now.
package admission

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/transport"
)

// Gate is the capacity model: limit places, a queue in order of arrival.
type Gate struct {
	limit, queue int
	slowdown     float64
	Busy         atomic.Int64 // places taken

	mu      sync.Mutex
	waiting list.List // of *waiter
}

type waiter struct {
	w       transport.Wire
	granted bool // under mu
}

// Place says how enter went.
type Place uint8

// How Enter may go.
const (
	placeTaken Place = iota
	placeFull
	PlaceGone
)

// NewGate makes the gate of a validated capacity; nil when it is unlimited.
func NewGate(c config.Capacity) *Gate {
	if c.MaxInFlight == 0 {
		return nil
	}
	return &Gate{limit: int(c.MaxInFlight), queue: int(c.Queue), slowdown: max(c.Slowdown, 1)}
}

// Enter takes a place, waiting for one in the queue if there is room. It reports
// false when there is none or the client leaves while waiting.
func (g *Gate) Enter(w transport.Wire) (Place, bool) {
	g.mu.Lock()
	if int(g.Busy.Load()) < g.limit && g.waiting.Len() == 0 {
		g.Busy.Add(1)
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
			return PlaceGone, false
		}
		g.mu.Unlock()
	}
}

// Leave hands the place to the first in the queue.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.waiting.Front()
	if first == nil {
		g.Busy.Add(-1)
		return
	}
	next, _ := g.waiting.Remove(first).(*waiter)
	next.granted = true
	next.w.Wake()
}

// Factor is the slowdown at the present occupancy.
func (g *Gate) Factor() float64 {
	return 1 + (g.slowdown-1)*float64(g.Busy.Load())/float64(g.limit)
}
