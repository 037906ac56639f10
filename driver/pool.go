package driver

import (
	"context"
	"time"
)

// defaultPool is how many connections are shared when the scenario does not say.
const defaultPool = 64

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
func (p *pool) get(ctx context.Context, until time.Time) (*conn, fault) {
	select {
	case c := <-p.places:
		return c, fault{}
	default:
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case c := <-p.places:
		return c, fault{}
	case <-ctx.Done():
		return nil, fault{Interrupted, "interrupted"}
	case <-timer.C:
		return nil, fault{TimedOut, "no shared connection became free within the timeout"}
	}
}
