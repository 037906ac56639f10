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
	full    chan struct{} // closed when nobody else has room
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
	cmds := p.Cmds()
	t, wait := f.board(cmds)
	switch {
	case t == nil:
		return f.alone(ctx, p)
	case wait > 0 && f.lead(ctx, t, wait):
	default:
		select {
		case <-t.done:
		case <-ctx.Done():
			return ctx.Err()
		}
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

// board takes a place on the next trip; nil: none is needed, since nobody has left for
// a while. Whoever is first has to lead it, when it has waited.
func (f *ferry) board(cmds []redis.Cmder) (t *trip, wait time.Duration) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waiting == nil {
		if wait = f.every - now.Sub(f.left); wait <= 0 {
			f.left = now
			return nil, 0
		}
		f.waiting = &trip{opened: now, err: errSunk, full: make(chan struct{}), done: make(chan struct{}), cmds: make([]redis.Cmder, 0, 32)}
	}
	t = f.waiting
	t.cmds = append(t.cmds, cmds...)
	if t.dialogs++; t.dialogs == ferryPlaces {
		f.waiting, f.left = nil, now
		close(t.full)
	}
	return t, wait
}

// alone goes without the others.
func (f *ferry) alone(ctx context.Context, p redis.Pipeliner) error {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if err := f.places.take(ctx); err != nil {
		return err
	}
	defer f.places.leave()
	_, err := p.Exec(ctx)
	return err
}

// lead waits for others and takes the trip there and back, on the goroutine of its
// first passenger, whose stack is large enough already. Where that one leaves before
// the trip does, it is led by nobody's; false.
func (f *ferry) lead(ctx context.Context, t *trip, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	select {
	case <-timer.C:
	case <-t.full:
		timer.Stop()
	case <-ctx.Done():
		go func() {
			select {
			case <-timer.C:
			case <-t.full:
			}
			f.sail(t)
		}()
		return false
	}
	f.sail(t)
	return true
}

// sail takes a trip there and back. No passenger's end is the trip's.
func (f *ferry) sail(t *trip) {
	defer close(t.done)
	f.mu.Lock()
	if f.waiting == t {
		f.waiting, f.left = nil, time.Now()
	}
	f.mu.Unlock()
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
