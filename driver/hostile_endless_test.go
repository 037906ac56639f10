package driver

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/cstest/cstest/scenario"
)

// pour writes head once and piece until the client has had enough.
func pour(head, piece string) func(net.Conn) {
	raw := []byte(strings.Repeat(piece, max(1, (1<<16)/len(piece))))
	return func(c net.Conn) {
		if !asked(c) {
			return
		}
		write(c, head)
		for {
			if _, err := c.Write(raw); err != nil {
				return
			}
		}
	}
}

// What never ends over HTTP/1.1 is cut off, with and without TLS.
func TestHostileEndlessHTTP1(t *testing.T) {
	const ok, events = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	const chunks = "Transfer-Encoding: chunked\r\n\r\n"
	kilo := strings.Repeat("x", 1<<10)
	for _, c := range []struct {
		name, mode, head, piece string
		status                  int
		reason                  Reason
		message                 string
	}{
		{"10 GB by its word", "sync", ok + "Content-Length: 10000000000\r\n\r\n", kilo, 200, Oversized, "the body is larger"},
		{"10 GB chunk", "sync", ok + chunks + "2540be400\r\n", kilo, 200, Oversized, "the body is larger"},
		{"chunks", "sync", ok + chunks, "400\r\n" + kilo + "\r\n", 200, Oversized, "the body is larger"},
		{"chunks of a byte", "sync", ok + chunks, "1\r\nx\r\n", 200, Oversized, "the body is larger"},
		{"chunk extensions", "sync", ok + chunks, "1;" + kilo + "\r\nx\r\n", 200, Broken, "malformed chunk"},
		{"one chunk extension", "sync", ok + chunks + "1;", kilo, 200, Broken, "malformed chunk"},
		{"zeros of a chunk size", "sync", ok + chunks, "0", 200, Broken, "malformed chunk"},
		{"trailers", "sync", ok + chunks + "0\r\n", "X: y\r\n", 200, Broken, "malformed chunk"},
		{"trailer", "sync", ok + chunks + "0\r\nX: ", kilo, 200, Broken, "malformed chunk"},
		{"until close", "sync", ok + "\r\n", kilo, 200, Oversized, "the body is larger"},
		{"error until close", "sync", "HTTP/1.1 500 No\r\n\r\n", kilo, 500, Oversized, "the body is larger"},
		{"status line", "sync", "HTTP/1.1 200 ", kilo, 0, Oversized, "longer than the limit"},
		{"header line", "sync", ok + "X: ", kilo, 0, Oversized, "longer than the limit"},
		{"header name", "sync", ok, kilo, 0, Oversized, "longer than the limit"},
		{"headers", "sync", ok, "X: y\r\n", 0, Oversized, "the headers are longer"},
		{"cookies", "sync", ok, "Set-Cookie: a=" + kilo + "\r\n", 0, Oversized, "the headers are longer"},
		{"1xx", "sync", "", "HTTP/1.1 100 Continue\r\n\r\n", 0, Broken, "too many interim answers"},
		{"102 with headers", "sync", "", "HTTP/1.1 102 Processing\r\nX: " + kilo + "\r\n\r\n", 0, Broken, "too many interim answers"},
		{"gzip", "sync", ok + "Content-Encoding: gzip\r\n\r\n", kilo, 200, Oversized, "the body is larger"},

		{"event line", "stream", events + "\r\ndata: ", kilo, 200, Oversized, "a line of the stream is longer"},
		{"event line, chunks", "stream", events + chunks, "400\r\n" + kilo + "\r\n", 200, Oversized, "a line of the stream is longer"},
		{"event without end", "stream", events + "\r\n", "data: " + kilo + "\n", 200, Oversized, "a line of the stream is longer"},
		{"event of empty lines", "stream", events + "\r\n", "data\n", 200, Oversized, "the body is larger"},
		{"event names", "stream", events + "\r\n", "event: " + kilo + "\n", 200, Oversized, "the body is larger"},
		{"comments", "stream", events + "\r\n", ":\n", 200, Oversized, "the body is larger"},
		{"blank lines", "stream", events + "\r\n", "\n", 200, Oversized, "the body is larger"},
		{"content", "stream", events + "\r\n", "event: delta\ndata: {\"text\":\"x\"}\n\n", 200, Oversized, "the body is larger"},
	} {
		for _, secure := range []bool{false, true} {
			name := c.name
			if secure {
				name += ", TLS"
			}
			t.Run(name, func(t *testing.T) {
				h := newHostile(t, secure, pour(c.head, c.piece))
				h.turn(t, h.target(c.mode, time.Minute), c.status, c.reason, c.message)
			})
		}
	}
}

// flood serves one connection of HTTP/2: it answers the preface and, to the first
// request, attacks. reads tells whether it takes what the client says meanwhile.
func flood(t *testing.T, reads bool, attack func(p *peer, id uint32)) func(net.Conn) {
	return func(c net.Conn) {
		magic := make([]byte, len(h2.ClientPreface))
		if _, err := io.ReadFull(c, magic); err != nil || string(magic) != h2.ClientPreface {
			return
		}
		p := &peer{t: t, conn: &batch{Conn: c}, dec: hpack.NewDecoder(4096, nil)}
		p.Framer = h2.NewFramer(p.conn, c)
		p.AllowIllegalWrites = true
		p.do(p.WriteSettings())
		id, _, _, ok := p.request()
		if !ok {
			return
		}
		if !reads {
			attack(p, id)
			return
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			io.Copy(io.Discard, c) //nolint:errcheck // until the client closes
		}()
		attack(p, id)
		<-done
	}
}

// batch is a connection whose frames are written many at a time once a flood is on.
type batch struct {
	net.Conn
	flood bool
	held  []byte
}

func (b *batch) Write(p []byte) (int, error) {
	b.held = append(b.held, p...)
	if b.flood && len(b.held) < 1<<14 {
		return len(p), nil
	}
	_, err := b.Conn.Write(b.held)
	b.held = b.held[:0]
	return len(p), err
}

// again does something until it cannot.
func (p *peer) again(do func() error) {
	p.conn.(*batch).flood = true
	for do() == nil {
	}
}

// What never ends over HTTP/2 is cut off.
func TestHostileEndlessHTTP2(t *testing.T) {
	kilo := make([]byte, 1<<10)
	answered := func(p *peer, id uint32) { p.head(id, false, ":status", "200", "content-type", "text/event-stream") }
	for _, c := range []struct {
		name, mode string
		attack     func(p *peer, id uint32)
		status     int
		reason     Reason
		message    string
	}{
		{"body", "sync", func(p *peer, id uint32) {
			answered(p, id)
			p.again(func() error { return p.WriteData(id, false, kilo) })
		}, 200, Oversized, "the body is larger"},
		{"event line", "stream", func(p *peer, id uint32) {
			answered(p, id)
			p.again(func() error { return p.WriteData(id, false, []byte(strings.Repeat("x", 1<<10))) })
		}, 200, Oversized, "a line of the stream is longer"},
		{"empty data", "sync", func(p *peer, id uint32) {
			answered(p, id)
			p.again(func() error { return p.WriteData(id, false, nil) })
		}, 200, Broken, "a flood"},
		{"padding", "sync", func(p *peer, id uint32) {
			answered(p, id)
			p.again(func() error { return p.WriteDataPadded(id, false, nil, kilo[:90]) })
		}, 200, Broken, "a flood"},
		{"CONTINUATION", "sync", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: kilo[:10]}))
			p.again(func() error { return p.WriteContinuation(id, false, kilo[:100]) })
		}, 0, Oversized, "the headers are longer"},
		{"empty CONTINUATION", "sync", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id}))
			p.again(func() error { return p.WriteContinuation(id, false, nil) })
		}, 0, Oversized, "the headers are longer"},
		{"100,000 headers", "sync", func(p *peer, id uint32) {
			b := block(":status", "200")
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: b}))
			fields := []byte(strings.Repeat("\x00\x01x\x01y", 2000))
			for range 49 {
				p.do(p.WriteContinuation(id, false, fields))
			}
			p.do(p.WriteContinuation(id, true, fields))
		}, 0, Oversized, "the headers are longer"},
		{"1xx", "sync", func(p *peer, id uint32) {
			p.again(func() error {
				return p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status", "103"), EndHeaders: true})
			})
		}, 0, Broken, "interim"},
		{"SETTINGS", "sync", func(p *peer, _ uint32) {
			p.again(func() error { return p.WriteSettings(h2.Setting{ID: h2.SettingInitialWindowSize, Val: 1}) })
		}, 0, Broken, "a flood"},
		{"many settings", "sync", func(p *peer, _ uint32) {
			many := make([]h2.Setting, 2000)
			for i := range many {
				many[i] = h2.Setting{ID: h2.SettingInitialWindowSize, Val: uint32(i)}
			}
			p.again(func() error { return p.WriteSettings(many...) })
		}, 0, Broken, "too many settings"},
		{"SETTINGS acknowledged", "sync", func(p *peer, _ uint32) { p.again(p.WriteSettingsAck) }, 0, Broken, "a flood"},
		{"PING", "sync", func(p *peer, _ uint32) { p.again(func() error { return p.WritePing(false, [8]byte{}) }) }, 0, Broken, "a flood"},
		{"PING acknowledged", "sync", func(p *peer, _ uint32) { p.again(func() error { return p.WritePing(true, [8]byte{}) }) }, 0, Broken, "a flood"},
		{"RST_STREAM of streams that are not", "sync", func(p *peer, id uint32) {
			p.again(func() error { return p.WriteRSTStream(id+2, h2.ErrCodeCancel) })
		}, 0, Broken, "a flood"},
		{"RST_STREAM of the stream", "sync", func(p *peer, id uint32) {
			p.again(func() error { return p.WriteRSTStream(id, h2.ErrCodeCancel) })
		}, 0, Broken, "stream reset by the server"},
		{"HEADERS of a stream that is over", "sync", func(p *peer, id uint32) {
			p.do(p.WriteRSTStream(id, h2.ErrCodeCancel))
			p.again(func() error {
				return p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status", "200"), EndHeaders: true})
			})
		}, 0, Broken, "stream reset by the server"},
		{"DATA of a stream that is over", "sync", func(p *peer, id uint32) {
			p.do(p.WriteRSTStream(id, h2.ErrCodeCancel))
			p.again(func() error { return p.WriteData(id, false, kilo) })
		}, 0, Broken, "stream reset by the server"},
		{"WINDOW_UPDATE", "sync", func(p *peer, _ uint32) { p.again(func() error { return p.WriteWindowUpdate(0, 1) }) }, 0, Broken, "a flood"},
		{"PRIORITY", "sync", func(p *peer, id uint32) {
			p.again(func() error { return p.WritePriority(id, h2.PriorityParam{StreamDep: id + 2}) })
		}, 0, Broken, "a flood"},
		{"unknown frames", "sync", func(p *peer, _ uint32) { p.again(func() error { return p.WriteRawFrame(0xbe, 0xff, 0, kilo[:9]) }) }, 0, Broken, "a flood"},
		{"GOAWAY", "sync", func(p *peer, id uint32) {
			p.again(func() error { return p.WriteGoAway(id, h2.ErrCodeNo, nil) })
		}, 0, Broken, "a flood"},
	} {
		for _, reads := range []bool{true, false} {
			name := c.name
			if !reads {
				name += ", deaf"
			}
			t.Run(name, func(t *testing.T) {
				h := newHostile(t, false, flood(t, reads, c.attack))
				target := h.target(c.mode, 30*time.Second)
				target.HTTP = "h2c"
				h.turn(t, target, c.status, c.reason, c.message)
			})
		}
	}
}

// A server that greets every connection with GOAWAY is left after a few.
func TestHostileGoAwayLoop(t *testing.T) {
	for _, policy := range []string{"per-user", "shared"} {
		h := newHostile(t, false, flood(t, true, func(p *peer, _ uint32) { p.do(p.WriteGoAway(0, h2.ErrCodeNo, nil)) }))
		target := h.target("sync", 30*time.Second)
		target.HTTP, target.Connections, target.Pool = "h2c", scenario.Connections(policy), 1
		h.turn(t, target, 0, Broken, "GOAWAY")
		if n := h.conns.Load(); n < 2 || n > 9 {
			t.Errorf("%s: %d connections for one turn", policy, n)
		}
	}
}
