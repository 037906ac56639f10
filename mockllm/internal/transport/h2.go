package transport

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// isHTTP2 reports whether the first bytes are HTTP/2's preface.
func (c *h1conn) isHTTP2() bool {
	for {
		n := min(c.br.Buffered(), len(http2Preface))
		b, err := c.br.Peek(n)
		if err != nil || string(b) != http2Preface[:n] {
			return false
		}
		if n == len(http2Preface) {
			return true
		}
		c.readWithin(HeaderTime)
		if _, err := c.br.Peek(n + 1); err != nil {
			return false
		}
	}
}

// handOver gives the connection to the HTTP/2 server.
func (c *h1conn) handOver() {
	_ = c.conn.SetDeadline(time.Time{})
	early, _ := c.br.Peek(c.br.Buffered())
	conn := &replayConn{Conn: c.conn, early: append([]byte(nil), early...)}
	if !c.srv.h2conn.give(conn) {
		_ = c.conn.Close()
	}
}

// replayConn reads first what was read before.
type replayConn struct {
	net.Conn
	early []byte
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// handover is a listener that is given its connections.
type handover struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandover(addr net.Addr) *handover {
	return &handover{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (h *handover) give(c net.Conn) bool {
	select {
	case h.conns <- c:
		return true
	case <-h.done:
		return false
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *handover) stop() { h.once.Do(func() { close(h.done) }) }

// Close implements net.Listener.
func (h *handover) Close() error { h.stop(); return nil }

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return h.addr }

// newH2 makes the server of HTTP/2 connections. Their flow control and framing
// are net/http's; what they answer is the same code as for HTTP/1.1.
func (s *Server) newH2() *http.Server {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           http.HandlerFunc(s.serveH2),
		Protocols:         &protocols,
		ReadHeaderTimeout: HeaderTime,
		ReadTimeout:       BodyTime, // of a stream's body; cheaper than a deadline set by the handler
		IdleTimeout:       IdleTime,
		MaxHeaderBytes:    MaxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1000, WriteByteTimeout: WriteTime},
		ErrorLog:          log.New(io.Discard, "", 0), // a client's misbehaviour is no news
	}
}

func (s *Server) serveH2(w http.ResponseWriter, r *http.Request) {
	x := &h2wire{srv: s, w: w, r: r, rc: http.NewResponseController(w), poked: make(chan struct{}, 1)}
	_, limit := s.handler.Limits()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		_ = x.Respond(s.handler.Refusal(http.StatusRequestEntityTooLarge, tooLarge(limit).message))
		return
	} else if err != nil {
		return
	}
	s.handler.Exchange().Serve(x, &Request{Method: []byte(r.Method), Path: []byte(r.URL.EscapedPath()), Body: body})
	if x.aborted {
		panic(http.ErrAbortHandler) // net/http's way to send RST_STREAM
	}
}

// h2wire is the wire of one HTTP/2 stream.
type h2wire struct {
	srv     *Server
	w       http.ResponseWriter
	r       *http.Request
	rc      *http.ResponseController
	poked   chan struct{}
	writeBy time.Time // write deadline
	aborted bool
	err     error
}

// Header implements Wire.
func (x *h2wire) Header(name string) []byte {
	if v := x.r.Header.Get(name); v != "" {
		return []byte(v)
	}
	return nil
}

// Wait implements Wire.
func (x *h2wire) Wait(t time.Time) WaitResult {
	if !x.writeBy.IsZero() && (t.IsZero() || !t.Before(x.writeBy)) {
		x.writeBy = time.Time{} // it would reset the stream although nothing is being written
		_ = x.rc.SetWriteDeadline(x.writeBy)
	}
	var due <-chan time.Time
	if !t.IsZero() {
		d := time.Until(t)
		if d <= 0 {
			return WaitOver
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return WaitOver
	case <-x.poked:
		return WaitWoken
	case <-x.r.Context().Done():
	case <-x.srv.done:
	}
	x.aborted = true
	return WaitGone
}

// Wake implements Wire.
func (x *h2wire) Wake() {
	select {
	case x.poked <- struct{}{}:
	default:
	}
}

// Respond implements Wire.
func (x *h2wire) Respond(h Head, body []byte) error {
	x.Begin(h, int64(len(body)))
	x.Write(body)
	return x.err
}

// Begin implements Wire.
func (x *h2wire) Begin(h Head, length int64) {
	out := x.w.Header()
	out.Set("Server", "cstest-mockllm")
	if h.ContentType != "" {
		out.Set("Content-Type", h.ContentType)
	}
	if length >= 0 {
		out.Set("Content-Length", strconv.FormatInt(length, 10))
	} else {
		out.Set("Cache-Control", "no-cache")
	}
	if h.ID != 0 {
		out.Set("X-Request-Id", "req_"+strconv.FormatUint(h.ID, 16))
	}
	if h.RetryAfter != "" {
		out.Set("Retry-After", h.RetryAfter)
	}
	if h.Allow != "" {
		out.Set("Allow", h.Allow)
	}
	for _, f := range h.Extra {
		out.Set(f.Name, f.Value)
	}
	x.w.WriteHeader(h.Status)
}

// Write implements Wire.
func (x *h2wire) Write(p []byte) {
	if x.err == nil {
		if now := time.Now(); x.writeBy.Sub(now) < WriteTime { // each costs a message to the connection's goroutine
			x.writeBy = now.Add(WriteTime + WriteTime/2)
			_ = x.rc.SetWriteDeadline(x.writeBy)
		}
		_, x.err = x.w.Write(p)
	}
}

// Flush implements Wire.
func (x *h2wire) Flush() error {
	if x.err == nil {
		x.err = x.rc.Flush()
	}
	if x.err != nil {
		return ErrGone
	}
	return nil
}

// Finish implements Wire: returning from the handler ends the stream.
func (x *h2wire) Finish() error { return x.Flush() }

// Cut implements Wire. A stream has no other untimely end than a reset.
func (x *h2wire) Cut() { x.aborted = true }

// Reset implements Wire.
func (x *h2wire) Reset() { x.aborted = true }
