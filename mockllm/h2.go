package mockllm

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
		c.readWithin(headerTime)
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
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       bodyTime, // of a stream's body; cheaper than a deadline set by the handler
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1000, WriteByteTimeout: writeTime},
		ErrorLog:          silent(),
	}
}

// silent drops what net/http would print about a client's misbehaviour.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

func (s *Server) serveH2(w http.ResponseWriter, r *http.Request) {
	x := &h2wire{srv: s, w: w, r: r, rc: http.NewResponseController(w), poked: make(chan struct{}, 1)}
	target := routeOf(r.URL.Path)
	encoded := r.Header.Get("Content-Encoding") != ""
	if (target != routeChat && target != routeCompletions) || r.Method != http.MethodPost || encoded {
		h, body := s.page(target, r.URL.EscapedPath(), r.Method, encoded)
		_ = x.respond(h, body)
		return
	}
	limit := int64(s.setup.Load().cfg.MaxBody)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		h, page := errorPage(tooLarge(limit))
		_ = x.respond(h, page)
		return
	} else if err != nil {
		return
	}
	s.serve(&call{}, x, &inbound{
		chat: target == routeChat, body: body,
		traceparent: []byte(r.Header.Get("Traceparent")), purpose: []byte(r.Header.Get("X-Request-Purpose")),
		fault: []byte(r.Header.Get("X-Mock-Fault")), delay: []byte(r.Header.Get("X-Mock-Delay")),
	})
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

// wait implements wire.
func (x *h2wire) wait(t time.Time) waitResult {
	if !x.writeBy.IsZero() && (t.IsZero() || !t.Before(x.writeBy)) {
		x.writeBy = time.Time{} // it would reset the stream although nothing is being written
		_ = x.rc.SetWriteDeadline(x.writeBy)
	}
	var due <-chan time.Time
	if !t.IsZero() {
		d := time.Until(t)
		if d <= 0 {
			return waitOver
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
		return waitOver
	case <-x.poked:
		return waitWoken
	case <-x.r.Context().Done():
	case <-x.srv.done:
	}
	x.aborted = true
	return waitGone
}

// wake implements wire.
func (x *h2wire) wake() {
	select {
	case x.poked <- struct{}{}:
	default:
	}
}

// respond implements wire.
func (x *h2wire) respond(h head, body []byte) error {
	x.begin(h, int64(len(body)))
	x.write(body)
	return x.err
}

// begin implements wire.
func (x *h2wire) begin(h head, length int64) {
	out := x.w.Header()
	out.Set("Server", "cstest-mockllm")
	if h.contentType != "" {
		out.Set("Content-Type", h.contentType)
	}
	if length >= 0 {
		out.Set("Content-Length", strconv.FormatInt(length, 10))
	} else {
		out.Set("Cache-Control", "no-cache")
	}
	if h.id != 0 {
		out.Set("X-Request-Id", "req_"+strconv.FormatUint(h.id, 16))
	}
	if h.retryAfter != "" {
		out.Set("Retry-After", h.retryAfter)
	}
	if h.allow != "" {
		out.Set("Allow", h.allow)
	}
	x.w.WriteHeader(h.status)
}

// write implements wire.
func (x *h2wire) write(p []byte) {
	if x.err == nil {
		if now := time.Now(); x.writeBy.Sub(now) < writeTime { // each costs a message to the connection's goroutine
			x.writeBy = now.Add(writeTime + writeTime/2)
			_ = x.rc.SetWriteDeadline(x.writeBy)
		}
		_, x.err = x.w.Write(p)
	}
}

// flush implements wire.
func (x *h2wire) flush() error {
	if x.err == nil {
		x.err = x.rc.Flush()
	}
	if x.err != nil {
		return errGone
	}
	return nil
}

// finish implements wire: returning from the handler ends the stream.
func (x *h2wire) finish() error { return x.flush() }

// cut implements wire. A stream has no other untimely end than a reset.
func (x *h2wire) cut() { x.aborted = true }

// reset implements wire.
func (x *h2wire) reset() { x.aborted = true }
