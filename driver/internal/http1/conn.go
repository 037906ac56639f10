package http1

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cstest/cstest/driver/internal/dial"
	"github.com/cstest/cstest/driver/internal/wire"
)

// conn is one open connection of HTTP/1.1. It is used by one goroutine at a time.
type conn struct {
	net.Conn
	raw        syscall.RawConn // nil under TLS
	armed      time.Duration   // the deadline set on it, offset from Target.Base; 0: none
	idle       time.Duration   // when its last answer was whole
	answers    int             // it has carried
	prev, next *conn           // in registry
	swap       swap
	look       dial.Look
	peer       *wire.Peer
}

// arm sees to it that a read or write ends by until. A deadline that is armed
// already and earlier is left: when it fires too soon it is set anew. So a
// connection sets one every timeout, not every turn.
func (c *conn) arm(base time.Time, until, now time.Duration) {
	if c.armed > now && c.armed <= until {
		return
	}
	c.armed = until
	c.SetDeadline(base.Add(until)) //nolint:errcheck // fails on a closed connection only, as the next read will
}

// registry knows the open connections, to count, interrupt and close them.
type registry struct {
	mu    sync.Mutex
	first *conn
	count atomic.Int64
	over  bool
}

// add gives false when the driver is closed.
func (r *registry) add(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	c.next = r.first
	if r.first != nil {
		r.first.prev = c
	}
	r.first = c
	r.count.Add(1)
	return true
}

// drop closes c and forgets it.
func (r *registry) drop(c *conn) {
	c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case c.prev != nil:
		c.prev.next = c.next
	case r.first == c:
		r.first = c.next
	default:
		return
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
	r.count.Add(-1)
}

// past is a deadline that has long gone by.
var past = time.Unix(1, 0)

func (r *registry) interrupt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := r.first; c != nil; c = c.next {
		c.SetDeadline(past) //nolint:errcheck // as in arm
	}
}

func (r *registry) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for c := r.first; c != nil; c = c.next {
		c.Close()
	}
}

// open dials within x's deadline and notes how long it took.
func (h *Client) open(l *wire.Link, x *wire.Exchange, now time.Duration) (*conn, wire.Fault) {
	if h.pool != nil {
		l = &h.shared
	}
	plain, err := h.target.Dial(h.ctx, h.target.Base.Add(x.Deadline), h.target.SessionsOf(l))
	x.Connect += h.target.Now() - now
	if err != nil {
		if h.ctx.Err() != nil {
			return nil, wire.Interruption()
		}
		return nil, wire.DialFault(err)
	}
	c := &conn{Conn: plain, peer: h.target.Opened(plain)}
	if err := c.look.Init(plain); err != nil {
		plain.Close()
		return nil, wire.DialFault(err)
	}
	if tcp, ok := plain.(syscall.Conn); ok {
		if c.raw, err = tcp.SyscallConn(); err != nil {
			plain.Close()
			return nil, wire.DialFault(err)
		}
	}
	if !h.conns.add(c) {
		plain.Close()
		return nil, wire.NewFault(wire.Interrupted, "the driver is closed")
	}
	return c, wire.Fault{}
}

// descriptor calls f with the connection's descriptor.
func (c *conn) descriptor(f func(fd uintptr)) error {
	raw := c.raw
	if secure, ok := c.Conn.(*tls.Conn); ok {
		under, ok := secure.NetConn().(syscall.Conn)
		if !ok {
			return errors.ErrUnsupported
		}
		var err error
		if raw, err = under.SyscallConn(); err != nil {
			return err
		}
	}
	if raw == nil {
		return errors.ErrUnsupported
	}
	return raw.Control(f)
}
