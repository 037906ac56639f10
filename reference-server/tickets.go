package refserver

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// ticket is a question handed to people.
type ticket struct {
	ID       string `json:"id"`
	Queue    string `json:"queue"`
	State    string `json:"state"` // open, claimed, closed
	ETA      int    `json:"eta_s"`
	AskedMS  int64  `json:"asked_unix_ms"`
	Tenant   string `json:"-"`
	UID      string `json:"-"`
	DialogID string `json:"dialog_id,omitempty"`
	Text     string `json:"text,omitempty"` // masked
	TraceID  string `json:"trace_id"`
	Agent    string `json:"agent,omitempty"`
}

const (
	ticketLife     = 24 * time.Hour
	ticketQueueCap = 10_000
	ticketJournal  = 10_000 // tickets kept here while Redis is away
	ticketsPerHour = 40     // what one agent closes
	agentsOnDuty   = 50
	ticketETAFloor = 30 * time.Second
	ticketETACap   = time.Hour
)

// tickets hands questions to people. Tickets live in Redis, with a local
// journal while that is away. Safe for concurrent use.
type tickets struct {
	store *store
	ids   *minter
	push  func(ticket) // told of each ticket once it is stored

	mu      sync.Mutex
	journal []ticket
	dropped int64
}

func ticketKey(id string) string { return "tkt:{" + id + "}" }

func queueKey(tenant, queue string) string { return "tkq:{" + tenant + "}:" + queue }

// open makes a ticket. It never fails: without Redis the ticket waits in the
// journal, with local as well, where Redis is not even asked.
func (ts *tickets) open(ctx context.Context, who identity, queue, dialogID, text, traceID string, local bool) ticket {
	t := ticket{ID: ts.ids.mint('t', who), Queue: queue, State: "open", AskedMS: time.Now().UnixMilli(), Tenant: who.tenant, UID: who.uid,
		DialogID: dialogID, Text: text, TraceID: traceID, ETA: int(ticketETACap / time.Second)}
	waiting := -1
	if !local {
		if n, err := ts.write(ctx, t); err == nil {
			waiting = int(n)
		}
	}
	if waiting < 0 {
		ts.keep(t)
		return t
	}
	t.ETA = eta(waiting)
	if ts.push != nil {
		ts.push(t)
	}
	return t
}

// eta is the time until an agent is free with n tickets ahead.
func eta(n int) int {
	d := time.Duration(n) * time.Hour / (ticketsPerHour * agentsOnDuty)
	return int(min(max(d, ticketETAFloor), ticketETACap) / time.Second)
}

func (ts *tickets) write(ctx context.Context, t ticket) (int64, error) {
	b, err := json.Marshal(storedTicket{ticket: t, TenantName: t.Tenant, Owner: t.UID})
	if err != nil {
		return 0, err
	}
	q := queueKey(t.Tenant, t.Queue)
	p := ts.store.rdb.Pipeline()
	p.Set(ctx, ticketKey(t.ID), b, ticketLife)
	n := p.RPush(ctx, q, t.ID)
	p.LTrim(ctx, q, -ticketQueueCap, -1)
	p.PExpire(ctx, q, ticketLife)
	if _, err := p.Exec(ctx); err != nil {
		return 0, fmt.Errorf("%w: %w", errState, err)
	}
	return n.Val(), nil
}

// storedTicket is a ticket with what its owner's view leaves out.
type storedTicket struct {
	ticket
	TenantName string `json:"tenant"`
	Owner      string `json:"uid"`
}

func (ts *tickets) keep(t ticket) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.journal) >= ticketJournal {
		ts.journal = ts.journal[1:]
		ts.dropped++
	}
	ts.journal = append(ts.journal, t)
}

// flush writes the journal to Redis, oldest first, until it is empty or Redis
// fails.
func (ts *tickets) flush(ctx context.Context) {
	for ctx.Err() == nil {
		ts.mu.Lock()
		if len(ts.journal) == 0 {
			ts.mu.Unlock()
			return
		}
		t := ts.journal[0]
		ts.mu.Unlock()
		if _, err := ts.write(ctx, t); err != nil {
			return
		}
		ts.mu.Lock()
		if len(ts.journal) > 0 && ts.journal[0].ID == t.ID {
			ts.journal = ts.journal[1:]
		}
		ts.mu.Unlock()
		if ts.push != nil {
			ts.push(t)
		}
	}
}

// waiting is how many tickets the journal holds.
func (ts *tickets) waiting() int {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return len(ts.journal)
}

// get reads a ticket; ok is false when there is none.
func (ts *tickets) get(ctx context.Context, id string) (t ticket, ok bool, err error) {
	ts.mu.Lock()
	for _, j := range ts.journal {
		if j.ID == id {
			ts.mu.Unlock()
			return j, true, nil
		}
	}
	ts.mu.Unlock()
	b, err := ts.store.rdb.Get(ctx, ticketKey(id)).Bytes()
	if isNil(err) {
		return ticket{}, false, nil
	}
	if err != nil {
		return ticket{}, false, fmt.Errorf("%w: %w", errState, err)
	}
	var st storedTicket
	if err := json.Unmarshal(b, &st); err != nil {
		return ticket{}, false, nil
	}
	st.Tenant, st.UID = st.TenantName, st.Owner
	return st.ticket, true, nil
}
