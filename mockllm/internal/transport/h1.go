package transport

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Bounds of what a client may do to a connection.
const (
	MaxHeader  = 64 << 10         // bytes of headers
	HeaderTime = 10 * time.Second // to send the headers
	BodyTime   = 30 * time.Second // to send the body
	IdleTime   = 2 * time.Minute  // between requests
	WriteTime  = 30 * time.Second // to take what is written

	readBuffer   = 4 << 10
	lingerTime   = 500 * time.Millisecond
	longWait     = time.Millisecond // waits from here on give buffers back
	bigBuffer    = 64 << 10         // larger ones are not kept
	http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// h1conn serves one HTTP/1.1 connection and is the wire of its calls. Waiting is
// reading one byte with a deadline: it ends on time, when the client leaves and
// when the server closes, and needs neither a buffer nor a second goroutine.
type h1conn struct {
	srv      *Server
	conn     net.Conn
	*scratch // nil while a call waits long

	ahead    [1]byte // a byte of the next request, read while waiting
	hasAhead bool
	idleBy   time.Time // read deadline of the keep-alive wait; zero when unset
	writeBy  time.Time // write deadline
	woken    atomic.Bool
	poked    chan struct{}

	exchange Exchange
	request  Request

	http10, closing, chunked, dead, headOnly bool
	left                                     int64 // promised bytes not yet written
}

// Read lets the buffered reader see the byte that a wait has read.
func (c *h1conn) Read(p []byte) (int, error) {
	if c.hasAhead && len(p) > 0 {
		p[0], c.hasAhead = c.ahead[0], false
		return 1, nil
	}
	return c.conn.Read(p)
}

func (c *h1conn) run() {
	defer c.srv.conns.remove(c)
	if d, _ := c.srv.handler.Limits(); d > 0 {
		if c.Wait(time.Now().Add(d)) == WaitGone {
			_ = c.conn.Close()
			return
		}
	}
	first := true
	for !c.dead && c.next() {
		if first && c.isHTTP2() {
			c.handOver()
			return
		}
		first = false
		if !c.serveOne() || c.closing {
			break
		}
	}
	c.give()
	if !c.dead {
		_ = c.conn.Close()
	}
}

// refusal is why a request is not read.
type refusal struct {
	status  int
	message string
}

func (e *refusal) Error() string { return e.message }

var (
	errBadHTTP   = &refusal{http.StatusBadRequest, "malformed HTTP request"}
	errBadChunks = &refusal{http.StatusBadRequest, "malformed chunked request body"}
	errTrailers  = &refusal{http.StatusBadRequest, "too many trailers"}
)

func tooLarge(limit int64) *refusal {
	return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the request body is longer than %d bytes", limit)}
}

// next waits for the first byte of a request.
func (c *h1conn) next() bool {
	c.take()
	if c.br.Buffered() > 0 {
		return true
	}
	if now := time.Now(); c.idleBy.Sub(now) < IdleTime/2 {
		c.idleBy = now.Add(IdleTime)
		_ = c.conn.SetReadDeadline(c.idleBy)
	}
	runtime.Gosched() // on a busy server the next request has come by then, and one read finds it
	_, err := c.br.Peek(1)
	return err == nil
}

// serveOne reads a request and answers it; false ends the connection.
func (c *h1conn) serveOne() bool {
	c.headOnly = false
	if err := c.readHeader(); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
			c.refuse(errBadHTTP)
		}
		return false
	}
	c.http10 = !c.hdr.IsHTTP11()
	c.closing = c.hdr.ConnectionClose() || c.http10 && !bytes.EqualFold(c.hdr.Peek("Connection"), []byte("keep-alive"))
	_, limit := c.srv.handler.Limits()
	if err := c.readBody(limit); err != nil {
		if e, ok := errors.AsType[*refusal](err); ok {
			c.refuse(e)
		}
		return false
	}
	c.route()
	return !c.dead
}

// refuse answers an error and gives the connection up. What the client is still
// sending is read for a moment: closing over unread bytes makes the kernel send a
// reset, and the client may then never see the answer.
func (c *h1conn) refuse(e *refusal) {
	c.closing = true
	_ = c.Respond(c.srv.handler.Refusal(e.status, e.message))
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok && !c.dead && half.CloseWrite() == nil {
		c.readWithin(lingerTime)
		_, _ = io.CopyN(io.Discard, c.conn, 4<<20)
	}
}

// readHeader parses a request's header. What is not there yet gets HeaderTime.
func (c *h1conn) readHeader() error {
	buffered, _ := c.br.Peek(c.br.Buffered())
	if !bytes.Contains(buffered, []byte("\r\n\r\n")) {
		c.readWithin(HeaderTime)
	}
	err := c.hdr.Read(c.br)
	if small := (*fasthttp.ErrSmallBuffer)(nil); errors.As(err, &small) {
		big := bufio.NewReaderSize(c.br, MaxHeader)
		if err = c.hdr.Read(big); err == nil {
			c.br = big // not from the pool, nor given back to it
		}
	}
	return err
}

// readWithin sets a read deadline other than the keep-alive one.
func (c *h1conn) readWithin(d time.Duration) {
	_ = c.conn.SetReadDeadline(time.Now().Add(d))
	c.idleBy = time.Time{}
}

// readBody reads the request's body, growing with what really arrives: a
// promised length alone allocates nothing.
func (c *h1conn) readBody(limit int64) error {
	c.body = c.body[:0]
	length := int64(c.hdr.ContentLength())
	if length == -2 {
		return nil // none
	}
	if length > limit {
		return tooLarge(limit)
	}
	if bytes.EqualFold(c.hdr.Peek("Expect"), []byte("100-continue")) {
		c.out = append(c.out[:0], "HTTP/1.1 100 Continue\r\n\r\n"...)
		if err := c.push(); err != nil {
			return err
		}
	}
	if length >= 0 && length <= int64(c.br.Buffered()) {
		part, _ := c.br.Peek(int(length))
		c.body = append(c.body, part...)
		_, err := c.br.Discard(int(length))
		return err
	}
	c.readWithin(BodyTime)
	if length >= 0 {
		return c.readFull(io.LimitReader(c.br, length), length, true)
	}
	if err := c.readFull(io.LimitReader(httputil.NewChunkedReader(c.br), limit+1), limit+1, false); err != nil {
		return errBadChunks
	}
	if int64(len(c.body)) > limit {
		return tooLarge(limit)
	}
	return c.skipTrailer()
}

// readFull appends what r gives up to most bytes; exactly that many if exact.
func (c *h1conn) readFull(r io.Reader, most int64, exact bool) error {
	for int64(len(c.body)) < most {
		if len(c.body) == cap(c.body) {
			c.body = append(c.body, 0)[:len(c.body)]
		}
		room := min(int64(cap(c.body)), most)
		n, err := r.Read(c.body[len(c.body):room])
		c.body = c.body[:len(c.body)+n]
		if err == io.EOF && !exact {
			return nil
		}
		if err != nil && int64(len(c.body)) < most {
			return err
		}
	}
	return nil
}

// skipTrailer reads past the trailer section, which the chunked reader leaves.
func (c *h1conn) skipTrailer() error {
	for range 64 {
		line, err := c.br.ReadSlice('\n')
		if err != nil {
			return errBadChunks
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
	return errTrailers
}

// route answers the request that was read.
func (c *h1conn) route() {
	path, _, _ := bytes.Cut(c.hdr.RequestURI(), []byte("?"))
	if len(path) > 0 && path[0] != '/' { // absolute form
		if i := bytes.Index(path, []byte("://")); i >= 0 {
			path = path[i+3:]
			path = path[max(bytes.IndexByte(path, '/'), 0):]
		}
	}
	c.request = Request{Method: c.hdr.Method(), Path: path, Body: c.body}
	c.headOnly = string(c.request.Method) == http.MethodHead
	c.exchange.Serve(c, &c.request)
}
