package mockllm

import (
	"fmt"
	"sync"
)

const (
	plantedPhone  = "13912345678"
	plantedEscape = "\x1b]0;owned\x07\x1b[2J\x1b[31m<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\r\n::error::planted\n=HYPERLINK(\"http://invalid\")\u0085"
)

// plant puts what leak and escape show into the words.
func (c *call) plant(seen []canary) []canary {
	switch c.fault.kind {
	case kindLeak:
		value := c.fault.Value
		if value == "" {
			value = "收货人电话 " + plantedPhone
		}
		c.text += value
		c.length = countTokens(c.text)
		stranger := c.srv.strangers.other(c.req.canaries, draw(c.set.cfg.Seed, c.key, c.entry.attempt, saltLeak))
		if !c.set.cfg.EchoContext {
			c.echo = appendSeen(c.echo, []canary{stranger})
		}
		return append(append([]canary(nil), seen...), stranger)
	case kindEscape:
		value := c.fault.Value
		if value == "" {
			value = plantedEscape
		}
		c.text += value
		c.length = countTokens(c.text)
	}
	return seen
}

// strangers remembers canaries of recent traffic, for leak. Safe for concurrent use.
type strangers struct {
	mu   sync.Mutex
	ring [256]canary
	n    int
}

func (s *strangers) remember(list []canary) {
	if len(list) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring[s.n%len(s.ring)] = list[len(list)-1]
	s.n++
}

// other is a canary of another dialog: one that was seen, else a made-up one.
func (s *strangers) other(own []canary, h uint64) canary {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := min(s.n, len(s.ring))
	for i := range known {
		c := s.ring[(int(h%uint64(known))+i)%known]
		if len(own) == 0 || c.dialog != own[len(own)-1].dialog {
			return c
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	c := canary{turn: 1}
	for i := range c.dialog {
		c.dialog[i] = alphabet[h>>(5*i)&31]
	}
	return c
}

func (s *strangers) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = 0
}

// parseOverride reads X-Mock-Fault: a kind, then options as key=value, all
// separated by semicolons: "status;status=429;retry_after=2s".
func parseOverride(s string) (*fault, error) {
	if len(s) > 1024 {
		return nil, fmt.Errorf("longer than 1024 bytes")
	}
	f, err := overrideFault(s)
	if err != nil {
		return nil, err
	}
	var p problems
	f.validate(&p, "fault")
	if err := p.join(); err != nil {
		return nil, err
	}
	return compileFault(f), nil
}
