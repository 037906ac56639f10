package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	ticketLife     = 24 * time.Hour
	ticketQueueCap = 10_000
	ticketQueueLag = 1_000 // above the cap before a queue is cut back to it
	ticketETAFloor = 30 * time.Second
	ticketETACap   = time.Hour
)

// tickets hands questions to people. Tickets live in Redis, with a local
// journal while that is away. Safe for concurrent use.
type tickets struct {
	redis   redis.UniversalClient
	ids     *dialog.Minter
	scripts ticketScripts
	journal journal
	kept    kept
	moved   func(Ticket)                // told of each ticket that went from the journal to Redis
	catchUp func(context.Context) error // hears of all dialogs that were erased
	live    func() Live
	now     func() time.Time
	observe func(op string, took time.Duration, err error)
}

func newTickets(rdb redis.UniversalClient, ids *dialog.Minter, live func() Live, observe func(string, time.Duration, error)) *tickets {
	if observe == nil {
		observe = func(string, time.Duration, error) {}
	}
	return &tickets{
		redis: rdb, ids: ids, scripts: newTicketScripts(), live: live, now: time.Now, observe: observe,
		catchUp: func(context.Context) error { return nil },
	}
}

func (ts *tickets) open(ctx context.Context, q Question, local bool) (t Ticket, stored bool, err error) {
	t = Ticket{
		ID: ts.ids.Mint(dialog.IDTicket, q.Owner), Queue: q.Queue, State: stateOpen, AskedNS: ts.now().UnixNano(), Tenant: q.Owner.Tenant, UID: q.Owner.UID,
		DialogID: q.DialogID, Text: q.Text, TraceID: q.TraceID, ETA: int(ticketETACap / time.Second),
	}
	if q.Turn != "" {
		t.ID = ts.ids.Derive(dialog.IDTicket, q.Owner, q.Turn)
	}
	if local {
		ts.journal.add(t, false)
		return t, false, nil
	}
	ts.kept.put(t) // before it is written, or a loss right behind that would take it
	waiting, err := ts.write(ctx, t)
	switch {
	case errors.Is(err, dialog.ErrErased):
		ts.kept.drop(t.ID)
		return Ticket{}, false, err
	case err != nil:
		ts.journal.add(t, !neverSent(err))
		return t, false, nil
	}
	t.ETA = ts.live().eta(int(waiting))
	ts.kept.put(t)
	return t, true, nil
}

// withdraw takes back a ticket whose turn did not come to anything. While Redis is
// away one that waits in the journal stays there until it can be looked for.
func (ts *tickets) withdraw(ctx context.Context, t Ticket) {
	ts.kept.drop(t.ID)
	onlyHere := ts.journal.change(t.ID, func(*Ticket) {})
	if onlyHere || ts.remove(ctx, t.DialogID, t) == nil {
		ts.journal.drop(func(e Ticket) bool { return e.ID == t.ID })
	}
}

// wait is the time until an agent is free with n tickets ahead.
func (l Live) wait(n int) time.Duration {
	return time.Duration(n) * time.Hour / time.Duration(max(1, l.PerHour))
}

// eta is wait as it is told, in seconds.
func (l Live) eta(n int) int {
	return int(min(max(l.wait(n), ticketETAFloor), ticketETACap) / time.Second)
}

// write stores a ticket, unless Redis has it of the same turn sent before, and
// returns how many of its tenant wait, this one among them: the same people serve
// every queue. dialog.ErrErased: so was its dialog, and the ticket is not there.
func (ts *tickets) write(ctx context.Context, t Ticket) (waiting int64, err error) {
	start := ts.now()
	defer func() { ts.observe("ticket", ts.now().Sub(start), err) }()
	q := queueKey(t.Tenant, t.Queue)
	p := ts.redis.Pipeline()
	for fields := t.fields(); len(fields) > 0; fields = fields[2:] {
		p.HSetNX(ctx, ticketKey(t.ID), fmt.Sprint(fields[0]), fields[1])
	}
	p.PExpire(ctx, ticketKey(t.ID), ticketLife)
	ts.index(ctx, p, t)
	p.ZAdd(ctx, q, t.place())
	n := p.ZCard(ctx, q)
	var others []*redis.IntCmd
	for _, other := range queueNames() {
		if other != t.Queue {
			others = append(others, p.ZCard(ctx, queueKey(t.Tenant, other)))
		}
	}
	p.PExpire(ctx, q, ticketLife)
	var look dialog.Look
	if t.DialogID != "" {
		look = dialog.LookIn(ctx, p, t.DialogID) // last: what is erased after it finds the ticket
	}
	if _, err := p.Exec(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	if t.DialogID != "" {
		if err := ts.takeBack(ctx, t, look); err != nil {
			return 0, err
		}
	}
	if n.Val() >= ticketQueueCap+ticketQueueLag {
		_ = ts.redis.ZRemRangeByRank(ctx, q, 0, -ticketQueueCap-1).Err()
	}
	waiting = n.Val()
	for _, o := range others {
		waiting += o.Val()
	}
	return waiting, nil
}

// index notes that the ticket belongs to its dialog.
func (ts *tickets) index(ctx context.Context, p redis.Pipeliner, t Ticket) {
	if t.DialogID != "" {
		p.SAdd(ctx, dialogKey(t.DialogID), t.ID)
		p.PExpire(ctx, dialogKey(t.DialogID), ticketLife)
	}
}

// erase removes the tickets of a dialog from wherever they are.
func (ts *tickets) erase(ctx context.Context, dialogID string) error {
	ts.forget(func(t Ticket) bool { return t.DialogID == dialogID })
	ids, err := ts.redis.SMembers(ctx, dialogKey(dialogID)).Result()
	if err != nil {
		return fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	list := make([]Ticket, len(ids))
	for i, id := range ids {
		tenant, err := ts.redis.HGet(ctx, ticketKey(id), "tenant").Result()
		if err != nil && !dialog.IsNil(err) {
			return fmt.Errorf("%w: %w", dialog.ErrState, err)
		}
		list[i] = Ticket{ID: id, Tenant: tenant}
	}
	return ts.remove(ctx, dialogID, list...)
}

// forget drops tickets from the memory of this server.
func (ts *tickets) forget(gone func(Ticket) bool) {
	ts.journal.drop(gone)
	ts.kept.dropAll(gone)
}

// remove takes tickets of a dialog out of Redis.
func (ts *tickets) remove(ctx context.Context, dialogID string, list ...Ticket) error {
	if len(list) == 0 {
		return nil
	}
	p := ts.redis.Pipeline()
	for _, t := range list {
		p.Del(ctx, ticketKey(t.ID))
		p.ZRem(ctx, heldKey, t.ID)
		for _, q := range queueNames() {
			p.ZRem(ctx, queueKey(t.Tenant, q), t.ID)
		}
		p.SRem(ctx, dialogKey(dialogID), t.ID) // last: made again, it finds what is left
	}
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	return nil
}

// get reads a ticket; ok is false when there is none.
func (ts *tickets) get(ctx context.Context, id string) (t Ticket, ok bool, err error) {
	if t, ok := ts.journal.get(id); ok {
		return t, true, nil
	}
	got := ts.redis.HGetAll(ctx, ticketKey(id))
	if err := got.Err(); err != nil {
		return Ticket{}, false, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	t, ok = scanTicket(id, got)
	return t, ok, nil
}
