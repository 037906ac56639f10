package model

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"go.uber.org/goleak"

	"github.com/cstest/cstest/reference-server/trace"
)

func TestMain(m *testing.M) {
	if os.Getenv("CSTEST_MODEL_SERVER") != "" {
		serveModel()
		return
	}
	goleak.VerifyTestMain(m)
}

// serveModel answers at once, in a process of its own, until standard input ends.
func serveModel() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Exit(1)
	}
	s := fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.SetBodyString(said("可以的,请在结算页选用。"))
	}}
	go func() { _ = s.Serve(ln) }()
	fmt.Println("http://" + ln.Addr().String())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// said is an answer of the model in both APIs.
func said(text string) string {
	return `{"choices":[{"text":"` + text + `","message":{"role":"assistant","content":"` + text + `"}}]}`
}

// plainAnswer is the usual form of it.
func plainAnswer(text string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(said(text)), said(text))
}

// peer is a server that plays a script to each of its connections.
type peer struct {
	url      string
	conns    atomic.Int64 // accepted so far
	requests atomic.Int64 // read so far
}

// line is a peer's end of one connection.
type line struct {
	net.Conn
	peer *peer
	in   *bufio.Reader
	last *http.Request
	body []byte
}

// newPeer plays play to the nth connection, from 1, and closes it then. At the end
// of the test every script must have come to its own: what one waits for is
// the client's close.
func newPeer(t *testing.T, play func(n int64, l *line)) *peer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{url: "http://" + ln.Addr().String()}
	var scripts sync.WaitGroup
	scripts.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			n := p.conns.Add(1)
			scripts.Go(func() {
				defer c.Close()
				play(n, &line{Conn: c, peer: p, in: bufio.NewReader(c)})
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		scripts.Wait()
	})
	return p
}

// read reads one request; false where the client has closed.
func (l *line) read() bool {
	r, err := http.ReadRequest(l.in)
	if err != nil {
		return false
	}
	l.peer.requests.Add(1)
	l.last = r
	l.body, err = io.ReadAll(r.Body)
	return err == nil
}

func (l *line) write(s string) { _, _ = io.WriteString(l.Conn, s) }

// closed waits for the client's close.
func (l *line) closed() { _, _ = io.Copy(io.Discard, l.in) }

// talk answers all there is to answer.
func talk(text string) func(int64, *line) {
	return func(_ int64, l *line) {
		for l.read() {
			l.write(plainAnswer(text))
		}
	}
}

var usual = Options{API: Chat, Keepalive: true, MaxIdle: 64, MaxConns: 64, DialLimit: time.Second}

func newTestClient(t *testing.T, url string, o Options) *Client {
	t.Helper()
	m := NewClient(url, "", o)
	t.Cleanup(m.Close)
	return m
}

func ask(ctx context.Context, m *Client) (string, error) {
	return m.Ask(ctx, m.Body(Prompt{Text: "你好"}), trace.From(""), "")
}

func wantSaid(t *testing.T, m *Client, want string) {
	t.Helper()
	if got, err := ask(t.Context(), m); got != want || err != nil {
		t.Errorf("Ask gives %q and %v, want %q", got, err, want)
	}
}

func wantFault(t *testing.T, err error, want Fault) {
	t.Helper()
	if got := FaultOf(err); got != want {
		t.Errorf("fault %s of %v, want %s", got, err, want)
	}
}

func wantCount(t *testing.T, what string, got *atomic.Int64, want int64) {
	t.Helper()
	if n := got.Load(); n != want {
		t.Errorf("%s: %d, want %d", what, n, want)
	}
}

var huge = bytes.Repeat([]byte("a"), 32<<20)
