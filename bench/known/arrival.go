package main

import (
	"net"
	"sync"
	"time"
)

// arrivals is a listener whose connections know when a request arrived: by the kernel
// where it says so, else when it was read.
type arrivals struct{ net.Listener }

// Accept is that of the listener.
func (l arrivals) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &arrivalConn{Conn: c, read: stamped(c)}, nil
}

// arrivalConn is one of its connections.
type arrivalConn struct {
	net.Conn
	read func([]byte) (int, time.Time, error)

	mu    sync.Mutex
	first time.Time // of what was read since the last request was taken
}

// Read is that of the connection.
func (c *arrivalConn) Read(b []byte) (int, error) {
	n, at, err := c.read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 && c.first.IsZero() {
		now := time.Now()
		c.first = now.Add(at.Sub(now))
	}
	return n, err
}

// arrived is when the request arrived that was read last.
func (c *arrivalConn) arrived() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.first
	c.first = time.Time{}
	return at
}
