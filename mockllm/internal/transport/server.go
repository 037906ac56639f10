// Package transport carries requests and answers over HTTP/1.1 and cleartext
// HTTP/2 on one port. It knows nothing of what is asked and answered: a Handler
// does. A connection that waits holds neither a buffer nor a second goroutine.
package transport

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Handler answers requests. Its methods are for any goroutine.
type Handler interface {
	// Limits are the delay of the first request of a new connection and the
	// longest request body, as they are now.
	Limits() (connect time.Duration, body int64)
	// Exchange makes what answers the requests of one connection, one at a time.
	Exchange() Exchange
	// Refusal is the answer to a request that could not be read.
	Refusal(status int, message string) (Head, []byte)
}

// Exchange answers one request over w.
type Exchange interface {
	Serve(w Wire, r *Request)
}

// Request is what a client asks. The slices are valid until the wire waits.
type Request struct {
	Method, Path, Body []byte
}

// Server serves connections until it is closed. Its methods are safe for
// concurrent use.
type Server struct {
	handler  Handler
	listener net.Listener // nil for a server that is handed its connections
	accepted atomic.Uint64
	clock    dateClock
	scratch  sync.Pool // of *scratch
	conns    connSet
	h2       *http.Server
	h2conn   *handover
	done     chan struct{}
	once     sync.Once
	work     sync.WaitGroup
}

// Serve accepts connections from l, which may be nil when ServeConn is to be
// the only source of them.
func Serve(l net.Listener, h Handler) *Server {
	s := &Server{handler: h, listener: l, done: make(chan struct{})}
	var addr net.Addr
	if l != nil {
		addr = l.Addr()
		s.work.Go(s.acceptAll)
	}
	s.h2conn = newHandover(addr)
	s.h2 = s.newH2()
	s.work.Go(func() { _ = s.h2.Serve(s.h2conn) })
	return s
}

// acceptAll serves the listener until it is closed.
func (s *Server) acceptAll() {
	var backoff time.Duration
	for {
		nc, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of descriptors, most likely
			backoff = min(max(2*backoff, 5*time.Millisecond), time.Second)
			s.pause(backoff)
			continue
		}
		backoff = 0
		s.accepted.Add(1)
		s.ServeConn(nc)
	}
}

// pause sleeps for d or until Close.
func (s *Server) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.done:
	}
}

// ServeConn serves a connection in a goroutine of its own.
func (s *Server) ServeConn(nc net.Conn) {
	c := &h1conn{srv: s, conn: nc, exchange: s.handler.Exchange(), poked: make(chan struct{}, 1)}
	if !s.conns.add(c) {
		_ = nc.Close() // the server closes
		return
	}
	s.work.Go(c.run)
}

// Accepted is the number of connections accepted so far.
func (s *Server) Accepted() uint64 { return s.accepted.Load() }

// Open is the number of HTTP/1.1 connections that are open.
func (s *Server) Open() int { return s.conns.len() }

// StopAccepting closes the listener.
func (s *Server) StopAccepting() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
}

// Close ends every request and connection and waits until all goroutines of the
// server have ended. Later calls do nothing.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.done)
		s.StopAccepting()
		s.h2conn.stop()
		_ = s.h2.Close()
		s.conns.closeAll()
	})
	s.work.Wait()
}

// connSet holds the open HTTP/1.1 connections.
type connSet struct {
	mu     sync.Mutex
	open   map[*h1conn]struct{}
	closed bool
}

func (s *connSet) add(c *h1conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.open == nil {
		s.open = map[*h1conn]struct{}{}
	}
	s.open[c] = struct{}{}
	return true
}

func (s *connSet) remove(c *h1conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *connSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *connSet) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.open {
		_ = c.conn.Close()
	}
}
