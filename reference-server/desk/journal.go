package desk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

const journalCap = 10_000

// journal holds tickets while Redis is away, oldest first. As long as a ticket
// is only here, the mutex decides who wins it; from the first attempt to write
// it on, Redis may have it, and Redis alone decides. Above the cap the oldest
// goes. The zero value is ready. Safe for concurrent use.
type journal struct {
	mu      sync.Mutex
	entries []*entry
	byID    map[string]*entry
	dropped int64
}

// entry is a ticket in the journal.
type entry struct {
	ticket Ticket
	tried  bool // Redis may have it
}

func (j *journal) add(t Ticket, tried bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.byID[t.ID] != nil {
		return // the same turn, sent again
	}
	if len(j.entries) >= journalCap {
		delete(j.byID, j.entries[0].ticket.ID)
		j.entries = j.entries[1:]
		j.dropped++
	}
	if j.byID == nil {
		j.byID = map[string]*entry{}
	}
	e := &entry{t, tried}
	j.entries = append(j.entries, e)
	j.byID[t.ID] = e
}

// drop takes out the tickets of which gone says so.
func (j *journal) drop(gone func(Ticket) bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = slices.DeleteFunc(j.entries, func(e *entry) bool {
		gone := gone(e.ticket)
		if gone {
			delete(j.byID, e.ticket.ID)
		}
		return gone
	})
}

func (j *journal) length() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries)
}

func (j *journal) get(id string) (Ticket, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byID[id]
	if !ok {
		return Ticket{}, false
	}
	return e.ticket, true
}

// open lists the tickets of these queues that can be claimed here.
func (j *journal) open(tenant string, queues []string) []Ticket {
	j.mu.Lock()
	defer j.mu.Unlock()
	var list []Ticket
	for _, e := range j.entries {
		if t := &e.ticket; !e.tried && t.State == stateOpen && t.Tenant == tenant && slices.Contains(queues, t.Queue) {
			list = append(list, *t)
		}
	}
	return list
}

// change runs f on a ticket that is only here; here is false for any other.
func (j *journal) change(id string, f func(*Ticket)) (here bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, ok := j.byID[id]
	if !ok || e.tried {
		return false
	}
	f(&e.ticket)
	return true
}

// holds says whether the ticket waits here, whatever Redis has.
func (j *journal) holds(id string) bool {
	_, ok := j.get(id)
	return ok
}

// next is the oldest ticket, as it stands from now on; again means that an
// earlier attempt to write it may have come through.
func (j *journal) next() (t Ticket, again, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) == 0 {
		return Ticket{}, false, false
	}
	e := j.entries[0]
	again, e.tried = e.tried, true
	return e.ticket, again, true
}

// unsent takes back what next noted: Redis was not even reached.
func (j *journal) unsent(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.byID[id]; e != nil {
		e.tried = false
	}
}

func (j *journal) remove(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.entries) > 0 && j.entries[0].ticket.ID == id {
		j.entries = j.entries[1:]
		delete(j.byID, id)
	}
}

// flush moves the journal to Redis, oldest first, until it is empty or Redis
// fails. Tickets of dialogs that were erased meanwhile, by any server, do not go
// there.
func (ts *tickets) flush(ctx context.Context) {
	if ts.journal.length() == 0 || ts.catchUp(ctx) != nil {
		return
	}
	for ctx.Err() == nil {
		t, again, ok := ts.journal.next()
		if !ok {
			return
		}
		err := ts.move(ctx, t)
		if errors.Is(err, dialog.ErrErased) {
			ts.journal.remove(t.ID)
			continue
		}
		if err != nil {
			if !again && neverSent(err) {
				ts.journal.unsent(t.ID)
			}
			return
		}
		if t.State != stateClosed {
			ts.kept.put(t)
		}
		ts.journal.remove(t.ID)
		if ts.moved != nil {
			ts.moved(t)
		}
	}
}

// move writes a ticket of the journal to Redis, in the state it is in. One whose dialog
// was erased is not there afterwards: dialog.ErrErased.
func (ts *tickets) move(ctx context.Context, t Ticket) error {
	if err := ts.look(ctx, t); err != nil { // and the dialog knows of it before it is there
		return err
	}
	args := append([]any{ticketLife.Milliseconds()}, t.fields()...)
	state, err := ts.scripts.move.Run(ctx, ts.redis, []string{ticketKey(t.ID)}, args...).Text()
	if err == nil && State(state) == t.State {
		err = ts.file(ctx, t)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	return ts.look(ctx, t)
}

// look notes a ticket at its dialog, and takes it back where that was erased:
// dialog.ErrErased.
func (ts *tickets) look(ctx context.Context, t Ticket) error {
	if t.DialogID == "" {
		return nil
	}
	p := ts.redis.Pipeline()
	ts.index(ctx, p, t)
	look := dialog.LookIn(ctx, p, t.DialogID)
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	return ts.takeBack(ctx, t, look)
}

// takeBack removes a ticket whose dialog was erased before it was written:
// dialog.ErrErased.
func (ts *tickets) takeBack(ctx context.Context, t Ticket, look dialog.Look) error {
	erased, err := look.Erased(ctx, ts.redis)
	if err != nil || !erased {
		return err
	}
	if err := ts.remove(ctx, t.DialogID, t); err != nil {
		return err
	}
	return dialog.ErrErased
}

// neverSent says whether a command certainly did not reach Redis.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted)
}
