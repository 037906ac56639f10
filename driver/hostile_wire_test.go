package driver

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
	h2 "golang.org/x/net/http2"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// Framing that two readers could take for two things is taken for none: the
// answer is refused and its connection is given up, while the server holds it open.
func TestHostileFraming(t *testing.T) {
	const h, cl = "HTTP/1.1 200 OK\r\n", "Content-Length: 15\r\n"
	const te = "Transfer-Encoding: chunked\r\n"
	const whole = "F\r\n" + okBody + "\r\n0\r\n\r\n"
	const notStatus, header, chunk = "not an HTTP/1.1 status line", "malformed header line", "malformed chunk"
	type row struct {
		name, answer string
		status       int
		message      string
	}
	rows := []row{
		{"four digits", "HTTP/1.1 2000 OK\r\n", 0, notStatus},
		{"two digits", "HTTP/1.1 20 OK\r\n\r\n", 0, notStatus},
		{"two spaces", "HTTP/1.1  200 OK\r\n", 0, notStatus},
		{"tab", "HTTP/1.1\t200 OK\r\n", 0, notStatus},
		{"sign", "HTTP/1.1 +20 OK\r\n", 0, notStatus},
		{"exponent", "HTTP/1.1 2e2 OK\r\n", 0, notStatus},
		{"lower case", "http/1.1 200 OK\r\n", 0, notStatus},
		{"HTTP/1.10", "HTTP/1.10 200 OK\r\n", 0, notStatus},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n", 0, notStatus},
		{"HTTP/0.9", "HTTP/0.9 200 OK\r\n", 0, notStatus},
		{"HTTP/3", "HTTP/3 200 OK\r\n", 0, notStatus},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", 0, notStatus},
		{"HTML", "<!DOCTYPE html>\r\n", 0, notStatus},
		{"Redis", "-ERR unknown command 'POST'\r\n", 0, notStatus},
		{"blank line first", "\r\n" + h + cl + "\r\n" + okBody, 0, notStatus},
		{"space first", " " + h, 0, notStatus},
		{"000", "HTTP/1.1 000 X\r\n", 0, "a status below 100"},
		{"1000", "HTTP/1.1 1000 X\r\n", 0, notStatus},
		{"NUL in the reason", "HTTP/1.1 200 O\x00K\r\n", 0, "control character"},
		{"LF only, then CR LF", "HTTP/1.1 200 OK\n" + cl + "\r\n", 0, "without CR LF"},
		{"a header with LF", h + "X: y\n" + cl + "\r\n", 0, "without CR LF"},
		{"CR CR LF", h + "X: y\r\r\n", 0, "control character"},
		{"no colon", h + "Content-Length\r\n", 0, header},
		{"no name", h + ": 15\r\n", 0, header},
		{"obs-fold first", h + " X: y\r\n", 0, header},
		{"obs-fold in a length", h + "Content-Length: 1\r\n\t5\r\n\r\n", 0, "malformed content-length"},
		{"obs-fold with LF", h + "X: y\n z\r\n", 0, "without CR LF"},
		{"obs-fold, then CR", h + "X: y\r\n z\r\r\n", 0, "control character"},
		{"NUL in a name", h + "X\x00: y\r\n", 0, "control character"},
		{"DEL in a name", h + "X\x7f: y\r\n", 0, "control character"},
		{"umlaut in a name", h + "X\xc3\xa4: y\r\n", 0, header},
		{"quotes in a name", h + "\"X\": y\r\n", 0, header},

		{"length with plus", h + "Content-Length: +15\r\n", 0, "malformed content-length"},
		{"length in hex", h + "Content-Length: 0xf\r\n", 0, "malformed content-length"},
		{"no length", h + "Content-Length: \r\n\r\n", 0, "malformed content-length"},
		{"length with a space", h + "Content-Length: 1 5\r\n", 0, "malformed content-length"},
		{"length beyond 64 bits", h + "Content-Length: 18446744073709551631\r\n", 0, "malformed content-length"},
		{"full-width digits", h + "Content-Length: \uff11\uff15\r\n", 0, "malformed content-length"},
		{"two lengths, different", h + cl + "Content-Length: 16\r\n", 0, "twice"},
		{"length and chunks", h + cl + te + "\r\n" + whole, 0, "both content-length"},
		{"chunks and length", h + te + cl + "\r\n" + whole, 0, "both content-length"},
		{"chunked twice", h + te + te + "\r\n" + whole, 0, "unknown transfer-encoding"},
		{"chunked, chunked", h + "Transfer-Encoding: chunked, chunked\r\n", 0, "unknown transfer-encoding"},
		{"gzip, chunked", h + "Transfer-Encoding: gzip, chunked\r\n", 0, "unknown transfer-encoding"},
		{"identity", h + "Transfer-Encoding: identity\r\n", 0, "unknown transfer-encoding"},
		{"chunked with a parameter", h + "Transfer-Encoding: chunked;q=1\r\n", 0, "unknown transfer-encoding"},
		{"chunked with a vertical tab", h + "Transfer-Encoding: \vchunked\r\n", 0, "control character"},
		{"chunks of HTTP/1.0", "HTTP/1.0 200 OK\r\n" + te + "\r\n" + whole, 0, "in an HTTP/1.0 answer"},

		{"chunk size in 0x", h + te + "\r\n0xF\r\n" + okBody, 200, chunk},
		{"chunk size with plus", h + te + "\r\n+F\r\n" + okBody, 200, chunk},
		{"chunk size below zero", h + te + "\r\n-1\r\n" + okBody, 200, chunk},
		{"chunk size of none", h + te + "\r\n\r\n" + okBody, 200, chunk},
		{"space before a chunk size", h + te + "\r\n F\r\n" + okBody, 200, chunk},
		{"chunk size of 16 digits", h + te + "\r\n000000000000000F\r\n" + okBody, 200, chunk},
		{"chunk size and LF", h + te + "\r\nF\n" + okBody, 200, chunk},
		{"LF in a chunk extension", h + te + "\r\nF;a\nb\r\n" + okBody, 200, chunk},
		{"chunk too short", h + te + "\r\nE\r\n" + okBody + "\r\n0\r\n\r\n", 200, chunk},
		{"LF behind a chunk", h + te + "\r\nF\r\n" + okBody + "\n0\r\n\r\n", 200, chunk},
		{"LF behind the last chunk", h + te + "\r\nF\r\n" + okBody + "\r\n0\r\n\n", 200, chunk},
	}
	for _, c := range rows {
		for _, secure := range []bool{false, true} {
			name := c.name
			if secure {
				name += ", TLS"
			}
			t.Run(name, func(t *testing.T) {
				s := newHostile(t, secure, func(c2 net.Conn) {
					if asked(c2) {
						write(c2, c.answer)
					}
				})
				s.turn(t, s.target("sync", 10*time.Second), c.status, Broken, c.message)
			})
		}
	}
}

// What follows an answer is not the next answer: the connection is given up.
func TestHostileSecondAnswer(t *testing.T) {
	first := "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + okBody
	second := "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"answer\":\"evil\"}"
	for name, answer := range map[string]string{
		"length":         first + second,
		"a longer body":  first + "}",
		"chunks":         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nF\r\n" + okBody + "\r\n0\r\n\r\n" + second,
		"interim behind": first + "HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.0":       "HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\n" + okBody + second,
		"close":          "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 15\r\n\r\n" + okBody,
		"204 with body":  "HTTP/1.1 204 No Content\r\nContent-Length: 15\r\n\r\n" + okBody,
	} {
		h := newHostile(t, false, func(c net.Conn) {
			if asked(c) {
				write(c, answer)
			}
		})
		d := open(t, h.target("sync", 10*time.Second), Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		for range 2 {
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if r.Status == 200 && (r.Reason != Complete || string(r.Answer) != "ok") || r.Connect == 0 {
				t.Errorf("%s: status %d reason %d %q answer %q connect %d", name, r.Status, r.Reason, r.Message, r.Answer, r.Connect)
			}
			line.Free(&r)
			h.closed(t)
		}
		line.Close()
	}
}

// Servers that are slow, deaf or half there: each is told by the phase it is in.
func TestHostileTiming(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"
	const timeout, stall = time.Second, 60 * time.Millisecond
	drip := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			if !asked(c) {
				return
			}
			onward(c, text)
		}
	}
	say := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			if asked(c) {
				write(c, text)
			}
		}
	}
	reset := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			if asked(c) {
				write(c, text)
				c.(*counted).Conn.(*net.TCPConn).SetLinger(0) //nolint:errcheck // then it is closed in good order, which the test sees
				c.Close()
			}
		}
	}
	half := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			if asked(c) {
				write(c, text)
				c.(*counted).Conn.(*net.TCPConn).CloseWrite() //nolint:errcheck // as in reset
			}
		}
	}
	const none, stalled, total = "no whole answer within the timeout", "the answer stalled", "no whole answer within the timeout"
	events := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	for _, c := range []struct {
		name, mode string
		serve      func(net.Conn)
		stall      time.Duration
		status     int
		reason     Reason
		message    string
	}{
		{"never reads", "sync", func(net.Conn) {}, 0, 0, TimedOut, none},
		{"never answers", "sync", say(""), stall, 0, TimedOut, none},
		{"half a status line", "sync", say("HTTP/1.1 2"), stall, 0, TimedOut, stalled},
		{"half a head", "sync", say(head[:20]), stall, 0, TimedOut, stalled},
		{"no body", "sync", say(head), stall, 200, TimedOut, stalled},
		{"half a body", "sync", say(head + okBody[:5]), stall, 200, TimedOut, stalled},
		{"half a body, no stall limit", "sync", say(head + okBody[:5]), 0, 200, TimedOut, total},
		{"half an event", "stream", say(events + "data: {"), stall, 200, TimedOut, stalled},
		{"heartbeats", "stream", func(c net.Conn) {
			if asked(c) {
				write(c, events)
				onward(c, ":\n")
			}
		}, 0, 200, TimedOut, total},
		{"drips a status line", "sync", drip("HTTP/1.1 200 "), 10 * time.Second, 0, TimedOut, total},
		{"drips headers", "sync", drip("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000)), 10 * time.Second, 0, TimedOut, total},
		{"drips a body", "sync", func(c net.Conn) {
			if asked(c) {
				write(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
				onward(c, "x")
			}
		}, 10 * time.Second, 200, TimedOut, total},
		{"reset at once", "sync", reset(""), stall, 0, Broken, "connection reset by the server"},
		{"reset in the head", "sync", reset(head[:20]), 0, 0, Broken, "connection"},
		{"reset after the head", "sync", reset(head), 0, 200, Broken, "connection"},
		{"half-closed before the head", "sync", half(""), 0, 0, Broken, wire.ClosedEarly},
		{"half-closed in the body", "sync", half(head + "{"), 0, 200, Broken, wire.ClosedEarly},
		{"half-closed in a stream", "stream", half(events + "event: delta\ndata: {\"text\":\"x\"}\n\n"), 0, 200, Truncated, "terminal event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t, false, c.serve)
			target := h.target(c.mode, timeout)
			target.Limits.Stall = unit.Duration(c.stall)
			if c.stall == stall {
				target.Timeout = unit.Duration(20 * time.Second)
			}
			if c.name == "never answers" {
				target.Timeout = unit.Duration(timeout)
			}
			h.turn(t, target, c.status, c.reason, c.message)
		})
	}
}

// onward writes text a byte at a time, over and over, until the client has had
// enough.
func onward(c net.Conn, text string) {
	for i := 0; ; i++ {
		if _, err := io.WriteString(c, text[i%len(text):][:1]); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond) // the pace of a slow server is what is tested
	}
}

// The same over HTTP/2, where other turns go on on the connection.
func TestHostileTimingHTTP2(t *testing.T) {
	const timeout, stall = time.Second, 60 * time.Millisecond
	sse := func(p *peer, id uint32) { p.head(id, false, ":status", "200", "content-type", "text/event-stream") }
	drip := func(text string) func(p *peer, id uint32) {
		return func(p *peer, id uint32) {
			sse(p, id)
			for i := 0; p.WriteData(id, false, []byte(text[i%len(text):][:1])) == nil; i++ {
				time.Sleep(5 * time.Millisecond) // the pace of a slow server is what is tested
			}
		}
	}
	for _, c := range []struct {
		name, mode string
		attack     func(p *peer, id uint32)
		stall      time.Duration
		status     int
		reason     Reason
		message    string
	}{
		{"never answers", "sync", func(*peer, uint32) {}, 0, 0, TimedOut, "no whole answer within the timeout"},
		{"half a head", "sync", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status", "200")}))
		}, 0, 0, TimedOut, "no whole answer within the timeout"},
		{"no body", "sync", sse, stall, 200, TimedOut, "the answer stalled"},
		{"half a frame", "sync", func(p *peer, id uint32) {
			sse(p, id)
			p.conn.Write([]byte{0, 0, 9, 0, 0, 0, 0, 0, byte(id), 'x'}) //nolint:errcheck // the client may be gone
		}, stall, 200, TimedOut, "the answer stalled"},
		{"drips a body", "sync", drip("x"), 10 * time.Second, 200, TimedOut, "no whole answer within the timeout"},
		{"heartbeats", "stream", drip(":\n"), 10 * time.Second, 200, TimedOut, "no whole answer within the timeout"},
		{"closed in a stream", "stream", func(p *peer, id uint32) { sse(p, id); p.conn.Close() }, 0, 200, Truncated, "terminal event"},
		{"closed in a body", "sync", func(p *peer, id uint32) { sse(p, id); p.conn.Close() }, 0, 200, Broken, wire.ClosedEarly},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHostile(t, false, flood(t, false, c.attack))
			target := h.target(c.mode, timeout)
			target.HTTP, target.Connections, target.Limits.Stall = "h2c", "per-turn", unit.Duration(c.stall)
			if c.stall == stall {
				target.Timeout = unit.Duration(20 * time.Second)
			}
			h.turn(t, target, c.status, c.reason, c.message)
		})
	}
}

// A server that does not take what is sent to it costs the turn's timeout.
func TestHostileDeafServer(t *testing.T) {
	text := bytes.Repeat([]byte("x"), 8<<20) // more than the buffers of two sockets
	const timeout = 2 * time.Second
	for name, c := range map[string]struct {
		http  string
		serve func(c net.Conn, over <-chan struct{})
	}{
		"HTTP/1.1": {"1.1", func(c net.Conn, over <-chan struct{}) {
			c.(*counted).Conn.(*net.TCPConn).SetReadBuffer(256 << 10) //nolint:errcheck // it is only to be small
			<-over
		}},
		"HTTP/2 without a window": {"h2c", func(c net.Conn, _ <-chan struct{}) {
			magic := make([]byte, len(h2.ClientPreface))
			if _, err := io.ReadFull(c, magic); err == nil {
				f := h2.NewFramer(c, c)
				f.WriteSettings(h2.Setting{ID: h2.SettingInitialWindowSize, Val: 0}) //nolint:errcheck // the client may be gone
			}
		}},
	} {
		over := make(chan struct{})
		h := newHostile(t, false, func(conn net.Conn) { c.serve(conn, over) })
		target := h.target("sync", timeout)
		target.HTTP = scenario.HTTPVersion(c.http)
		d := open(t, target, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		var r Reply
		line.Do(&Turn{Text: text}, &r)
		if r.Reason != TimedOut || r.Message != "no whole answer within the timeout" || r.Done-r.Begun < timeout {
			t.Errorf("%s: reason %d %q after %s", name, r.Reason, r.Message, r.Done-r.Begun)
		}
		close(over)
		line.Free(&r)
		line.Close()
		h.closed(t)
	}
}

// TLS that is begun and not gone on with is told from a server that is slow.
func TestHostileHandshake(t *testing.T) {
	for name, c := range map[string]struct {
		serve   func(net.Conn)
		reason  Reason
		message string
	}{
		"silent":   {func(net.Conn) {}, TimedOut, "connecting took longer than the timeout"},
		"closed":   {func(c net.Conn) { io.ReadFull(c, make([]byte, 5)); c.Close() }, Unreachable, "while it was being made"}, //nolint:errcheck // as it comes
		"plain":    {func(c net.Conn) { write(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, Unreachable, "does not speak TLS"},
		"alert":    {func(c net.Conn) { write(c, "\x15\x03\x01\x00\x02\x02\x28") }, Unreachable, "tls: "},
		"endless":  {func(c net.Conn) { forever(c, "\x16\x03\x03\x40\x00"+strings.Repeat("\x02\x00\x3f\xfc", 4096)) }, Unreachable, "tls: "},
		"too long": {func(c net.Conn) { forever(c, "\x16\x03\x03\xff\xff"+strings.Repeat("x", 1<<16)) }, Unreachable, "tls: "},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t, false, c.serve)
			h.url = "https" + strings.TrimPrefix(h.url, "http")
			timeout := 10 * time.Second
			if c.reason == TimedOut {
				timeout = 300 * time.Millisecond
			}
			h.turn(t, h.target("sync", timeout), 0, c.reason, c.message)
		})
	}
}

// forever writes text until it cannot.
func forever(c net.Conn, text string) {
	for {
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
	}
}
