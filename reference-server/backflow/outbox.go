package backflow

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	outboxCap   = 10_000
	outboxBatch = 64
	outboxSoon  = 4 * outboxBatch        // with more before it, a question will not be safe within a turn's patience
	outboxPause = 100 * time.Millisecond // before it is tried again, doubled up to outboxSlow
	outboxSlow  = time.Second
	recordLimit = 20 * time.Millisecond // a turn waits no longer than that for its question to be safe
)

// outbox are the questions on their way to Redis, oldest first. The zero value is
// ready. Safe for concurrent use.
type outbox struct {
	mu      sync.Mutex
	waiting []outgoing
	lost    int64 // that found no place

	writing sync.Mutex // held while some of them are written
	wake    chan struct{}
}

type outgoing struct {
	question Question
	written  chan struct{} // closed when Redis has it
}

// put adds a question; soon says whether waiting for it to be written is worth it. nil:
// there is no place for it.
func (o *outbox) put(q Question) (written <-chan struct{}, soon bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) >= outboxCap {
		o.lost++
		return nil, false
	}
	soon = len(o.waiting) < outboxSoon
	out := outgoing{q, make(chan struct{})}
	o.waiting = append(o.waiting, out)
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return out.written, soon
}

// first are those to be written next.
func (o *outbox) first() []outgoing {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.waiting[:min(len(o.waiting), outboxBatch)])
}

// sent takes off the first n.
func (o *outbox) sent(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range n {
		close(o.waiting[i].written)
	}
	o.waiting = slices.Delete(o.waiting, 0, n)
}

// forget takes off those of which gone says so. None of them is being written
// afterwards.
func (o *outbox) forget(gone func(Question) bool) {
	o.writing.Lock()
	defer o.writing.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting = slices.DeleteFunc(o.waiting, func(out outgoing) bool {
		if !gone(out.question) {
			return false
		}
		close(out.written)
		return true
	})
}

func (o *outbox) length() (n int, lost int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.waiting), o.lost
}

// Record keeps a question. It waits for Redis to have it, for a moment only: without
// Redis the question waits here, and goes there as soon as it is back.
func (f *Flow) Record(ctx context.Context, q Question) {
	if live := f.live(); live.Max <= 0 || live.Rate <= 0 {
		return
	}
	written, soon := f.outbox.put(q)
	switch {
	case written == nil:
		f.metrics.lost.Inc()
		return
	case !soon:
		return
	}
	timer := time.NewTimer(recordLimit)
	defer timer.Stop()
	select {
	case <-written:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// writing moves the outbox to Redis until ctx ends.
func (f *Flow) writing(ctx context.Context) {
	pause := outboxPause
	for {
		wait := outboxSlow
		switch n, err := f.write(ctx); {
		case err != nil:
			wait, pause = pause, min(2*pause, outboxSlow)
		case n > 0:
			pause = outboxPause
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-f.outbox.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// write moves some of the outbox to Redis. What an attempt without a reply has
// written is not written twice; what is of a dialog that was erased is not there
// afterwards.
func (f *Flow) write(ctx context.Context) (int, error) {
	if f.behind.Load() && f.catchUp != nil {
		// What waits may be of dialogs that were erased so long ago that nothing else
		// tells of it.
		if err := f.catchUp(ctx); err != nil {
			return 0, err
		}
	}
	n, err := f.writeFirst(ctx)
	f.behind.Store(err != nil)
	return n, err
}

func (f *Flow) writeFirst(ctx context.Context) (int, error) {
	f.outbox.writing.Lock()
	defer f.outbox.writing.Unlock()
	batch := f.outbox.first()
	if len(batch) == 0 {
		return 0, nil
	}
	live := f.live()
	keys := []string{streamKey, countsKey}
	args := []any{max(1, live.Max), (live.Life + time.Hour).Milliseconds()}
	for _, out := range batch {
		keys = append(keys, indexKey(out.question.DialogID))
		args = append(args, out.question.TurnID, out.question.encode())
	}
	ctx, cancel := context.WithTimeout(ctx, redisLimit)
	defer cancel()
	added, looks, err := f.record(ctx, keys, args, batch)
	if err != nil {
		return 0, err
	}
	f.metrics.recorded.Add(float64(added))
	for id, look := range looks {
		erased, err := look.Erased(ctx, f.redis)
		if err == nil && erased {
			err = f.eraseStored(ctx, id)
		}
		if err != nil {
			return 0, err // the whole again: what was written is not written twice
		}
	}
	f.outbox.sent(len(batch))
	return len(batch), nil
}

// record writes a batch and then looks whether its dialogs were erased, in one round
// trip.
func (f *Flow) record(ctx context.Context, keys []string, args []any, batch []outgoing) (added int64, looks map[string]dialog.Look, err error) {
	for range 2 {
		p := f.redis.Pipeline()
		recorded := f.scripts.record.EvalSha(ctx, p, keys, args...)
		looks = map[string]dialog.Look{}
		for _, out := range batch {
			if id := out.question.DialogID; looks[id] == (dialog.Look{}) {
				looks[id] = dialog.LookIn(ctx, p, id)
			}
		}
		_, err = p.Exec(ctx)
		if recorded.Err() == nil || !redis.HasErrorPrefix(recorded.Err(), "NOSCRIPT") {
			if err == nil {
				added, err = recorded.Int64()
			}
			return added, looks, err
		}
		if err := f.scripts.record.Load(ctx, f.redis).Err(); err != nil {
			return 0, nil, err
		}
	}
	return 0, nil, err
}

// flush gives the outbox a last chance: what stays in it is lost.
func (f *Flow) flush() {
	ctx, cancel := context.WithTimeout(context.Background(), redisLimit)
	defer cancel()
	for {
		if n, err := f.write(ctx); err != nil || n == 0 {
			break
		}
	}
	if n, _ := f.outbox.length(); n > 0 {
		f.metrics.lost.Add(float64(n))
		f.log.Error("questions for the backflow lost: Redis cannot be reached", "count", n)
	}
}
