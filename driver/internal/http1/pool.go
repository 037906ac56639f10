package http1

import (
	"context"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// pool shares a fixed number of places among all lines, first come first served.
// A place is a connection, or nil where one is still to be made.
type pool struct {
	places chan *conn
}

func newPool(n int) *pool {
	p := &pool{places: make(chan *conn, n)}
	for range n {
		p.places <- nil
	}
	return p
}

func (p *pool) put(c *conn) { p.places <- c }

// get waits for a place until the deadline.
func (p *pool) get(ctx context.Context, until time.Time) (*conn, wire.Fault) {
	select {
	case c := <-p.places:
		return c, wire.Fault{}
	default:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case c := <-p.places:
		return c, wire.Fault{}
	case <-ctx.Done():
		return nil, wire.Interruption()
	case <-timer.C:
		return nil, wire.NewFault(wire.TimedOut, "no shared connection became free within the timeout")
	}
}
