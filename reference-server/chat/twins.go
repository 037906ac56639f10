package chat

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errTwin means that the same turn, sent before, is not answered yet.
var errTwin = errors.New("the same turn is in progress")

// twins let one turn at a time through for each key. The zero value is ready. Safe for
// concurrent use.
type twins struct {
	mu   sync.Mutex
	busy map[string]chan struct{} // closed when the turn has ended
}

// enter waits until no other turn has the key. After nil, leave must be called.
// Errors: errTwin, or that of ctx.
func (w *twins) enter(ctx context.Context, key string, limit time.Duration) (leave func(), err error) {
	other, leave := w.try(key)
	if other == nil {
		return leave, nil
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for other != nil {
		select {
		case <-other:
		case <-timer.C:
			return nil, errTwin
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		other, leave = w.try(key)
	}
	return leave, nil
}

// try takes the key, or says when the turn that has it ends.
func (w *twins) try(key string) (other <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, busy := w.busy[key]; busy {
		return other, nil
	}
	if w.busy == nil {
		w.busy = map[string]chan struct{}{}
	}
	mine := make(chan struct{})
	w.busy[key] = mine
	return nil, func() { w.leave(key, mine) }
}

func (w *twins) leave(key string, mine chan struct{}) {
	w.mu.Lock()
	delete(w.busy, key)
	w.mu.Unlock()
	close(mine)
}
