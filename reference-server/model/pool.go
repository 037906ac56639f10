package model

import (
	"context"
	"net"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// pool holds the connections to one server. Safe for concurrent use.
type pool struct {
	address string
	dialer  *net.Dialer
	places  chan struct{} // one is held for each connection under way; nil: unbounded
	keep    int
	life    time.Duration // of an idle connection

	mu     sync.Mutex
	idle   []*conn // the last one was used last
	expiry *time.Timer
	closed bool
}

// conn is one open connection, used by one goroutine at a time.
type conn struct {
	net.Conn
	interrupt func() // makes reads and writes fail
	since     time.Time
	look
}

// past is a deadline that has long gone by.
var past = time.Unix(1, 0)

func newPool(u *url.URL, o Options) *pool {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	p := &pool{address: net.JoinHostPort(u.Hostname(), port), dialer: newDialer(o), life: idleLimit}
	if o.MaxConns > 0 {
		p.places = make(chan struct{}, o.MaxConns)
	}
	if o.Keepalive {
		p.keep = o.MaxIdle
	}
	return p
}

// get waits within ctx for a connection, which put takes back.
func (p *pool) get(ctx context.Context) (*conn, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if p.places != nil {
		select {
		case p.places <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	for {
		c := p.pop()
		if c == nil {
			break
		}
		if idle := time.Since(c.since); idle < p.life && !c.gone(idle) {
			return c, nil
		}
		c.Close()
	}
	c, err := p.dial(ctx)
	if err != nil {
		p.leave()
		return nil, err
	}
	return c, nil
}

func (p *pool) dial(ctx context.Context) (*conn, error) {
	open, err := p.dialer.DialContext(ctx, "tcp", p.address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: open, interrupt: func() { _ = open.SetDeadline(past) }}
	if s, ok := open.(syscall.Conn); ok {
		if err := c.init(s); err != nil {
			open.Close()
			return nil, err
		}
	}
	return c, nil
}

func (p *pool) pop() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// put takes a connection back, to be used again if keep says so. The place is
// left last: as long as one is idle none is dialled, so there are never more
// connections than places.
func (p *pool) put(c *conn, keep bool) {
	if !keep || !p.push(c) {
		c.Close()
	}
	p.leave()
}

func (p *pool) push(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= p.keep {
		return false
	}
	c.since = time.Now()
	p.idle = append(p.idle, c)
	if p.expiry == nil {
		p.expiry = time.AfterFunc(p.life, p.expire)
	}
	return true
}

func (p *pool) leave() {
	if p.places != nil {
		<-p.places
	}
}

// expire closes what was idle for too long. What is idle longest stands first.
func (p *pool) expire() {
	p.mu.Lock()
	n, now := 0, time.Now()
	for n < len(p.idle) && now.Sub(p.idle[n].since) >= p.life {
		n++
	}
	old := append([]*conn(nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	clear(p.idle[len(p.idle):cap(p.idle)])
	p.expiry = nil
	if len(p.idle) > 0 {
		p.expiry = time.AfterFunc(p.life-now.Sub(p.idle[0].since), p.expire)
	}
	p.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

// close closes the idle connections, and from now on each one when it is put back.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	if p.expiry != nil {
		p.expiry.Stop()
		p.expiry = nil
	}
	p.mu.Unlock()
	for _, c := range idle {
		c.Close()
	}
}
