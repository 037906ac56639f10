package refserver

import (
	"net"
	"sync"
	"sync/atomic"
)

// connections counts those of a listener, until they are closed whatever was spoken on
// them. The zero value is ready. Safe for concurrent use.
type connections struct{ open, most atomic.Int64 }

// now is how many are open, and the most there ever were at once.
func (c *connections) now() (open, most int64) { return c.open.Load(), c.most.Load() }

// of is ln, counted.
func (c *connections) of(ln net.Listener) net.Listener { return countedListener{ln, c} }

type countedListener struct {
	net.Listener
	to *connections
}

// Accept is that of the listener.
func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	n := l.to.open.Add(1)
	for most := l.to.most.Load(); n > most && !l.to.most.CompareAndSwap(most, n); most = l.to.most.Load() {
		continue
	}
	return &countedConn{Conn: conn, to: l.to}, nil
}

type countedConn struct {
	net.Conn
	to   *connections
	once sync.Once
}

// Close is that of the connection.
func (c *countedConn) Close() error {
	c.once.Do(func() { c.to.open.Add(-1) })
	return c.Conn.Close()
}
