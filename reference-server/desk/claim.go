package desk

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

// outcome is what becomes of a claim or a reply. The words are those of the wire.
type outcome string

const (
	outcomeClaimed     outcome = "claimed"
	outcomeLost        outcome = "lost"
	outcomeReplied     outcome = "replied"
	outcomeNotFound    outcome = "not-found" // no such ticket, or another tenant's
	outcomeNotClaimed  outcome = "not-claimed"
	outcomeClosed      outcome = "closed"
	outcomeUnavailable outcome = "unavailable" // Redis does not answer: unknown, ask again
)

const (
	timeout    = 2 * time.Second // of a claim or a reply, trying again included
	pause      = 100 * time.Millisecond
	sweepBatch = 100
)

// heldKey is a sorted set of the claimed tickets of all tenants, by the
// millisecond they were claimed at.
const heldKey = "tkt:held"

// ticketScripts decide in Redis what must be decided once. Each touches one
// key, so that a cluster can run them.
type ticketScripts struct {
	claim, reply, release, move, draft *redis.Script
}

// newTicketScripts: claim gives a ticket to the first who asks, and says so
// again to that socket only, whose answer may have got lost; a claim that ran
// out counts as none. reply closes a ticket for the agent who holds it; the
// same call made twice has one effect. release takes back a claim that ran out.
// move stores a ticket of the journal unless it is there. draft puts an answer beside a
// ticket that nobody has answered.
func newTicketScripts() ticketScripts {
	return ticketScripts{
		claim: redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'tenant', 'state', 'socket', 'claimed_ms', 'queue', 'asked_ns')
if t[1] ~= ARGV[1] then return {'not-found'} end
if t[2] == 'claimed' and t[3] == ARGV[3] then return {'claimed', t[5], t[6]} end
if t[2] == 'closed' or t[2] == 'claimed' and tonumber(t[4]) + tonumber(ARGV[5]) > tonumber(ARGV[4]) then return {'lost'} end
redis.call('HSET', KEYS[1], 'state', 'claimed', 'agent', ARGV[2], 'socket', ARGV[3], 'claimed_ms', ARGV[4])
return {'claimed', t[5], t[6]}`),
		reply: redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'tenant', 'state', 'agent', 'reply_id', 'dialog', 'asked_ns')
if t[1] ~= ARGV[1] then return {'not-found'} end
if t[2] == 'closed' then
  if t[4] == ARGV[4] then return {'replied', t[5], t[6]} end
  return {'closed'}
end
if t[2] ~= 'claimed' or t[3] ~= ARGV[2] then return {'not-claimed'} end
redis.call('HSET', KEYS[1], 'state', 'closed', 'reply', ARGV[3], 'reply_id', ARGV[4])
return {'replied', t[5], t[6]}`),
		release: redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'state', 'claimed_ms')
if t[1] ~= 'claimed' then return 0 end
local left = tonumber(t[2]) + tonumber(ARGV[2]) - tonumber(ARGV[1])
if left > 0 then return left end
redis.call('HSET', KEYS[1], 'state', 'open', 'agent', '', 'socket', '')
return -1`),
		move: redis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'tenant') == 1 then return redis.call('HGET', KEYS[1], 'state') end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('HGET', KEYS[1], 'state')`),
		draft: redis.NewScript(`
local t = redis.call('HMGET', KEYS[1], 'tenant', 'state')
if t[1] and t[2] ~= 'closed' then redis.call('HSET', KEYS[1], 'draft', ARGV[1]) end
return t[2] or ''`),
	}
}

// claimant is an agent at one socket.
type claimant struct {
	who    dialog.Owner
	socket string
}

// claim asks for a ticket. Of all who ever ask for it, on any server, one is
// told claimed, unless that one lets the claim run out.
func (ts *tickets) claim(ctx context.Context, c claimant, id string) (result outcome) {
	now := ts.now()
	here := ts.journal.change(id, func(t *Ticket) {
		switch {
		case t.Tenant != c.who.Tenant:
			result = outcomeNotFound
		case t.State == stateOpen:
			t.State, t.Agent, t.Socket, t.ClaimMS = stateClaimed, c.who.UID, c.socket, now.UnixMilli()
			result = outcomeClaimed
		case t.State == stateClaimed && t.Socket == c.socket:
			result = outcomeClaimed
		default:
			result = outcomeLost
		}
	})
	if here {
		return result
	}
	got, err := ts.decide(ctx, ts.scripts.claim, id, c.who.Tenant, c.who.UID, c.socket, now.UnixMilli(), ts.live().Hold.Milliseconds())
	if err != nil {
		return outcomeUnavailable
	}
	if outcome(got[0]) == outcomeClaimed && len(got) == 3 {
		asked, _ := strconv.ParseInt(got[2], 10, 64)
		// The queue is a list of candidates: a claimed one left in it is
		// taken for what it is by whoever reads it.
		_ = ts.file(ctx, Ticket{ID: id, State: stateClaimed, Tenant: c.who.Tenant, Queue: got[1], AskedNS: asked, ClaimMS: now.UnixMilli()})
	}
	return outcome(got[0])
}

// replied is a closed ticket as far as the dialog is concerned.
type replied struct {
	dialogID string
	asked    time.Time
}

// reply closes a claimed ticket with the agent's text, which must be masked.
func (ts *tickets) reply(ctx context.Context, who dialog.Owner, id, text string) (result outcome, r replied) {
	here := ts.journal.change(id, func(t *Ticket) {
		switch {
		case t.Tenant != who.Tenant:
			result = outcomeNotFound
		case t.State == stateClosed:
			result = outcomeClosed
		case t.State != stateClaimed || t.Agent != who.UID:
			result = outcomeNotClaimed
		default:
			t.State, t.Reply = stateClosed, text
			result = outcomeReplied // into the dialog it goes with the ticket
		}
	})
	if here {
		if result == outcomeReplied {
			ts.kept.drop(id)
		}
		return result, r
	}
	got, err := ts.decide(ctx, ts.scripts.reply, id, who.Tenant, who.UID, text, dialog.RandomHex(8))
	if err != nil {
		return outcomeUnavailable, r
	}
	if outcome(got[0]) == outcomeReplied && len(got) == 3 {
		ts.kept.drop(id)
		_ = ts.redis.ZRem(ctx, heldKey, id).Err()
		asked, _ := strconv.ParseInt(got[2], 10, 64)
		r = replied{got[1], time.Unix(0, asked)}
	}
	return outcome(got[0]), r
}

// decide runs a script on a ticket until Redis answers or ctx ends. A ticket
// that Redis does not know but the journal holds is on its way there.
func (ts *tickets) decide(ctx context.Context, s *redis.Script, id string, args ...any) ([]string, error) {
	for {
		start := ts.now()
		got, err := s.Run(ctx, ts.redis, []string{ticketKey(id)}, args...).StringSlice()
		if err != nil {
			err = fmt.Errorf("%w: %w", dialog.ErrState, err)
		}
		ts.observe("ticket", ts.now().Sub(start), err)
		if err == nil && len(got) > 0 && (outcome(got[0]) != outcomeNotFound || !ts.journal.holds(id)) {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", dialog.ErrState, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// file puts a ticket where its state belongs: into its queue, among the held,
// or nowhere.
func (ts *tickets) file(ctx context.Context, t Ticket) error {
	q := queueKey(t.Tenant, t.Queue)
	p := ts.redis.Pipeline()
	switch t.State {
	case stateOpen:
		p.ZAdd(ctx, q, t.place())
		p.PExpire(ctx, q, ticketLife)
		p.ZRem(ctx, heldKey, t.ID)
	case stateClaimed:
		p.ZRem(ctx, q, t.ID)
		p.ZAddNX(ctx, heldKey, redis.Z{Score: float64(t.ClaimMS), Member: t.ID})
	default:
		p.ZRem(ctx, q, t.ID)
		p.ZRem(ctx, heldKey, t.ID)
	}
	_, err := p.Exec(ctx)
	return err
}

// release takes back claims that ran out and returns those tickets, open
// again. Of several servers that look at once, one gets each ticket.
func (ts *tickets) release(ctx context.Context) []Ticket {
	now, hold := ts.now().UnixMilli(), ts.live().Hold.Milliseconds()
	due, err := ts.redis.ZRangeArgs(ctx, redis.ZRangeArgs{Key: heldKey, ByScore: true, Start: "-inf", Stop: strconv.FormatInt(now-hold, 10), Count: sweepBatch}).Result()
	if err != nil {
		return nil
	}
	var freed []Ticket
	for _, id := range due {
		left, err := ts.scripts.release.Run(ctx, ts.redis, []string{ticketKey(id)}, now, hold).Int64()
		switch {
		case err != nil:
			return freed
		case left > 0: // claimed again since
			_ = ts.redis.ZAdd(ctx, heldKey, redis.Z{Score: float64(now + left - hold), Member: id}).Err()
			continue
		case left == 0:
			_ = ts.redis.ZRem(ctx, heldKey, id).Err()
			continue
		}
		if t, ok, err := ts.get(ctx, id); err == nil && ok && t.State == stateOpen && ts.file(ctx, t) == nil {
			freed = append(freed, t)
		}
	}
	return freed
}
