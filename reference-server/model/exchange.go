package model

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/valyala/fasthttp"
)

const (
	usualHead = 4 << 10 // an answer's head that is longer takes a buffer of its own
	maxOut    = 64 << 10
	maxWire   = 1 << 20 // bytes of one answer, with its head and what is around its chunks

	maxInterim = 100 // answers of status 1xx before the one
)

var (
	errCut       = errors.New("connection was closed before the answer was whole")
	errMalformed = errors.New("answer is not HTTP/1.1")
)

// exchange is one request and its answer on a connection, used again after done.
type exchange struct {
	home *plain
	conn *conn
	free func() bool // ends the watch on the context: true if it had not ended

	out    []byte
	in     *bufio.Reader // of this exchange, as it counts
	left   int           // bytes that may still be received
	failed error         // of the connection
	head   fasthttp.Response
	over   bool // the answer was read to its end
}

func newExchange(p *plain) *exchange {
	x := &exchange{home: p}
	x.in = bufio.NewReaderSize(x, usualHead)
	return x
}

// begin takes the connection, whose reads and writes fail once ctx is done.
func (x *exchange) begin(ctx context.Context, c *conn) {
	x.conn, x.left, x.failed, x.over = c, maxWire, nil, false
	x.in.Reset(x)
	x.free = context.AfterFunc(ctx, c.interrupt)
}

// ask sends the request and reads the head of the answer.
func (x *exchange) ask(head []byte, r request) error {
	x.out = appendRequest(x.out[:0], head, r)
	_, unsent := x.conn.Write(x.out)
	// A server may answer before it has read the request, and close.
	if err := x.readHead(); err != nil {
		if unsent != nil {
			return unsent
		}
		return err
	}
	if unsent != nil {
		x.failed = unsent
	}
	return nil
}

// readHead reads up to the body, past interim answers.
func (x *exchange) readHead() error {
	for interim := 0; interim <= maxInterim; {
		// fasthttp takes status 000 for 200.
		if line, _ := x.in.Peek(len("HTTP/1.1 2")); !startsAnswer(line) {
			return x.fault()
		}
		if err := x.head.Header.Read(x.in); err != nil {
			if !x.widen(err) {
				return x.fault()
			}
			continue
		}
		if code := x.status(); code >= 200 || code == http.StatusSwitchingProtocols {
			return nil
		}
		interim++
	}
	return errMalformed
}

// widen gives a head that did not fit its buffer, which err says, the largest one.
func (x *exchange) widen(err error) bool {
	var small *fasthttp.ErrSmallBuffer
	if !errors.As(err, &small) || x.in.Size() > usualHead {
		return false
	}
	held, _ := x.in.Peek(x.in.Buffered())
	x.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(held)), x), maxModelHead)
	return true
}

func startsAnswer(b []byte) bool {
	return len(b) == 10 && string(b[:7]) == "HTTP/1." && (b[7] == '0' || b[7] == '1') && b[8] == ' ' && b[9] >= '1' && b[9] <= '9'
}

// Read receives for in.
func (x *exchange) Read(b []byte) (int, error) {
	if x.left <= 0 {
		return 0, errTooLarge
	}
	n, err := x.conn.Read(b)
	x.left -= n
	if err != nil {
		x.failed = err
	}
	return n, err
}

// fault says why the answer could not be read, in words without any of its own.
func (x *exchange) fault() error {
	switch {
	case x.left <= 0:
		return errTooLarge
	case errors.Is(x.failed, io.EOF):
		return errCut
	case x.failed != nil:
		return x.failed
	}
	return errMalformed
}

func (x *exchange) status() int { return x.head.StatusCode() }

func (x *exchange) field(name string) string {
	b := x.head.Header.Peek(name)
	if string(b) == "application/json" { // nearly always, and without a copy
		return "application/json"
	}
	return string(b)
}

func (x *exchange) reader() io.Reader {
	x.head.StreamBody = true
	_ = x.head.ReadBody(x.in, 0) // reads nothing yet
	return x.head.BodyStream()
}

func (x *exchange) whole() ([]byte, error) { return x.body(maxModelBody) }

// The framings of a body, as fasthttp gives them for its length.
const (
	chunked  = -1
	tillShut = -2
)

func (x *exchange) body(limit int) ([]byte, error) {
	framing := x.head.Header.ContentLength()
	err := x.head.ReadBody(x.in, limit)
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		return nil, errTooLarge
	}
	trailed := false
	if err == nil && framing == chunked {
		trailed, err = x.trailed()
	}
	if err != nil {
		return nil, x.fault()
	}
	x.over = framing != tillShut && !trailed
	return x.head.Body(), nil
}

// trailed tells whether fields follow the last chunk. Nobody wants them, so they
// are left where they are.
func (x *exchange) trailed() (bool, error) {
	end, err := x.in.Peek(2)
	if err != nil {
		return false, err
	}
	if string(end) != "\r\n" {
		return true, nil
	}
	_, err = x.in.Discard(2)
	return false, err
}

// discard leaves a connection to be closed where that is cheaper than reading on.
func (x *exchange) discard() {
	switch code, n := x.status(), x.head.Header.ContentLength(); {
	case code < 200, code == http.StatusNoContent, code == http.StatusNotModified, n == tillShut, n > maxDiscard:
		return
	}
	_, _ = x.body(maxDiscard)
}

// done gives the connection back, if nothing is left on it and nobody watches it.
func (x *exchange) done() {
	c, free := x.conn, x.free()
	keep := free && x.over && x.failed == nil && x.in.Buffered() == 0 && !x.head.Header.ConnectionClose()
	x.head.Reset()
	x.conn, x.free = nil, nil
	x.home.pool.put(c, keep)
	if x.in.Size() == usualHead && cap(x.out) <= maxOut {
		x.home.exchanges.Put(x)
	}
}
