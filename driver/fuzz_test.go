package driver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// tape is a connection that plays an answer, step bytes a read.
type tape struct {
	net.Conn
	left []byte
	step int
}

func (c *tape) Write(p []byte) (int, error) { return len(p), nil }
func (c *tape) SetDeadline(time.Time) error { return nil }
func (c *tape) Close() error                { return nil }
func (c *tape) RemoteAddr() net.Addr        { return &net.TCPAddr{} }
func (c *tape) Read(p []byte) (n int, err error) {
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n = copy(p[:min(len(p), c.step)], c.left)
	c.left = c.left[n:]
	return n, nil
}

// play has one turn answered by raw.
func play(t testing.TB, target *scenario.Target, raw []byte, step int) string {
	t.Helper()
	p, err := compile(given(target), Options{Base: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	p.Dial = func(context.Context, time.Time, tls.ClientSessionCache) (net.Conn, error) {
		return &tape{left: slices.Clone(raw), step: step}, nil
	}
	d, err := newClient(p, target.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	l := d.Open(&User{ID: "u"}).(*channel)
	var r Reply
	l.Do(&Turn{Text: []byte("hi")}, &r)
	kept := l.link.Held != nil
	got := fmt.Sprintf("%d %d %q %q %q %q %d kept %t body %q", r.Status, r.Reason, r.Message, r.Answer, r.DialogID, r.Code, r.ContextTurns, kept, r.Body)
	if r.Reason == Complete && r.Status == 200 && len(r.Answer) == 0 && r.OK {
		t.Errorf("an answer without an answer: %s", got)
	}
	l.Free(&r)
	l.Close()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return got
}

// Whatever a server sends: no panic, the same however it is cut, and no body that
// net/http would read otherwise.
func FuzzDecodeResponse(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + okBody,
		"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n" + okBody + "x",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n{\"ans\r\nA\r\nwer\":\"ok\"}\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\n" + okBody, "HTTP/1.1 103 X\r\n\r\nHTTP/1.1 503 No\r\nRetry-After: 1\r\n\r\n{\"code\":\"shed\"}",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 39\r\n\r\n" + gz(okBody),
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n", "200OK\r\n",
	} {
		f.Add([]byte(seed), 3)
	}
	target := &scenario.Target{URL: "http://127.0.0.1:1", Timeout: unit.Duration(time.Minute), Limits: scenario.Limits{Body: 4096, Headers: 1024, Line: 512}}
	f.Fuzz(func(t *testing.T, raw []byte, step int) {
		whole := play(t, target, raw, len(raw)+1)
		// What follows the answer is only seen by a read that brings both.
		cut := strings.Replace(play(t, target, raw, 1+(step&0x3f)), "kept true", "kept false", 1)
		if cut != strings.Replace(whole, "kept true", "kept false", 1) && !strings.Contains(whole+cut, "longer than the limit") {
			t.Errorf("whole %s\ncut into %d %s", whole, 1+(step&0x3f), cut)
		}
		compare(t, raw, whole)
	})
}

// compare asks net/http what it makes of an answer that is whole to us.
func compare(t *testing.T, raw []byte, ours string) {
	t.Helper()
	var status, reason int
	if _, err := fmt.Sscan(ours, &status, &reason); err != nil || reason != int(Complete) {
		return
	}
	in := bufio.NewReader(bytes.NewReader(raw))
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Errorf("taken as %s, net/http says %v", ours, err)
			return
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Errorf("taken as %s, net/http says %v", ours, err)
			return
		}
		if res.StatusCode < 200 {
			continue
		}
		if res.StatusCode != status || res.Header.Get("Content-Encoding") == "" && !strings.HasSuffix(ours, fmt.Sprintf("body %q", body)) {
			t.Errorf("taken as %s, net/http reads %d %q", ours, res.StatusCode, body)
		}
		return
	}
}

// Whatever a stream holds: no panic, and the same however it is cut.
func FuzzSSE(f *testing.F) {
	for _, seed := range []string{
		"event: meta\ndata: {\"dialog_id\":\"d\"}\n\nevent: delta\ndata: {\"i\":0,\"text\":\"好\"}\n\nevent: done\ndata: {}\n\n",
		"\xef\xbb\xbfdata: x\r\rdata: y\r\n\r\n", "event: error\rdata: {\"code\":\"x\"}\r\r", ": c\n\ndata\ndata\n\n", "data: [DONE]\n\n",
	} {
		f.Add([]byte(seed), 1)
	}
	target := &scenario.Target{URL: "http://127.0.0.1:1", Mode: "stream", Timeout: unit.Duration(time.Minute), Limits: scenario.Limits{Line: 512}}
	f.Fuzz(func(t *testing.T, stream []byte, step int) {
		raw := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"), stream...)
		whole := play(t, target, raw, len(raw)+1)
		if cut := play(t, target, raw, 1+(step&0x3f)); cut != whole && !strings.Contains(whole+cut, "longer than the limit") {
			t.Errorf("whole %s\ncut into %d %s", whole, 1+(step&0x3f), cut)
		}
	})
}
