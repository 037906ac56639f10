package desk

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	keptTickets = 10_000 // that Redis has from this server, in case it loses them
	markKey     = "tkt:mark:"
	lookEvery   = time.Second
)

// kept are the latest tickets that went from here to Redis and were not answered
// here. The zero value is ready. Safe for concurrent use.
type kept struct {
	mu      sync.Mutex
	tickets map[string]Ticket
	order   []string // ids, oldest first; some may be gone
}

func (k *kept) put(t Ticket) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tickets == nil {
		k.tickets = map[string]Ticket{}
	}
	if _, there := k.tickets[t.ID]; !there {
		k.order = append(k.order, t.ID)
	}
	k.tickets[t.ID] = t
	for len(k.order) > keptTickets {
		delete(k.tickets, k.order[0])
		k.order = k.order[1:]
	}
}

func (k *kept) drop(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.tickets, id)
}

// dropAll takes out the tickets of which gone says so.
func (k *kept) dropAll(gone func(Ticket) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.tickets, func(_ string, t Ticket) bool { return gone(t) })
}

func (k *kept) all() []Ticket {
	k.mu.Lock()
	defer k.mu.Unlock()
	var list []Ticket
	for _, id := range k.order {
		if t, there := k.tickets[id]; there {
			list = append(list, t)
		}
	}
	return list
}

// guard looks, until ctx ends, whether Redis has lost what was written, and files
// tickets again then: somebody was promised each of them.
func (d *Desk) guard(ctx context.Context) {
	mark, marked := markKey+d.bus.me, false
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if n, err := d.tickets.redis.Exists(ctx, mark).Result(); err == nil && n == 0 {
			// The mark comes first: a loss while tickets are filed again takes it, too.
			lost := marked
			marked = d.tickets.redis.Set(ctx, mark, 1, ticketLife).Err() == nil || marked
			if lost && !d.refile(ctx) {
				_ = d.tickets.redis.Del(ctx, mark).Err()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// refile writes the tickets again that Redis has lost, but for those of dialogs that
// were erased; false: it does not answer.
func (d *Desk) refile(ctx context.Context) bool {
	if d.tickets.catchUp(ctx) != nil {
		return false
	}
	list := d.tickets.kept.all()
	for _, t := range list {
		err := d.tickets.move(ctx, t)
		switch {
		case errors.Is(err, dialog.ErrErased):
			d.tickets.kept.drop(t.ID)
			continue
		case err != nil:
			return false
		}
		d.bus.send(t, false)
	}
	if len(list) > 0 {
		d.log.Warn("Redis has lost what it held: tickets were filed again", "count", len(list))
	}
	return true
}
