package dialog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// lateWaits is for how many operations the next turn waits for a late commit.
const lateWaits = 2

// Begin takes the dialog's lease and reads its turns. replay is the stored
// response when turnID was answered before. Errors: ErrBusy, ErrReused, ErrErased,
// else wrapping ErrState.
func (s *Store) Begin(ctx context.Context, id, turnID, hash string, exclusive bool, hard time.Duration) (h *Hold, replay []byte, err error) {
	start := s.now()
	defer func() {
		if ctx.Err() == nil { // a caller who left says nothing about Redis
			s.observe("begin", s.now().Sub(start), err)
		}
	}()
	h = &Hold{id: id, token: RandomHex(8), since: start}
	s.late.wait(ctx, id, lateWaits*s.timeout)
	if s.asks == nil {
		if err := s.begins.take(ctx); err != nil {
			return nil, nil, err
		}
		defer s.begins.leave()
	}
	known, _ := s.tails.get(id)
	var list []string
	var leased, sent bool
	for try := range s.attempts {
		list, leased, err = s.tryOpen(ctx, h, exclusive, turnID, try > 0)
		crowded := errors.Is(err, ErrCrowded)
		sent = sent || !crowded
		if err == nil || crowded || errors.Is(err, ErrErased) || ctx.Err() != nil {
			break
		}
	}
	if errors.Is(err, ErrErased) {
		h.leased = leased
		s.Release(h)
		return nil, nil, ErrErased
	}
	if err != nil {
		if exclusive && sent {
			s.orphans.Store(h.token, struct{}{})
			go s.takeBack(h, turnID) //nolint:gosec // must outlive the request: the lease may be ours without our knowing
		}
		return nil, nil, stateError(err)
	}
	if exclusive && !leased {
		leased = s.takeOver(ctx, h, turnID)
	}
	h.leased = leased
	f := foldRecords(list)
	known.whole(&f)
	for i := range f.turns {
		if f.turns[i].TurnID == turnID {
			s.Release(h)
			if f.turns[i].TextHash != hash {
				return nil, nil, ErrReused
			}
			return nil, f.turns[i].Response, nil
		}
	}
	if exclusive && !leased {
		return nil, nil, ErrBusy
	}
	h.adopt(f, start, hard)
	return h, nil, nil
}

// tryOpen is open within the time of one operation. Made again, it recognises
// the lease that an attempt without a reply took.
func (s *Store) tryOpen(ctx context.Context, h *Hold, exclusive bool, turnID string, again bool) ([]string, bool, error) {
	if s.asks == nil || again {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	list, leased, err := s.open(ctx, h, exclusive, turnID)
	if err == nil && again && exclusive && !leased {
		v, err := s.redis.Get(ctx, leaseKey(h.id)).Result()
		return list, err == nil && v == h.token+turnID, nil
	}
	return list, leased, err
}

func (s *Store) open(ctx context.Context, h *Hold, exclusive bool, turnID string) ([]string, bool, error) {
	key, lease := ListKey(h.id), leaseKey(h.id)
	if s.roundtrips == 4 {
		leased := false
		if exclusive {
			ok, err := s.redis.SetNX(ctx, lease, h.token+turnID, leaseTime).Result()
			if err != nil {
				return nil, false, err
			}
			leased = ok
		}
		list, err := s.redis.LRange(ctx, key, 0, -1).Result()
		return list, leased, s.strange(ctx, h.id, err)
	}
	var taken *redis.BoolCmd
	p := s.asking.take()
	defer s.asking.giveBack(p)
	if exclusive {
		taken = p.SetNX(ctx, lease, h.token+turnID, leaseTime)
	}
	got := p.LRange(ctx, key, 0, -1)
	err := s.strange(ctx, h.id, s.asks.exec(ctx, p))
	if err != nil && !errors.Is(err, ErrErased) {
		return nil, false, err
	}
	return got.Val(), taken != nil && taken.Val(), err
}

// places are the connections that begins may use. nil: as many as they like.
type places chan struct{}

// take waits for one.
func (p places) take(ctx context.Context) error {
	if p == nil {
		return nil
	}
	select {
	case p <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(poolWait)
	defer timer.Stop()
	select {
	case p <- struct{}{}:
		return nil
	case <-timer.C:
		return ErrCrowded
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrState, ctx.Err())
	}
}

func (p places) leave() {
	if p != nil {
		<-p
	}
}
