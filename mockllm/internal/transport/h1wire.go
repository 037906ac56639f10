package transport

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Wait implements Wire.
func (c *h1conn) Wait(t time.Time) WaitResult {
	if c.dead {
		return WaitGone
	}
	c.idleBy = time.Time{} // this wait, or a wake, moves the read deadline
	now := time.Now()
	if !t.IsZero() {
		if !t.After(now) {
			return WaitOver
		}
		if t.Sub(now) >= longWait {
			c.give()
		}
	}
	if c.hasAhead || c.scratch != nil && c.br.Buffered() > 0 {
		return c.waitTimer(t)
	}
	for {
		_ = c.conn.SetReadDeadline(t) // the zero time is no deadline
		if c.woken.Swap(false) {
			return WaitWoken
		}
		n, err := c.conn.Read(c.ahead[:])
		if n > 0 { // the next request already
			c.hasAhead = true
			return c.waitTimer(t)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			c.dead = true
			_ = c.conn.Close()
			return WaitGone
		}
		if c.woken.Swap(false) {
			return WaitWoken
		}
		if !t.IsZero() && !time.Now().Before(t) {
			return WaitOver
		}
	}
}

// waitTimer waits while a pipelined request keeps the connection from telling
// whether its client is still there.
func (c *h1conn) waitTimer(t time.Time) WaitResult {
	var due <-chan time.Time
	if !t.IsZero() {
		timer := time.NewTimer(time.Until(t))
		defer timer.Stop()
		due = timer.C
	}
	for {
		if c.woken.Swap(false) {
			return WaitWoken
		}
		select {
		case <-due:
			return WaitOver
		case <-c.poked:
		case <-c.srv.done:
			return WaitGone
		}
	}
}

// Wake implements Wire.
func (c *h1conn) Wake() {
	c.woken.Store(true)
	_ = c.conn.SetReadDeadline(time.Unix(1, 0))
	select {
	case c.poked <- struct{}{}:
	default:
	}
}

// scratch is the memory of a connection that has something to do.
type scratch struct {
	br   *bufio.Reader
	hdr  fasthttp.RequestHeader
	body []byte // of the request
	out  []byte // to be sent as it is
	pend []byte // body of the response, to be framed
}

// take makes sure the connection has scratch memory.
func (c *h1conn) take() {
	if c.scratch != nil {
		return
	}
	c.scratch, _ = c.srv.scratch.Get().(*scratch)
	if c.scratch == nil {
		c.scratch = &scratch{br: bufio.NewReaderSize(nil, readBuffer)}
	}
	c.br.Reset(c)
}

// give returns the scratch memory, unless something is in it.
func (c *h1conn) give() {
	s := c.scratch
	if s == nil || s.br.Buffered() > 0 || len(s.out) > 0 || len(s.pend) > 0 {
		return
	}
	c.scratch = nil
	if s.br.Size() != readBuffer {
		return // made for one large header
	}
	s.br.Reset(nil)
	s.trim()
	c.srv.scratch.Put(s)
}

// trim drops what an unusual request left behind.
func (s *scratch) trim() {
	for _, b := range []*[]byte{&s.body, &s.out, &s.pend} {
		if cap(*b) > bigBuffer {
			*b = nil
		}
	}
}

// Header implements Wire.
func (c *h1conn) Header(name string) []byte { return c.hdr.Peek(name) }

// Respond implements Wire.
func (c *h1conn) Respond(h Head, body []byte) error {
	c.Begin(h, int64(len(body)))
	if !c.headOnly {
		c.out = append(c.out, body...)
	}
	c.left = 0
	return c.push()
}

// Begin implements Wire.
func (c *h1conn) Begin(h Head, length int64) {
	c.take()
	c.chunked = length < 0 && !c.http10
	c.left = max(length, 0)
	c.closing = c.closing || length < 0 && c.http10
	b := append(c.out, "HTTP/1.1 "...) //nolint:gocritic // goes back into out at the end
	b = strconv.AppendInt(b, int64(h.Status), 10)
	b = append(append(append(b, ' '), http.StatusText(h.Status)...), "\r\nServer: cstest-mockllm\r\nDate: "...)
	b = append(b, c.srv.clock.now()...)
	if h.ContentType != "" {
		b = append(append(b, "\r\nContent-Type: "...), h.ContentType...)
	}
	switch {
	case c.chunked:
		b = append(b, "\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked"...)
	case length >= 0:
		b = strconv.AppendInt(append(b, "\r\nContent-Length: "...), length, 10)
	}
	if h.ID != 0 {
		b = strconv.AppendUint(append(b, "\r\nX-Request-Id: req_"...), h.ID, 16)
	}
	if h.RetryAfter != "" {
		b = append(append(b, "\r\nRetry-After: "...), h.RetryAfter...)
	}
	if h.Allow != "" {
		b = append(append(b, "\r\nAllow: "...), h.Allow...)
	}
	for _, f := range h.Extra {
		b = append(append(append(append(b, "\r\n"...), f.Name...), ": "...), f.Value...)
	}
	switch {
	case c.closing:
		b = append(b, "\r\nConnection: close"...)
	case c.http10:
		b = append(b, "\r\nConnection: keep-alive"...)
	}
	c.out = append(b, "\r\n\r\n"...) //nolint:gocritic // b began as out
}

// Write implements Wire.
func (c *h1conn) Write(p []byte) {
	c.take()
	c.pend = append(c.pend, p...)
}

// Flush implements Wire.
func (c *h1conn) Flush() error {
	c.take()
	if len(c.pend) > 0 {
		if c.chunked {
			c.out = append(strconv.AppendInt(c.out, int64(len(c.pend)), 16), '\r', '\n')
			c.out = append(append(c.out, c.pend...), '\r', '\n')
		} else {
			c.out = append(c.out, c.pend...)
			c.left -= int64(len(c.pend))
		}
		c.pend = c.pend[:0]
	}
	err := c.push()
	c.give() // what comes next may take its time
	return err
}

// Finish implements Wire. A promise not kept ends the connection.
func (c *h1conn) Finish() error {
	c.take()
	if len(c.pend) > 0 && c.chunked {
		c.out = append(strconv.AppendInt(c.out, int64(len(c.pend)), 16), '\r', '\n')
		c.out = append(append(c.out, c.pend...), "\r\n0\r\n\r\n"...)
		c.pend = c.pend[:0]
		return c.push()
	}
	if c.chunked {
		c.out = append(c.out, "0\r\n\r\n"...)
	}
	err := c.Flush()
	if c.left > 0 {
		c.closing = true
	}
	return err
}

// push sends what is in out.
func (c *h1conn) push() error {
	if len(c.out) == 0 {
		return nil
	}
	defer func() { c.out = c.out[:0] }()
	if c.dead {
		return ErrGone
	}
	if now := time.Now(); c.writeBy.Sub(now) < WriteTime {
		c.writeBy = now.Add(WriteTime + WriteTime/2)
		_ = c.conn.SetWriteDeadline(c.writeBy)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		c.dead = true
		_ = c.conn.Close()
		return ErrGone
	}
	return nil
}

// Cut implements Wire.
func (c *h1conn) Cut() {
	if !c.dead {
		c.dead = true
		_ = c.conn.Close()
	}
}

// Reset implements Wire: lingering zero seconds makes close send a reset.
func (c *h1conn) Reset() {
	if tcp, ok := c.conn.(*net.TCPConn); ok && !c.dead {
		_ = tcp.SetLinger(0)
	}
	c.Cut()
}

// dateClock caches the Date header of the present second.
type dateClock struct{ cached atomic.Pointer[dateLine] }

type dateLine struct {
	unix int64
	text string
}

func (d *dateClock) now() string {
	t := time.Now()
	line := d.cached.Load()
	if line == nil || line.unix != t.Unix() {
		line = &dateLine{unix: t.Unix(), text: t.UTC().Format(http.TimeFormat)}
		d.cached.Store(line)
	}
	return line.text
}
