package dialog

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// pulseConns is enough for a question every 100 ms that waits 300 ms for its answer.
const pulseConns = 4

// Pulse asks whether Redis answers at all, over connections of its own: that turns find
// none free says nothing about Redis, and that Redis is silent must be seen though hanging
// turns hold them all. Safe for concurrent use.
type Pulse struct{ redis *redis.Client }

// NewPulse makes one for the Redis of a client.
func NewPulse(of *redis.Client) *Pulse {
	opt := *of.Options()
	opt.PoolSize, opt.MaxActiveConns, opt.PoolTimeout, opt.ReadTimeout = pulseConns, pulseConns, pingTimeout, pingTimeout
	return &Pulse{redis.NewClient(&opt)}
}

// Feel asks once, in the time of ctx.
func (p *Pulse) Feel(ctx context.Context) error { return p.redis.Ping(ctx).Err() }

// Close closes the connections.
func (p *Pulse) Close() { _ = p.redis.Close() }
