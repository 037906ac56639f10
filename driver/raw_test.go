package driver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// rawServer answers each request on a connection with what answer writes;
// answer's n counts the requests of the connection from 0. The connection is
// closed when it gives false.
func rawServer(t testing.TB, answer func(c net.Conn, n int) bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for n := 0; ; n++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil || !answer(c, n) {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

const okBody = `{"answer":"ok"}`

func write(c net.Conn, text string) { io.WriteString(c, text) } //nolint:errcheck // the client may be gone

func gz(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text) //nolint:errcheck // memory
	w.Close()
	return b.String()
}

func TestAnswers(t *testing.T) {
	const h = "HTTP/1.1 200 OK\r\n"
	cl := func(body string) string { return fmt.Sprintf(h+"Content-Length: %d\r\n\r\n%s", len(body), body) }
	packed := func(body, extra string) string {
		return fmt.Sprintf(h+"Content-Encoding: gzip\r\nContent-Length: %d\r\n%s\r\n%s", len(body), extra, body)
	}
	bomb := gz(`{"answer":"` + strings.Repeat("a", 900_000) + `"}`)
	wide := strings.Repeat(`{"answer":"ok","x":"y`+strings.Repeat("z", 50)+`"}`, 1)
	for _, c := range []struct {
		name, answer string
		status       int
		reason       Reason
		message      string
	}{
		{"content-length", cl(okBody), 200, Complete, ""},
		{"chunked", h + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"ans\r\nA;x=\"y\"\r\nwer\":\"ok\"}\r\n0\r\nX: y\r\n\r\n", 200, Complete, ""},
		{"closed", h + "\r\n" + okBody, 200, Complete, ""},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" + okBody, 200, Complete, ""},
		{"interim", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + cl(okBody), 200, Complete, ""},
		{"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 15\r\n\r\n" + okBody, 200, Complete, ""},
		{"gzip", packed(gz(wide), ""), 200, Complete, ""},
		{"cookies, alt-svc, hsts", "HTTP/1.1 200 OK\r\n" + strings.Repeat("Set-Cookie: a=b\r\n", 100) + "Alt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=9\r\nWWW-Authenticate: Basic\r\nContent-Length: 15\r\n\r\n" + okBody, 200, Complete, ""},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, Malformed, "the answer has no body"},
		{"error without JSON", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", 502, Complete, ""},
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302, Complete, ""},

		{"no space after code", "HTTP/1.1 200OK\r\n\r\n", 0, Broken, "not an HTTP/1.1 status line"},
		{"no space at all", "200OK\r\n\r\n", 0, Broken, "not an HTTP/1.1 status line"},
		{"HTTP/2", "HTTP/2 200\r\n\r\n", 0, Broken, "not an HTTP/1.1 status line"},
		{"999", "HTTP/1.1 999 What\r\n\r\n", 999, Complete, ""},
		{"099", "HTTP/1.1 099 What\r\n\r\n", 0, Broken, "a status below 100"},
		{"LF only", "HTTP/1.1 200 OK\nContent-Length: 15\n\n" + okBody, 0, Broken, "without CR LF"},
		{"obs-fold", h + "X: y\r\n z\r\nContent-Length: 15\r\n\r\n" + okBody, 200, Complete, ""},
		{"NUL", h + "X: y\x00\r\nContent-Length: 15\r\n\r\n" + okBody, 0, Broken, "control character"},
		{"bare CR", h + "X: y\rz\r\nContent-Length: 15\r\n\r\n" + okBody, 0, Broken, "control character"},
		{"space before colon", h + "Content-Length : 15\r\n\r\n" + okBody, 0, Broken, "malformed header line"},
		{"both lengths", h + "Content-Length: 15\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, Broken, "both content-length"},
		{"two lengths", h + "Content-Length: 15\r\nContent-Length: 15\r\n\r\n" + okBody, 0, Broken, "twice"},
		{"negative length", h + "Content-Length: -1\r\n\r\n", 0, Broken, "malformed content-length"},
		{"list of lengths", h + "Content-Length: 15, 15\r\n\r\n" + okBody, 0, Broken, "malformed content-length"},
		{"other transfer-encoding", h + "Transfer-Encoding: xchunked\r\n\r\n", 0, Broken, "unknown transfer-encoding"},
		{"switch", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 0, Broken, "switches protocols"},
		{"1xx flood", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), 0, Broken, "interim"},
		{"short body", h + "Content-Length: 16\r\n\r\n" + okBody, 200, Broken, wire.ClosedEarly},
		{"bad chunk", h + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 200, Broken, "malformed chunk"},
		{"chunk without end", h + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n", 200, Broken, "malformed chunk"},
		{"chunk LF", h + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", 200, Broken, "malformed chunk"},
		{"chunk size overflow", h + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 200, Broken, "malformed chunk"},
		{"trailer flood", h + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", 10_000), 200, Broken, "malformed chunk"},
		{"extension flood", h + "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 10_000), 200, Broken, "malformed chunk"},
		{"huge length", h + "Content-Length: 10000000000\r\n\r\n{", 200, Oversized, "body is larger"},
		{"header bomb", h + strings.Repeat("X: y\r\n", 100_000), 0, Oversized, "headers are longer"},
		{"nothing", "", 0, Broken, wire.ClosedEarly},

		{"deflate", h + "Content-Encoding: deflate\r\nContent-Length: 15\r\n\r\n" + okBody, 200, Malformed, "not valid deflate"},
		{"gzip twice", packed(gz(gz(okBody)), "Content-Encoding: gzip\r\n"), 200, Complete, ""},
		{"gzip, gzip", h + "Content-Encoding: gzip, gzip\r\nContent-Length: 15\r\n\r\n" + okBody, 200, Malformed, "not valid gzip"},
		{"not gzip", packed(okBody, ""), 200, Malformed, "not valid gzip"},
		{"gzip bomb", packed(bomb, ""), 200, Oversized, "once decompressed"},
		{"gzip wrong sum", packed(strings.ReplaceAll(gz(okBody), "\x00\x00\x00", "\x01\x00\x00"), ""), 200, Malformed, "not valid gzip"},
		{"gzip trailing", packed(gz(okBody)+"x", ""), 200, Complete, ""},

		{"JSON: empty", cl(""), 200, Malformed, "no body"},
		{"JSON: cut", cl(`{"answer":"ok"`), 200, Malformed, "not valid JSON"},
		{"JSON: two", cl(okBody + okBody), 200, Malformed, "not valid JSON"},
		{"JSON: BOM", cl("\xef\xbb\xbf" + okBody), 200, Complete, ""},
		{"JSON: UTF-8", cl("{\"answer\":\"\xff\"}"), 200, Malformed, "not UTF-8"},
		{"JSON: twice", cl(`{"answer":"a","answer":"b"}`), 200, Malformed, "a key twice"},
		{"JSON: deep", cl(strings.Repeat("[", 100_000)), 200, Malformed, "not valid JSON"},
		{"JSON: deep object", cl(strings.Repeat(`{"a":`, 100_000)), 200, Malformed, "not valid JSON"},
		{"JSON: numbers", cl(`{"x":[1e400,-0,123456789012345678901234567890],"answer":"ok"}`), 200, Complete, ""},
		{"JSON: 01", cl(`{"x":01,"answer":"ok"}`), 200, Malformed, "not valid JSON"},
		{"JSON: NaN", cl(`{"x":NaN,"answer":"ok"}`), 200, Malformed, "not valid JSON"},
		{"JSON: list", cl(`[]`), 200, Malformed, "no answer"},
		{"JSON: wrong type", cl(`{"answer":{"a":1}}`), 200, Malformed, "not a string"},
		{"JSON: null", cl(`{"answer":null}`), 200, Malformed, "no answer"},
		{"JSON: empty answer", cl(`{"answer":""}`), 200, Malformed, "is empty"},
		{"JSON: lone surrogate", cl(`{"answer":"\ud800x"}`), 200, Complete, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := rawServer(t, func(conn net.Conn, _ int) bool { write(conn, c.answer); return false })
			d := open(t, &scenario.Target{URL: url}, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			defer line.Free(&r)
			if r.Status != c.status || r.Reason != c.reason || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
				t.Errorf("status %d reason %d %q, want %d %d %q", r.Status, r.Reason, r.Message, c.status, c.reason, c.message)
			}
			if c.status == 200 && c.reason == Complete && !strings.HasPrefix(string(r.Answer), "ok") && c.name != "JSON: lone surrogate" {
				t.Errorf("answer %q", r.Answer)
			}
		})
	}
}

// An answer says the same however its bytes are cut.
func TestAnswerCutAnywhere(t *testing.T) {
	whole := "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"ans\r\n9\r\nwer\":\"\xe5\xa5\xbd\r\n2\r\n\"}\r\n0\r\n\r\n"
	cut := 0
	url := rawServer(t, func(c net.Conn, _ int) bool {
		write(c, whole[:cut])
		runtime.Gosched()
		write(c, whole[cut:])
		return true
	})
	d := open(t, &scenario.Target{URL: url}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	for cut = range len(whole) {
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		if r.Reason != Complete || string(r.Answer) != "好" {
			t.Errorf("cut at %d: reason %d %q, answer %q", cut, r.Reason, r.Message, r.Answer)
		}
		line.Free(&r)
	}
	if n := d.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// What never ends is cut off at the limits, and costs no more memory than they say.
func TestEndlessAnswers(t *testing.T) {
	endless := func(head, piece string) func(net.Conn, int) bool {
		return func(c net.Conn, _ int) bool {
			write(c, head)
			raw := []byte(piece)
			for {
				if _, err := c.Write(raw); err != nil {
					return false
				}
			}
		}
	}
	piece := strings.Repeat("x", 1<<16)
	for _, c := range []struct {
		name, mode string
		answer     func(net.Conn, int) bool
		message    string
	}{
		{"chunks", "sync", endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n"+piece+"\r\n"), "the body is larger than the limit"},
		{"until close", "sync", endless("HTTP/1.1 200 OK\r\n\r\n", piece), "the body is larger than the limit"},
		{"header line", "sync", endless("HTTP/1.1 200 OK\r\nX: ", piece), "longer than the limit"},
		{"status line", "sync", endless("", piece), "longer than the limit"},
		{"event line", "stream", endless("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ", piece), "a line of the stream is longer than the limit"},
		{"comments", "stream", endless("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", ": x\n"), "the body is larger than the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, &scenario.Target{URL: rawServer(t, c.answer), Mode: scenario.Mode(c.mode), Timeout: unit.Duration(time.Minute)}, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			runtime.ReadMemStats(&after)
			if r.Reason != Oversized || !strings.Contains(r.Message, c.message) {
				t.Errorf("reason %d %q", r.Reason, r.Message)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			line.Free(&r)
			if n := d.Connections(); n != 0 {
				t.Errorf("%d connections left open", n)
			}
		})
	}
}
