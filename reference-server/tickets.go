package refserver

import (
	"context"
	"fmt"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"

	"github.com/redis/go-redis/v9"
)

// The states of a ticket, in the order it goes through them. A claim that its
// agent does not make good leads back to open.
const (
	ticketOpen    = "open"
	ticketClaimed = "claimed"
	ticketClosed  = "closed"
)

// ticket is a question handed to people.
type ticket struct {
	ID       string `json:"id" redis:"-"`
	Queue    string `json:"queue" redis:"queue"`
	State    string `json:"state" redis:"state"`
	ETA      int    `json:"eta_s" redis:"eta"`
	AskedNS  int64  `json:"-" redis:"asked_ns"` // Unix
	Tenant   string `json:"-" redis:"tenant"`
	UID      string `json:"-" redis:"uid"`
	DialogID string `json:"dialog_id,omitempty" redis:"dialog"`
	Text     string `json:"text,omitempty" redis:"text"` // masked
	TraceID  string `json:"trace_id" redis:"trace"`
	Agent    string `json:"agent,omitempty" redis:"agent"`
	Reply    string `json:"reply,omitempty" redis:"reply"` // masked
	Socket   string `json:"-" redis:"socket"`              // the winner's
	ClaimMS  int64  `json:"-" redis:"claimed_ms"`          // Unix, of the claim
}

func (t ticket) asked() time.Time { return time.Unix(0, t.AskedNS) }

// ticketView is a ticket as its owner sees it.
type ticketView struct {
	ticket
	AskedMS int64 `json:"asked_unix_ms"`
}

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
	moved   func(ticket)         // told of each ticket that went from the journal to Redis
	hold    func() time.Duration // how long a claim lasts without a reply
}

func newTickets(st *dialog.Store, ids *dialog.Minter, hold func() time.Duration) *tickets {
	return &tickets{store: st, ids: ids, scripts: newTicketScripts(), hold: hold}
}

func ticketKey(id string) string { return "tkt:{" + id + "}" }

// queueKey is a sorted set of the tickets nobody has claimed, by the
// microsecond they were asked at.
func queueKey(tenant, queue string) string { return "tkq:{" + tenant + "}:" + queue }

// open makes a ticket and says whether Redis has it. It never fails: without
// Redis the ticket waits in the journal, with local as well, where Redis is not
// even asked.
func (ts *tickets) open(ctx context.Context, who dialog.Owner, queue, dialogID, text, traceID string, local bool) (t ticket, stored bool) {
	t = ticket{ID: ts.ids.Mint(dialog.IDTicket, who), Queue: queue, State: ticketOpen, AskedNS: ts.store.Now().UnixNano(), Tenant: who.Tenant, UID: who.UID,
		DialogID: dialogID, Text: text, TraceID: traceID, ETA: int(ticketETACap / time.Second)}
	if local {
		ts.journal.keep(t, false)
		return t, false
	}
	waiting, err := ts.write(ctx, t)
	if err != nil {
		ts.journal.keep(t, !neverSent(err))
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
func (ts *tickets) write(ctx context.Context, t ticket) (waiting int64, err error) {
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

// fields are the ticket as Redis keeps it.
func (t ticket) fields() []any {
	return []any{"queue", t.Queue, "state", t.State, "eta", t.ETA, "asked_ns", t.AskedNS, "tenant", t.Tenant, "uid", t.UID, "dialog", t.DialogID,
		"text", t.Text, "trace", t.TraceID, "agent", t.Agent, "reply", t.Reply, "socket", t.Socket, "claimed_ms", t.ClaimMS}
}

// place is where the ticket stands in its queue.
func (t ticket) place() redis.Z { return redis.Z{Score: float64(t.AskedNS / 1000), Member: t.ID} }

// waiting is how many tickets the journal holds.
func (ts *tickets) waiting() int { return ts.journal.length() }

// get reads a ticket; ok is false when there is none.
func (ts *tickets) get(ctx context.Context, id string) (t ticket, ok bool, err error) {
	if t, ok := ts.journal.get(id); ok {
		return t, true, nil
	}
	got := ts.store.Redis.HGetAll(ctx, ticketKey(id))
	if err := got.Err(); err != nil {
		return ticket{}, false, fmt.Errorf("%w: %w", dialog.ErrState, err)
	}
	t, ok = scanTicket(id, got)
	return t, ok, nil
}

// scanTicket reads a stored ticket; ok is false for anything that is none.
func scanTicket(id string, got *redis.MapStringStringCmd) (t ticket, ok bool) {
	if len(got.Val()) == 0 || got.Scan(&t) != nil {
		return ticket{}, false
	}
	t.ID = id
	return t, t.Tenant != "" && t.State != "" && t.AskedNS > 0
}
