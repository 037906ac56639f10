package jobs

import "sync"

// order makes the jobs of a dialog run one after the other, as they were
// queued. The zero value is ready. Safe for concurrent use.
type order struct {
	mu   sync.Mutex
	last map[string]chan struct{} // by dialog: closed when the latest job of it has ended
}

// join puts a job behind those of its dialog: before is closed when the one
// before it has ended; ended must be called.
func (o *order) join(dialogID string) (before <-chan struct{}, ended func()) {
	mine := make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last == nil {
		o.last = map[string]chan struct{}{}
	}
	last := o.last[dialogID]
	o.last[dialogID] = mine
	if last == nil {
		last = make(chan struct{})
		close(last)
	}
	return last, func() {
		o.mu.Lock()
		if o.last[dialogID] == mine {
			delete(o.last, dialogID)
		}
		o.mu.Unlock()
		close(mine)
	}
}
