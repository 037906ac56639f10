package dialog

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ferryPlaces is how many dialogs a trip has room for.
const ferryPlaces = 64

var errSunk = errors.New("what was sent with others has no reply")

// ferry takes pipelines of different dialogs to Redis in one round trip: what a
// message costs, here and there, is then shared. Whoever comes when none has left
// for a while leaves at once, and alone; whoever comes sooner waits for the rest of
// that time, and goes with all others who do. Commands of one dialog stay together
// and in order; what Redis says to one is no other's business. Safe for concurrent
// use.
type ferry struct {
	redis   *redis.Client
	places  places        // for trips
	whole   bool          // a trip is a transaction: as much as one of its dialogs needs
	every   time.Duration // between two trips that leave
	timeout time.Duration // of a trip, from its first passenger on

	mu      sync.Mutex
	left    time.Time // when the last one did
	waiting *trip     // nil: nobody waits
}

// trip is what goes together.
type trip struct {
	cmds    []redis.Cmder
	dialogs int
	opened  time.Time
	done    chan struct{} // closed when there and back
	err     error         // why the commands do not say how it went; read when done
}

// exec is p.Exec, in the ferry's time. Its error may be ctx's alone while the trip goes
// on: then nothing may be read of the commands. Without a ferry a pipeline goes by
// itself, in ctx's time.
func (f *ferry) exec(ctx context.Context, p redis.Pipeliner) error {
	if f == nil {
		_, err := p.Exec(ctx)
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	now := time.Now()
	f.mu.Lock()
	t := f.waiting
	if t == nil {
		wait := f.every - now.Sub(f.left)
		if wait <= 0 {
			f.left = now
			f.mu.Unlock()
			ctx, cancel := context.WithTimeout(ctx, f.timeout)
			defer cancel()
			if err := f.places.take(ctx); err != nil {
				return err
			}
			defer f.places.leave()
			_, err := p.Exec(ctx)
			return err
		}
		t = &trip{opened: now, err: errSunk, done: make(chan struct{}), cmds: make([]redis.Cmder, 0, 32)}
		f.waiting = t
		time.AfterFunc(wait, func() { f.leave(t) })
	}
	cmds := p.Cmds()
	t.cmds = append(t.cmds, cmds...)
	t.dialogs++
	full := t.dialogs == ferryPlaces
	if full {
		f.waiting, f.left = nil, now
	}
	f.mu.Unlock()
	if full {
		go f.sail(t) //nolint:gosec // no passenger's end may be the trip's
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.err != nil {
		return t.err
	}
	for _, c := range cmds {
		if err := c.Err(); err != nil {
			return err
		}
	}
	return nil
}

// leave sends a trip on its way that did not fill up.
func (f *ferry) leave(t *trip) {
	f.mu.Lock()
	here := f.waiting == t
	if here {
		f.waiting, f.left = nil, time.Now()
	}
	f.mu.Unlock()
	if here {
		f.sail(t)
	}
}

func (f *ferry) sail(t *trip) {
	defer close(t.done)
	ctx, cancel := context.WithDeadline(context.Background(), t.opened.Add(f.timeout))
	defer cancel()
	if err := f.places.take(ctx); err != nil {
		t.err = err
		return
	}
	defer f.places.leave()
	p := f.redis.Pipeline()
	if f.whole {
		p = f.redis.TxPipeline()
	}
	_ = p.BatchProcess(ctx, t.cmds...) // only keeps them
	_, _ = p.Exec(ctx)                 // each has its own error
	t.err = nil
}
