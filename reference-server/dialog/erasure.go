package dialog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// erasedMark stands where the turns of an erased dialog stood. It is no list, so
	// that Redis itself refuses whatever a turn still under way would append: no commit
	// needs to look.
	erasedMark = "erased"
	// erasedStream tells all servers what was erased.
	erasedStream = "dlg:erased"
	erasedKept   = 25 * time.Hour // of the stream: longer than anything waits in the memory of a server
	erasedEvery  = time.Second    // how often a server looks what others have erased
	erasedBatch  = 512
	// leastMark is how long the mark stands where no option says longer.
	leastMark = time.Minute
)

// ErrErased means that the dialog was erased, a short time ago: nothing of it is kept,
// and nothing of it comes back.
var ErrErased = errors.New("the dialog was erased")

// Erasures are dialogs that were erased, each with the moment from which the same id
// may begin anew.
type Erasures map[string]time.Time

// Cover says whether something of a dialog that was asked then was erased with it.
func (e Erasures) Cover(id string, asked time.Time) bool {
	until, ok := e[id]
	return ok && asked.Before(until)
}

// Erase removes everything of a dialog. For a while a mark keeps its place: turns under
// way find it and end with ErrErased, as do those sent again. Made again after an
// error, it ends what it began.
func (s *Store) Erase(ctx context.Context, id string) error {
	s.late.giveUp(ctx, id)
	life := s.markTime()
	until := s.now().Add(life)
	p := s.patient.TxPipeline()
	p.Set(ctx, ListKey(id), erasedMark, life)
	p.Del(ctx, leaseKey(id), quarantineKey(id))
	if _, err := p.Exec(ctx); err != nil {
		s.answers.drop(id)
		s.tails.drop(id)
		return stateError(err)
	}
	s.forget(id, until)
	p = s.patient.Pipeline()
	p.XAdd(ctx, &redis.XAddArgs{Stream: erasedStream, Values: []any{"d", id, "u", until.UnixMilli()}})
	p.XTrimMinIDApprox(ctx, erasedStream, strconv.FormatInt(s.now().Add(-erasedKept).UnixMilli(), 10), 0)
	p.PExpire(ctx, erasedStream, erasedKept)
	if _, err := p.Exec(ctx); err != nil {
		return stateError(err)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// markTime is how long a mark stands.
func (s *Store) markTime() time.Duration {
	if s.markLife == nil {
		return leastMark
	}
	return max(leastMark, s.markLife())
}

// Gone says whether this server knows that the dialog was erased a short time ago. It
// asks nobody.
func (s *Store) Gone(id string) bool {
	until, ok := s.erased.get(id)
	return ok && s.now().Before(until)
}

// Erased asks Redis whether the dialog was erased a short time ago.
func (s *Store) Erased(ctx context.Context, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return marked(ctx, s.redis, id)
}

func marked(ctx context.Context, rdb redis.Cmdable, id string) (bool, error) {
	v, err := rdb.Get(ctx, ListKey(id)).Result()
	if err != nil && !IsNil(err) && !wrongType(err) {
		return false, stateError(err)
	}
	return v == erasedMark, nil
}

// forget drops what this server remembers of an erased dialog. The note that it is gone
// comes first: see Remember.
func (s *Store) forget(id string, until time.Time) {
	s.erased.change(id, func(known time.Time) time.Time {
		if known.After(until) {
			return known
		}
		return until
	})
	s.answers.drop(id)
	s.tails.drop(id)
}

// Look is a question within a pipeline of others: was the dialog erased? Behind what is
// written of the dialog elsewhere, it tells whether that must be taken back: an erasure
// sets its mark before it looks for what to remove.
type Look struct {
	id   string
	kind *redis.StatusCmd
}

// LookIn puts the question into a pipeline.
func LookIn(ctx context.Context, p redis.Pipeliner, id string) Look {
	return Look{id, p.Type(ctx, ListKey(id))}
}

// Erased is the answer, once the pipeline is through. The error wraps ErrState.
func (l Look) Erased(ctx context.Context, rdb redis.Cmdable) (bool, error) {
	switch kind, err := l.kind.Result(); {
	case err != nil:
		return false, stateError(err)
	case kind != "string":
		return false, nil
	}
	return marked(ctx, rdb, l.id) // it may be another's nonsense
}

// Follow hears of what other servers erase, until ctx ends.
func (s *Store) Follow(ctx context.Context) {
	tick := time.NewTicker(erasedEvery)
	defer tick.Stop()
	for {
		_ = s.CatchUp(ctx) // else the next time
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// CatchUp hears of everything that was erased up to now. Whoever writes what has waited
// in memory does so first. The error wraps ErrState.
func (s *Store) CatchUp(ctx context.Context) error {
	s.hearing.Lock()
	defer s.hearing.Unlock()
	for {
		ctx, cancel := context.WithTimeout(ctx, pingTimeout)
		got, err := s.patient.XRead(ctx, &redis.XReadArgs{Streams: []string{erasedStream, s.heard}, Count: erasedBatch, Block: -1}).Result()
		cancel()
		switch {
		case IsNil(err) || err == nil && len(got) == 0:
			return nil
		case err != nil:
			return stateError(err)
		}
		messages := got[0].Messages
		list := Erasures{}
		for _, m := range messages {
			s.heard = m.ID
			id, _ := m.Values["d"].(string)
			text, _ := m.Values["u"].(string)
			if ms, err := strconv.ParseInt(text, 10, 64); err == nil && IsID(id) {
				list[id] = time.UnixMilli(ms)
			}
		}
		for id, until := range list {
			s.forget(id, until)
		}
		if s.hear != nil {
			s.hear(list)
		}
		if len(messages) < erasedBatch {
			return nil
		}
	}
}

func quarantineKey(id string) string { return ListKey(id) + ":quarantine" }

func wrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }

// strangeScript: the place of a dialog's turns holds something else. The mark of an
// erasure stays, and stands no longer than it should, whatever a turn did to its time;
// anything else goes out of the way.
var strangeScript = redis.NewScript(`
if redis.pcall('GET', KEYS[1]) == ARGV[1] then
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return 1
end
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
return 0`)

// strange says what an error of the wrong type means: ErrErased, or nil, when whatever
// stood there is out of the way and the dialog starts anew. Any other error is returned
// as it is.
func (s *Store) strange(ctx context.Context, id string, err error) error {
	if !wrongType(err) {
		return err
	}
	erased, err := strangeScript.Run(ctx, s.patient, []string{ListKey(id), quarantineKey(id)}, erasedMark, s.markTime().Milliseconds()).Bool()
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrState, err)
	case erased:
		return ErrErased
	}
	return nil
}
