package front

import (
	"bytes"
	"net"
	"sync"
)

// Greet makes a listener of ln, whose connections are in clear text. While it is crowded
// the desk sees what each comes with, one after the other: the rest waits in the kernel
// and takes nothing from those that were let in. After an answer the connection is closed;
// all others go to the server with what was read of them, as if nobody had looked. Accept
// is for one goroutine.
func Greet(ln net.Listener, desk Desk) net.Listener {
	return &greeter{Listener: ln, desk: desk, space: make([]byte, most), held: newHeld()}
}

type greeter struct {
	net.Listener
	desk  Desk
	space []byte
	held  *held
}

// Close ends the listener. Answers that are held back are sent at once.
func (g *greeter) Close() error {
	defer g.held.close()
	return g.Listener.Close()
}

// Accept waits for a connection that is for the server.
func (g *greeter) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !g.desk.Crowded() {
			return c, nil
		}
		if c = g.greet(c); c != nil {
			return c, nil
		}
	}
}

// greet answers a connection and returns nil, or leaves it.
func (g *greeter) greet(c net.Conn) net.Conn {
	head := g.space[:arrived(c, g.space)]
	if len(head) == 0 {
		return c
	}
	if answer, hold := ask(g.desk, head, c.RemoteAddr().String(), true); answer != nil {
		g.held.send(c, answer, hold)
		return nil
	}
	return &greeted{Conn: c, head: bytes.Clone(head), arrived: sync.OnceFunc(g.desk.Expect())}
}

// greeted is a connection as it was before head was read of it.
type greeted struct {
	net.Conn
	head    []byte // not given out yet
	arrived func()
}

// Read is that of the connection.
func (c *greeted) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	c.arrived()
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}

// Close is that of the connection.
func (c *greeted) Close() error {
	c.arrived()
	return c.Conn.Close()
}
