package mockllm

import "sync"

const (
	attemptShards   = 16
	attemptsPerHalf = 16 << 10
)

// attempts counts the attempts of each turn. It remembers at least the last
// 16·16k = 262,144 turns and at most twice as many, in two generations: the
// older one is forgotten as a whole when the younger is full.
type attempts struct {
	shards [attemptShards]attemptShard
}

type attemptShard struct {
	mu         sync.Mutex
	young, old map[key]uint32
}

// next returns the ordinal of this attempt of k, from 1. Safe for concurrent use.
func (a *attempts) next(k key) uint32 {
	s := &a.shards[mix(uint64(k[15])|uint64(k[7])<<8|uint64(k[11])<<16)%attemptShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.young[k]
	if !ok {
		n = s.old[k]
		if s.young == nil {
			s.young = make(map[key]uint32)
		}
		if len(s.young) >= attemptsPerHalf {
			s.young, s.old = s.old, s.young
			clear(s.young)
			if s.young == nil {
				s.young = make(map[key]uint32)
			}
		}
	}
	n++
	s.young[k] = n
	return n
}

// reset forgets every turn.
func (a *attempts) reset() {
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		clear(s.young)
		clear(s.old)
		s.mu.Unlock()
	}
}
