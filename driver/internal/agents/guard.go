package agents

import (
	"io"
	"net"
	"time"
)

// guard is the stream of an agent's socket: it notes when bytes came, and bounds how
// long a write takes and a silence lasts.
type guard struct {
	io.ReadWriteCloser
	conn    net.Conn
	base    time.Time
	timeout time.Duration // of a write
	idle    time.Duration // longest silence; 0: any
	read    time.Duration // when the last bytes came, offset from base
}

// Read is used by one goroutine at a time, as read is.
func (g *guard) Read(b []byte) (int, error) {
	if g.idle > 0 {
		g.conn.SetReadDeadline(time.Now().Add(g.idle)) //nolint:errcheck // as in arm
	}
	n, err := g.ReadWriteCloser.Read(b)
	g.read = time.Since(g.base)
	return n, err
}

// Write gives up on a server that does not read.
func (g *guard) Write(b []byte) (int, error) {
	g.conn.SetWriteDeadline(time.Now().Add(g.timeout)) //nolint:errcheck // as in arm
	return g.ReadWriteCloser.Write(b)
}
