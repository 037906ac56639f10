package canary

import (
	"sync"
)

// Strangers remembers canaries of recent traffic, for leak. Safe for concurrent use.
type Strangers struct {
	mu   sync.Mutex
	ring [256]Mark
	n    int
}

// Remember keeps the last mark of a prompt.
func (s *Strangers) Remember(list []Mark) {
	if len(list) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring[s.n%len(s.ring)] = list[len(list)-1]
	s.n++
}

// Other is a canary of another dialog: one that was seen, else a made-up one.
func (s *Strangers) Other(own []Mark, h uint64) Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := min(s.n, len(s.ring))
	for i := range known {
		c := s.ring[(int(h%uint64(known))+i)%known]
		if len(own) == 0 || c.Dialog != own[len(own)-1].Dialog {
			return c
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	c := Mark{Turn: 1}
	for i := range c.Dialog {
		c.Dialog[i] = alphabet[h>>(5*i)&31]
	}
	return c
}

// Reset forgets every mark.
func (s *Strangers) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = 0
}
