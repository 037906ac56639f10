package dialog

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leaseTime bounds how long a turn may hold its dialog: several times the
	// end-to-end deadline, because commit checks it against the monotonic
	// clock; short, because a turn whose release got lost blocks the next.
	leaseTime     = 3 * time.Second
	leaseReserve  = time.Second           // left at commit, for the commit itself
	takeBackPause = 20 * time.Millisecond // between two looks at a lease that may be ours, doubled each time
	takeBackLooks = 4
	tokenLen      = 16 // hex digits
)

func leaseKey(id string) string { return "dlg:{" + id + "}:lease" }

// takeOver takes a lease that belongs to nobody: to a begin of this process whose
// reply never came. The list that was read beside it is good: such a begin
// commits nothing.
func (s *Store) takeOver(ctx context.Context, h *Hold, turnID string) bool {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	v, err := s.redis.Get(ctx, leaseKey(h.id)).Result()
	if err != nil || len(v) < tokenLen {
		return false
	}
	if _, orphan := s.orphans.LoadAndDelete(v[:tokenLen]); !orphan {
		return false
	}
	if err := s.redis.Del(ctx, leaseKey(h.id)).Err(); err != nil {
		return false
	}
	ok, err := s.redis.SetNX(ctx, leaseKey(h.id), h.token+turnID, leaseTime).Result()
	return err == nil && ok
}

// Holder says whose turn holds the lease of a dialog: the turn_id, or "".
func (s *Store) Holder(ctx context.Context, id string) (string, error) {
	v, err := s.redis.Get(ctx, leaseKey(id)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	if err != nil || len(v) < 16 {
		return "", err
	}
	return v[16:], nil
}

// Release gives the lease back when a turn ends without a commit. Best effort:
// the lease runs out by itself.
func (s *Store) Release(h *Hold) {
	if h == nil || !h.leased || s.now().Sub(h.since) >= leaseTime-leaseReserve {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	_ = s.redis.Del(ctx, leaseKey(h.id)).Err()
}

// takeBack removes the lease that a begin without a reply may have left, and
// tries until that is done or the lease has run out. Redis may execute the begin
// only after it has said that there is no lease, so it is asked a few times.
func (s *Store) takeBack(h *Hold, turnID string) {
	defer s.orphans.Delete(h.token)
	for misses, pause := 0, takeBackPause; misses < takeBackLooks && s.now().Sub(h.since) < leaseTime-leaseReserve; pause *= 2 {
		ctx, cancel := context.WithTimeout(context.Background(), leaseTime-leaseReserve)
		v, err := s.redis.Get(ctx, leaseKey(h.id)).Result()
		if err == nil && v == h.token+turnID && s.now().Sub(h.since) < leaseTime-leaseReserve {
			err = s.redis.Del(ctx, leaseKey(h.id)).Err()
			if err == nil {
				cancel()
				return
			}
		}
		cancel()
		if err == nil || IsNil(err) {
			misses++
		}
		select {
		case <-s.late.stop:
			return
		case <-time.After(pause):
		}
	}
}
