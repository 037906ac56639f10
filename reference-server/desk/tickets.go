package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	ticketLife     = 24 * time.Hour
	ticketQueueCap = 10_000
	ticketQueueLag = 1_000 // above the cap before a queue is cut back to it
	ticketsPerHour = 40    // what one agent closes
	agentsOnDuty   = 50
	ticketETAFloor = 30 * time.Second
	ticketETACap   = time.Hour
)

// tickets hands questions to people. Tickets live in Redis, with a local
// journal while that is away. Safe for concurrent use.
type tickets struct {
	store   *dialog.Store
	ids     *dialog.Minter
	scripts ticketScripts
	journal journal
	moved   func(Ticket)         // told of each ticket that went from the journal to Redis
	hold    func() time.Duration // how long a claim lasts without a reply
}

func newTickets(st *dialog.Store, ids *dialog.Minter, hold func() time.Duration) *tickets {
	return &tickets{store: st, ids: ids, scripts: newTicketScripts(), hold: hold}
}

func (ts *tickets) open(ctx context.Context, q Question, local bool) (t Ticket, stored bool) {
	t = Ticket{ID: ts.ids.Mint(dialog.IDTicket, q.Owner), Queue: q.Queue, State: stateOpen, AskedNS: ts.store.Now().UnixNano(), Tenant: q.Owner.Tenant, UID: q.Owner.UID,
		DialogID: q.DialogID, Text: q.Text, TraceID: q.TraceID, ETA: int(ticketETACap / time.Second)}
	if local {
		ts.journal.add(t, false)
		return t, false
	}
	waiting, err := ts.write(ctx, t)
	if err != nil {
		ts.journal.add(t, !neverSent(err))
		return t, false
	}
	t.ETA = eta(int(waiting))
	return t, true
}

// eta is the time until an agent is free with n tickets ahead.
func eta(n int) int {
	d := time.Duration(n) * time.Hour / (ticketsPerHour * agentsOnDuty)
	return int(min(max(d, ticketETAFloor), ticketETACap) / time.Second)
}

// write stores a ticket that Redis cannot have yet and returns the length of
// its queue.
func (ts *tickets) write(ctx context.Context, t Ticket) (waiting int64, err error) {
	start := ts.store.Now()
	defer func() { ts.store.Observe("ticket", ts.store.Now().Sub(start), err) }()
	q := queueKey(t.Tenant, t.Queue)
	p := ts.store.Redis.Pipeline()
	p.HSet(ctx, ticketKey(t.ID), t.fields()...)
	p.PExpire(ctx, ticketKey(t.ID), ticketLife)
	p.ZAdd(ctx, q, t.place())
	n := p.ZCard(ctx, q)
	p.PExpire(ctx, q, ticketLife)
	if _, err := p.Exec(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	if n.Val() >= ticketQueueCap+ticketQueueLag {
		_ = ts.store.Redis.ZRemRangeByRank(ctx, q, 0, -ticketQueueCap-1).Err()
	}
	return n.Val(), nil
}

// get reads a ticket; ok is false when there is none.
func (ts *tickets) get(ctx context.Context, id string) (t Ticket, ok bool, err error) {
	if t, ok := ts.journal.get(id); ok {
		return t, true, nil
	}
	got := ts.store.Redis.HGetAll(ctx, ticketKey(id))
	if err := got.Err(); err != nil {
		return Ticket{}, false, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	t, ok = scanTicket(id, got)
	return t, ok, nil
}
