package journal

import (
	"sync"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

const (
	attemptShards   = 16
	attemptsPerHalf = 16 << 10
)

// Attempts counts the attempts of each turn. It remembers at least the last
// 16·16k = 262,144 turns and at most twice as many, in two generations: the
// older one is forgotten as a whole when the younger is full.
type Attempts struct {
	shards [attemptShards]attemptShard
}

type attemptShard struct {
	mu         sync.Mutex
	young, old map[draw.Key]uint32
}

// Next returns the ordinal of this attempt of k, from 1. Safe for concurrent use.
func (a *Attempts) Next(k draw.Key) uint32 {
	s := &a.shards[draw.Mix(uint64(k[15])|uint64(k[7])<<8|uint64(k[11])<<16)%attemptShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.young[k]
	if !ok {
		n = s.old[k]
		if s.young == nil {
			s.young = make(map[draw.Key]uint32)
		}
		if len(s.young) >= attemptsPerHalf {
			s.young, s.old = s.old, s.young
			clear(s.young)
			if s.young == nil {
				s.young = make(map[draw.Key]uint32)
			}
		}
	}
	n++
	s.young[k] = n
	return n
}

// Reset forgets every turn.
func (a *Attempts) Reset() {
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		clear(s.young)
		clear(s.old)
		s.mu.Unlock()
	}
}
