package dialog

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	lateLimit = 4096 // turns waiting for Redis
	latePause = 20 * time.Millisecond
	lateSlow  = time.Second
)

// LateLife is how long a commit is tried that Redis did not answer in time.
const LateLife = 20 * time.Second

// late finishes commits that Redis did not answer in time. Appending twice has
// no effect, so trying again is safe; the next turn of the dialog waits for it,
// briefly. Safe for concurrent use.
type late struct {
	background *sync.WaitGroup // nil: nobody waits for them at the end
	stop       chan struct{}
	once       sync.Once

	mu      sync.Mutex
	pending map[string]*lateCommit // by dialog
}

// lateCommit is one that is tried again.
type lateCommit struct {
	ended  chan struct{} // closed when it is through or given up
	unwant chan struct{} // closed when it must be given up
	once   sync.Once
}

func newLate(background *sync.WaitGroup) *late {
	return &late{background: background, stop: make(chan struct{}), pending: map[string]*lateCommit{}}
}

func (l *late) close() { l.once.Do(func() { close(l.stop) }) }

// StopRetries ends the attempts to finish late commits.
func (s *Store) StopRetries() { s.late.close() }

// wait lets an unfinished commit of the dialog go first.
func (l *late) wait(ctx context.Context, id string, limit time.Duration) {
	c := l.of(id)
	if c == nil {
		return
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c.ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (l *late) of(id string) *lateCommit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pending[id]
}

// giveUp ends the attempts for a dialog that is to be erased.
func (l *late) giveUp(ctx context.Context, id string) {
	c := l.of(id)
	if c == nil {
		return
	}
	c.once.Do(func() { close(c.unwant) })
	select {
	case <-c.ended:
	case <-ctx.Done():
	}
}

// Finish tries the commit of r again, in the background, until it is through,
// overtaken or too old. Above the limit the turn is lost, as its answer said.
func (s *Store) Finish(h *Hold, r *Record, k Kept) {
	l := s.late
	l.mu.Lock()
	_, busy := l.pending[h.id]
	if busy || len(l.pending) >= lateLimit {
		l.mu.Unlock()
		return
	}
	c := &lateCommit{ended: make(chan struct{}), unwant: make(chan struct{})}
	l.pending[h.id] = c
	l.mu.Unlock()
	run := func() {
		s.retry(h, r, k, c.unwant)
		l.mu.Lock()
		delete(l.pending, h.id)
		l.mu.Unlock()
		close(c.ended)
	}
	if l.background != nil {
		l.background.Go(run)
		return
	}
	go run()
}

func (s *Store) retry(h *Hold, r *Record, k Kept, unwant <-chan struct{}) {
	pause, end := latePause, time.Now().Add(LateLife)
	for time.Now().Before(end) {
		ctx, cancel := context.WithTimeout(context.Background(), lateSlow)
		err := s.append(ctx, h, r, k)
		cancel()
		if err == nil || errors.Is(err, ErrConflict) || errors.Is(err, ErrErased) || errors.Is(err, errLost) {
			return
		}
		select {
		case <-s.late.stop:
			return
		case <-unwant:
			return
		case <-time.After(pause):
			pause = min(2*pause, lateSlow)
		}
	}
}
