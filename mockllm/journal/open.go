package journal

import (
	"sync"
	"time"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

// Open is a call that has not ended, in the list of those. Its call owns it.
type Open struct {
	next, prev *Open
	at         uint32 // shard
	T          time.Duration
	Trace      draw.Key
	Traced     bool
	Attempt    uint32
	Body       uint64
}

// Opens lists the calls that have not ended. Safe for concurrent use; it allocates nothing.
type Opens struct {
	shards [attemptShards]struct {
		mu    sync.Mutex
		first *Open
	}
}

// Add puts o into the list. It must not change until it is removed.
func (l *Opens) Add(o *Open) {
	o.at = uint32(draw.Mix(uint64(o.T)) % attemptShards)
	s := &l.shards[o.at]
	s.mu.Lock()
	defer s.mu.Unlock()
	o.prev, o.next = nil, s.first
	if s.first != nil {
		s.first.prev = o
	}
	s.first = o
}

// Remove takes o out of the list.
func (l *Opens) Remove(o *Open) {
	s := &l.shards[o.at]
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.prev != nil {
		o.prev.next = o.next
	} else {
		s.first = o.next
	}
	if o.next != nil {
		o.next.prev = o.prev
	}
	o.next, o.prev = nil, nil
}

// traced are those that carry a trace id.
func (l *Opens) traced() (list []traced) {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		for o := s.first; o != nil; o = o.next {
			if o.Traced {
				list = append(list, traced{o.Trace, o.Attempt > 1, attempt{begin: int64(o.T), end: stillOpen, body: o.Body}})
			}
		}
		s.mu.Unlock()
	}
	return list
}
