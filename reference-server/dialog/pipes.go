package dialog

import (
	"sync"

	"github.com/redis/go-redis/v9"
)

// pipes are empty pipelines of one kind, used again: a new one, filled, is seven
// allocations. Safe for concurrent use.
type pipes struct {
	another func() redis.Pipeliner
	empty   sync.Pool
}

func (p *pipes) take() redis.Pipeliner {
	if pipe, ok := p.empty.Get().(redis.Pipeliner); ok {
		return pipe
	}
	return p.another()
}

// giveBack takes one whose commands went on their way, or never will; they are not its
// own any more.
func (p *pipes) giveBack(pipe redis.Pipeliner) {
	pipe.Discard()
	p.empty.Put(pipe)
}
