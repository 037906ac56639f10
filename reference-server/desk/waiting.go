package desk

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// queueNames are all queues there are.
func queueNames() []string { return []string{"safety", "payment", "complaint", "order", "general"} }

const backlog = 100 // waiting tickets an agent is told of at once

// count is how many tickets wait in these queues, here and in Redis.
func (ts *tickets) count(ctx context.Context, tenant string, queues []string) int {
	n := len(ts.journal.open(tenant, queues))
	p := ts.redis.Pipeline()
	var lengths []*redis.IntCmd
	for _, q := range queues {
		lengths = append(lengths, p.ZCard(ctx, queueKey(tenant, q)))
	}
	_, _ = p.Exec(ctx) // without Redis, what is here
	for _, l := range lengths {
		n += int(l.Val())
	}
	return n
}

// waitingIn lists the tickets that can be claimed from these queues, oldest
// first, 100 at most. Without Redis these are the journal's.
func (ts *tickets) waitingIn(ctx context.Context, tenant string, queues []string) []Ticket {
	list := ts.journal.open(tenant, queues)
	p := ts.redis.Pipeline()
	var places []*redis.ZSliceCmd
	for _, q := range queues {
		places = append(places, p.ZRangeWithScores(ctx, queueKey(tenant, q), 0, backlog-1))
	}
	if _, err := p.Exec(ctx); err == nil {
		var oldest []redis.Z
		for i := range places {
			oldest = append(oldest, places[i].Val()...)
		}
		slices.SortFunc(oldest, func(a, b redis.Z) int { return cmp.Compare(a.Score, b.Score) })
		list = append(list, ts.load(ctx, tenant, oldest[:min(len(oldest), backlog)])...)
	}
	slices.SortStableFunc(list, func(a, b Ticket) int { return cmp.Compare(a.AskedNS, b.AskedNS) })
	return list[:min(len(list), backlog)]
}

// load reads the tickets of a queue that are open, and files those that are
// not.
func (ts *tickets) load(ctx context.Context, tenant string, places []redis.Z) []Ticket {
	p := ts.redis.Pipeline()
	got := make([]*redis.MapStringStringCmd, len(places))
	for i, z := range places {
		id, _ := z.Member.(string)
		got[i] = p.HGetAll(ctx, ticketKey(id))
	}
	_, _ = p.Exec(ctx) // each answer tells for itself
	var list []Ticket
	for i, z := range places {
		id, _ := z.Member.(string)
		if err := got[i].Err(); err != nil && !strings.HasPrefix(err.Error(), "WRONGTYPE") {
			continue
		}
		t, ok := scanTicket(id, got[i])
		switch {
		case ok && t.Tenant != tenant: // somebody wrote nonsense into the queue
		case ok && t.State == stateOpen:
			list = append(list, t)
		case ok:
			_ = ts.file(ctx, t)
		default:
			for _, q := range queueNames() {
				_ = ts.redis.ZRem(ctx, queueKey(tenant, q), id).Err()
			}
		}
	}
	return list
}
