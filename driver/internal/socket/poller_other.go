//go:build !linux

package socket

import "time"

// every is how often idle sockets are looked at where nothing tells that one became
// readable.
const every = 200 * time.Millisecond

// poller looks at one idle socket after the other.
type poller struct{ over chan struct{} }

func (p *poller) open() { p.over = make(chan struct{}) }

func (p *poller) close() { close(p.over) }

func (p *poller) watch(*Socket, bool) error { return nil }

func (p *poller) unwatch(*Socket) {}

// run reports every socket to k until close.
func (p *poller) run(k *Keeper) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.over:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		ids := make([]uint64, 0, len(k.all))
		for id := range k.all {
			ids = append(ids, id)
		}
		k.mu.Unlock()
		for _, id := range ids {
			k.ready(id)
		}
	}
}
