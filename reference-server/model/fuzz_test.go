package model

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// reel is a connection that plays bytes, some a read, and closes.
type reel struct {
	net.Conn
	left []byte
	step int
}

func (r *reel) Read(b []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.left[:min(r.step, len(r.left))])
	r.left = r.left[n:]
	return n, nil
}

func (r *reel) Write(b []byte) (int, error) { return len(b), nil }
func (r *reel) Close() error                { return nil }
func (r *reel) SetDeadline(time.Time) error { return nil }

// FuzzAnswer holds what is read from any bytes to net/http: the same status, and
// the same body where one is whole.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		plainAnswer("好"), "HTTP/1.1 100 Continue\r\n\r\n" + plainAnswer("好") + "x", "HTTP/1.0 200 OK\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 503 No\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\nno",
	} {
		f.Add([]byte(s), 3)
		f.Add([]byte(s), 1000)
	}
	p := &plain{pool: &pool{}}
	f.Fuzz(func(t *testing.T, b []byte, step int) {
		x := newExchange(p)
		x.begin(context.Background(), &conn{Conn: &reel{left: b, step: max(1, step)}, interrupt: func() {}})
		defer x.done()
		if x.ask(nil, request{}) != nil {
			return
		}
		code := x.status()
		if code < 200 || code == http.StatusNoContent || code == http.StatusNotModified {
			return // whose bodies nobody reads
		}
		x.field("Retry-After")
		body, err := x.whole()
		if len(body) > maxModelBody {
			t.Fatalf("%d bytes", len(body))
		}
		if err != nil {
			return
		}
		r := bufio.NewReader(bytes.NewReader(b))
		var resp *http.Response
		for {
			var theirs error
			if resp, theirs = http.ReadResponse(r, nil); theirs != nil {
				t.Skip("only here it is an answer")
			}
			if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
				break
			}
		}
		defer resp.Body.Close()
		want, theirs := io.ReadAll(resp.Body)
		if resp.StatusCode != code {
			t.Errorf("status %d, net/http has %d", code, resp.StatusCode)
		}
		if theirs == nil && string(want) != string(body) {
			t.Errorf("body %q, net/http has %q", body, want)
		}
		if errors.Is(theirs, io.ErrUnexpectedEOF) && !strings.Contains(string(b), "chunked") {
			t.Errorf("body %q is cut", body)
		}
	})
}
