package driver

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"go.uber.org/goleak"
)

// muchCut is what a peer may have got rid of before it was cut off: the limit of
// a body, and what lies in the buffers of two sockets. Memory is counted here,
// where it comes from: what was not taken off the wire cannot be kept.
const muchCut = 16 << 20

// hostile is a server by hand: serve does as it likes with each connection.
type hostile struct {
	url   string
	conns atomic.Int64
	wrote atomic.Int64
	wg    sync.WaitGroup
	cut   chan struct{} // one for each connection the client has closed
}

// counted counts what the client took.
type counted struct {
	net.Conn
	wrote *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote.Add(int64(n))
	return n, err
}

// newHostile listens until the test ends, over TLS if secure. When serve returns,
// the connection is held open until the client closes it, 10 s at most. At the
// end of the test no goroutine may be left.
func newHostile(t *testing.T, secure bool, serve func(c net.Conn)) *hostile {
	t.Helper()
	there := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, there) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{url: "http://" + l.Addr().String(), cut: make(chan struct{}, 100)}
	if secure {
		srv := httptest.NewUnstartedServer(nil)
		srv.StartTLS()
		config := srv.TLS.Clone()
		srv.Close()
		config.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, config)
		h.url = "https" + strings.TrimPrefix(h.url, "http")
	}
	h.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.conns.Add(1)
			h.wg.Go(func() {
				defer c.Close()
				serve(&counted{c, &h.wrote})
				c.SetReadDeadline(time.Now().Add(10 * time.Second)) //nolint:errcheck // then the read fails
				if _, err := io.Copy(io.Discard, c); err == nil || !wire.IsTimeout(err) {
					h.cut <- struct{}{}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		h.wg.Wait()
	})
	return h
}

// target is the server as a target, with a certificate nobody signed.
func (h *hostile) target(mode string, timeout time.Duration) *scenario.Target {
	target := &scenario.Target{URL: h.url, Mode: scenario.Mode(mode), Timeout: unit.Duration(timeout)}
	if strings.HasPrefix(h.url, "https") {
		target.TLS = &scenario.TLS{Insecure: true}
	}
	return target
}

// turn has one turn, holds it against what is wanted, and makes sure that the
// connection is given up and that not much was taken.
func (h *hostile) turn(t *testing.T, target *scenario.Target, status int, reason Reason, message string) {
	t.Helper()
	d := open(t, target, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	if r.Status != status || r.Reason != reason || !strings.Contains(r.Message, message) {
		t.Errorf("status %d reason %d %q, want %d %d %q", r.Status, r.Reason, r.Message, status, reason, message)
	}
	if r.Begun > r.Done || r.FirstByte > r.Done || r.FirstByte > 0 && r.Sent > r.FirstByte {
		t.Errorf("begun %d sent %d first byte %d done %d", r.Begun, r.Sent, r.FirstByte, r.Done)
	}
	line.Free(&r)
	h.closed(t)
	if n := h.wrote.Load(); n > muchCut {
		t.Errorf("%d bytes were taken", n)
	}
	line.Close()
}

// closed waits until the client has closed a connection of its own accord.
func (h *hostile) closed(t *testing.T) {
	t.Helper()
	select {
	case <-h.cut:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
	}
}

// asked reads one request of HTTP/1.1.
func asked(c net.Conn) bool {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	return err == nil
}
