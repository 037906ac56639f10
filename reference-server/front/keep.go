package front

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	sending = 5 * time.Second  // an answer may take
	idle    = 75 * time.Second // the request behind one is waited for
)

// Keep makes a listener of ln, whose connections are in clear text. While it is crowded
// the desk sees each request that comes behind an answer of the server or of the desk.
// What the desk does not answer goes to the server as if nobody had looked. The server
// needs State as its ConnState.
func Keep(ln net.Listener, desk Desk) net.Listener { return keeper{ln, desk} }

type keeper struct {
	net.Listener
	desk Desk
}

// Accept is that of the listener.
func (k keeper) Accept() (net.Conn, error) {
	c, err := k.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &kept{Conn: c, desk: k.desk}, nil
}

// State is the http.Server.ConnState of a server behind Keep.
func State(c net.Conn, state http.ConnState) {
	if c, ok := c.(*kept); ok {
		c.idle.Store(state == http.StateIdle)
	}
}

type kept struct {
	net.Conn
	desk  Desk
	idle  atomic.Bool // the server has sent its answer
	waits atomic.Bool // for the beginning of a request of HTTP/1
}

// SetReadDeadline is that of the connection. net/http sets one when an answer was sent,
// waits for the next bytes if it has none, and sets another; for HTTP/2 it sets none.
func (c *kept) SetReadDeadline(t time.Time) error {
	c.waits.Store(c.idle.CompareAndSwap(true, false))
	return c.Conn.SetReadDeadline(t)
}

// Read is that of the connection, without the requests that were answered. Only what is
// read first is looked at: whatever the server has the beginning of goes on with that,
// though it may look like a request.
func (c *kept) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.waits.Load() {
			return n, err
		}
		var answer []byte
		var hold time.Duration
		if len(p) >= most && c.desk.Crowded() { // with less room net/http has some bytes already
			answer, hold = ask(c.desk, p[:n], c.RemoteAddr().String(), false)
		}
		if answer == nil {
			c.waits.Store(false)
			return n, nil
		}
		if err := c.send(answer, hold); err != nil {
			return 0, err
		}
	}
}

func (c *kept) send(answer []byte, hold time.Duration) error {
	time.Sleep(hold)
	now := time.Now()
	_ = c.SetWriteDeadline(now.Add(sending))
	if _, err := c.Write(answer); err != nil {
		return err
	}
	return c.Conn.SetReadDeadline(now.Add(idle))
}
