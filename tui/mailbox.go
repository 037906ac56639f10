package tui

import (
	"sync"
	"sync/atomic"
)

// mailbox is between a caller who knows of something new and the view that shows it. A
// view never writes to its terminal under the lock.
type mailbox struct {
	fresh chan struct{} // holds one token while there is something new
	cells atomic.Int64  // of the screen
	mu    sync.Mutex    // of what lies in it
}

// put leaves something new and never blocks.
func (b *mailbox) put(store func()) {
	b.mu.Lock()
	store()
	b.mu.Unlock()
	select {
	case b.fresh <- struct{}{}:
	default:
	}
}
