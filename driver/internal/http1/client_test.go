package http1

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/dial"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clientOf gives a client of the server at url, and a request to send.
func clientOf(t *testing.T, url string) (*Client, *wire.Request) {
	t.Helper()
	address := url[strings.Index(url, "//")+2:]
	var secure *tls.Config
	if strings.HasPrefix(url, "https") {
		secure = &tls.Config{InsecureSkipVerify: true}
	}
	target := &wire.Target{
		Host: address, Address: address, Secure: secure != nil, Dial: dial.New(address, secure, dial.Spread{}).Dial, Base: time.Now(), Timeout: time.Minute,
		Limits: wire.Limits{Head: 1 << 12, Line: 1 << 12, Body: 1 << 12, Ratio: 100}, Connections: scenario.PerUser,
	}
	c := New(target)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	q := &wire.Request{Method: "POST", Path: template.Raw[wire.Values]("/"), Body: template.Raw[wire.Values]("{}"), Bodied: true}
	c.Compile(q)
	return c, q
}

// send has one exchange answered, over a new connection or one that is kept.
func send(t *testing.T, c *Client, l *wire.Link, q *wire.Request, kept bool) {
	t.Helper()
	x := &wire.Exchange{Deadline: c.target.Now() + time.Minute}
	if f := c.RoundTrip(l, x, q); f.Bad() || x.Head.Status != 200 || kept != (x.Connect == 0) {
		t.Errorf("%+v, status %d, connect %d, kept %t", f, x.Head.Status, x.Connect, kept)
	}
}

// A deadline of an earlier turn that passes as a request is written changes
// nothing, with TLS as without.
func TestWriteDeadlineOfAnEarlierTurn(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			s := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "{}") //nolint:errcheck // the client sees it
			}))
			defer s.Close()
			c, q := clientOf(t, s.URL)
			var link wire.Link
			defer c.Leave(&link)
			send(t, c, &link, q, false)
			held := link.Held.(*conn)
			for range 2 {
				held.armed = c.target.Now() + time.Second
				held.SetWriteDeadline(past) //nolint:errcheck // the turn shows
				held.idle = 0               // so that the answer is not read in one go with the write
				send(t, c, &link, q, true)
			}
		})
	}
}

// A field may be folded, wherever its bytes are cut; each piece is looked at as it
// comes.
func TestFoldedCutAnywhere(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\tc\r\nContent-Length:\r\n 15\r\nRetry-After: 1\r\n \r\n\r\n"
	limits := &wire.Limits{Head: 1 << 10, Line: 1 << 8}
	for cut := range len(whole) {
		var r headReader
		var h wire.Head
		in := []byte(whole)
		f, done := r.read(in[:cut], &h, limits)
		if f.Bad() || done {
			t.Fatalf("cut at %d: %v, done %t", cut, f, done)
		}
		if f, done = r.read(in, &h, limits); f.Bad() || !done || h.Status != 200 || h.Length != 15 || string(h.RetryAfter) != "1" || r.at != len(whole) {
			t.Errorf("cut at %d: %v, done %t, %+v", cut, f, done, h)
		}
	}
}
