package dialog

import (
	"context"
	"fmt"
	"time"
)

// commitTimes is how much more time a commit gets than another operation: an
// answer depends on it.
const commitTimes = 2

// Kept are the limits of what stays of a dialog.
type Kept struct {
	Messages int
	Bytes    int
	TTL      time.Duration
	Hard     time.Duration
}

// Commit appends the turn. It is safe to call again after an error: a second
// element for the same seq has no effect. ErrConflict means that another turn
// took the seq (or the lease ran out); ErrState that Redis did not answer.
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
	ctx, cancel := context.WithTimeout(ctx, commitTimes*s.timeout)
	defer cancel()
	length, err := s.push(ctx, h, string(r.appendJSON(make([]byte, 0, 256+len(r.User)+len(r.Response)))), drop, ttl)
	if err != nil {
		return stateError(err)
	}
	want := int64(h.length + 1)
	if h.lost {
		want = 1
	}
	if length != want {
		if err := s.settle(ctx, h, r); err != nil {
			return err
		}
	}
	s.committed(h.id, r)
	return nil
}

func (s *Store) push(ctx context.Context, h *Hold, item string, drop int, ttl time.Duration) (int64, error) {
	key := ListKey(h.id)
	if s.roundtrips == 4 { //nolint:nestif // the branches are those of one exchange
		if h.lost && h.length > 0 {
			if err := s.patient.Del(ctx, key).Err(); err != nil {
				return 0, err
			}
		}
		n, err := s.patient.RPush(ctx, key, item).Result()
		if err != nil {
			return 0, err
		}
		if err := s.patient.LTrim(ctx, key, h.firstKept(drop), -1).Err(); err != nil {
			return 0, err
		}
		if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
			s.patient.Del(ctx, leaseKey(h.id))
		}
		return n, s.patient.PExpire(ctx, key, ttl).Err()
	}
	p := s.patient.TxPipeline()
	if h.lost && h.length > 0 {
		p.Del(ctx, key)
	}
	pushed := p.RPush(ctx, key, item)
	if drop > 0 && !h.lost {
		p.LTrim(ctx, key, h.firstKept(drop), -1)
	}
	p.PExpire(ctx, key, ttl)
	if h.leased && s.now().Sub(h.since) < leaseTime-leaseReserve {
		p.Del(ctx, leaseKey(h.id))
	}
	_, err := p.Exec(ctx)
	return pushed.Val(), err
}

// settle reads the list again to learn whose element counts for r's seq.
func (s *Store) settle(ctx context.Context, h *Hold, r *Record) error {
	list, err := s.redis.LRange(ctx, ListKey(h.id), 0, -1).Result()
	if err != nil {
		return stateError(err)
	}
	f := foldRecords(list)
	for i := range f.turns {
		if f.turns[i].Token == r.Token && !f.lost {
			return nil
		}
	}
	if f.lost && len(list) == 1 {
		// The list was lost while the turn ran: this turn begins a new epoch,
		// which the next turn reports.
		s.redis.Del(ctx, ListKey(h.id))
		return fmt.Errorf("%w: dialog was lost while its turn ran", ErrState)
	}
	return ErrConflict
}
