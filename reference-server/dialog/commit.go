package dialog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// commitTimes is how much more time a commit gets than another operation: an
// answer depends on it.
const commitTimes = 2

// errLost is ErrState for good: making the commit again is no help.
var errLost = fmt.Errorf("%w: the dialog was lost while its turn ran", ErrState)

// errStrange is ErrState for a moment: what stood in the place of the dialog is gone.
var errStrange = fmt.Errorf("%w: something else stood in the place of the dialog", ErrState)

// Kept are the limits of what stays of a dialog.
type Kept struct {
	Messages int
	Bytes    int
	TTL      time.Duration
	Hard     time.Duration
}

// Commit appends the turn. It is safe to call again after an error: a second
// element for the same seq has no effect. ErrConflict means that another turn
// took the seq (or the lease ran out); ErrErased that the dialog was erased while the
// turn ran, and nothing of it is kept; ErrState that Redis did not answer.
func (s *Store) Commit(ctx context.Context, h *Hold, r *Record, k Kept) (err error) {
	start := s.now()
	defer func() { s.observe("commit", s.now().Sub(start), err) }()
	if h.leased && start.Sub(h.since) >= leaseTime-leaseReserve {
		return ErrConflict
	}
	return s.append(ctx, h, r, k)
}

// append is commit without a look at the lease: the length alone fences.
func (s *Store) append(ctx context.Context, h *Hold, r *Record, k Kept) error {
	start := s.now()
	drop := h.trim(r, k)
	r.base = r.Seq - (len(h.turns) - drop)
	ttl := min(k.TTL, time.UnixMilli(h.born).Add(k.Hard).Sub(start))
	if ttl <= 0 {
		ttl = time.Second
	}
	late := time.Now().Add(commitTimes * s.timeout)
	item := r.appendJSON(make([]byte, 0, 256+len(r.User)+len(r.Response)))
	alone, err := s.push(ctx, h, item, h.old(drop), ttl, late)
	if wrongType(err) {
		if err = s.strange(ctx, h.id, err); err == nil {
			err = errStrange
		}
	}
	switch {
	case errors.Is(err, ErrErased):
		return ErrErased
	case err != nil:
		return stateError(err)
	}
	if !alone {
		if err := s.settle(ctx, h, r, late); err != nil {
			return err
		}
	}
	s.committed(h.id, r)
	return nil
}

// push appends the turn and takes the old elements out. alone: nobody else did
// anything to the list since begin. Its length tells, together with the old elements,
// which whoever makes room takes out first: one element more and one less is the same
// length.
func (s *Store) push(ctx context.Context, h *Hold, item []byte, old []string, ttl time.Duration, late time.Time) (alone bool, err error) {
	if s.puts == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, late)
		defer cancel()
	}
	key := ListKey(h.id)
	if s.roundtrips == 4 { //nolint:nestif // the branches are those of one exchange
		if h.lost && len(h.list) > 0 {
			if err := s.patient.LTrim(ctx, key, 1, 0).Err(); err != nil {
				return false, err
			}
		}
		n, err := h.add(ctx, s.patient, key, item).Result()
		if err != nil {
			return false, err
		}
		removed := int64(0)
		out := old
		if len(out) == 0 {
			out = []string{""} // asked without need, as the article does
		}
		for _, e := range out {
			m, err := s.patient.LRem(ctx, key, 1, e).Result()
			if err != nil {
				return false, err
			}
			removed += m
		}
		if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
			s.patient.Del(ctx, leaseKey(h.id))
		}
		return h.alone(n, removed, old), s.patient.PExpire(ctx, key, ttl).Err()
	}
	p := s.putting.take()
	defer s.putting.giveBack(p)
	if h.lost && len(h.list) > 0 {
		p.LTrim(ctx, key, 1, 0) // all of it, where it is a list: the mark of an erasure stays
	}
	pushed := h.add(ctx, p, key, item)
	gone := make([]*redis.IntCmd, len(old))
	for i, e := range old {
		gone[i] = p.LRem(ctx, key, 1, e)
	}
	p.PExpire(ctx, key, ttl)
	if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
		p.Del(ctx, leaseKey(h.id))
	}
	if err := s.puts.exec(ctx, p); err != nil {
		return false, err
	}
	removed := int64(0)
	for _, g := range gone {
		removed += g.Val()
	}
	return h.alone(pushed.Val(), removed, old), nil
}

func (h *Hold) alone(length, removed int64, old []string) bool {
	want := len(h.list) + 1
	if h.lost {
		want = 1
	}
	return length == int64(want) && removed == int64(len(old))
}

// add is how the turn gets into the list: where there was one, it must still be there.
// One that was erased or lost while the turn ran does not come back with it.
func (h *Hold) add(ctx context.Context, c redis.Cmdable, key string, item []byte) *redis.IntCmd {
	if h.lost || len(h.list) == 0 {
		return c.RPush(ctx, key, item)
	}
	return c.RPushX(ctx, key, item)
}

// settle reads the list again to learn whose element counts for r's seq.
func (s *Store) settle(ctx context.Context, h *Hold, r *Record, late time.Time) error {
	ctx, cancel := context.WithDeadline(ctx, late)
	defer cancel()
	list, err := s.redis.LRange(ctx, ListKey(h.id), 0, -1).Result()
	if wrongType(err) {
		if erased, err := marked(ctx, s.redis, h.id); err == nil && erased {
			return ErrErased
		}
	}
	if err != nil {
		return stateError(err)
	}
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].Token == r.Token && !f.lost {
			return nil
		}
	}
	if len(list) == 0 {
		return errLost
	}
	return ErrConflict
}
